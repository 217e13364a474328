"""What is noted on disk, without ever waiting for it longer than an alert can bear.

A disk may hang for minutes: a controller that resets, a frozen file system, a dead NFS server. A
thread that writes then hangs with it, and so does who waits for its locks. Therefore two threads do
all that touches the state's files: one writes lines, in order, one brings them to the disk. Who
notes something waits in the end until it is written, as the broker's acknowledgement promises that,
but 50 ms at most; while the disk hangs, or is behind with what was noted, not at all.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable

from alerter import metrics
from alerter.lifecycle.events import Event
from alerter.lifecycle.store import Store
from hazardcast.machine.clock import Clock

log = logging.getLogger(__name__)
PATIENCE_S = 0.05
ORDINARY_S, PATIENCE_SHARE = 0.005, 0.05
"""A disk that is well takes less; what is more may take alerts that share of the time, together."""
UNHURRIED_S = 3.0
"""At the start and at the end, when no alert waits."""
MOST_WAITING = 10_000
"""Beyond, changes are left out, and the journal is written anew when the disk is back."""

Work = Callable[[], None]
NOBODY_WAITS = threading.Lock()


class Worker:
    """Does what it is given, in order, on a daemon thread."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._clock = clock
        self._work: queue.SimpleQueue[tuple[Work, threading.Lock]] = queue.SimpleQueue()
        self._began = float("inf")
        """When the work at hand began; infinite: there is none."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return self._work.qsize()

    def later(self, work: Work) -> None:
        """Have it done some time."""
        self._work.put((work, NOBODY_WAITS))

    def do(self, work: Work, within_s: float) -> bool:
        """Have it done; whether it was done in time. Behind work that hangs nobody waits."""
        if threading.current_thread() is self._thread:
            work()
            return True
        return self.wait(self.begin(work), within_s)

    def begin(self, work: Work) -> threading.Lock:
        """Have it done some time; hands back what to `wait` for."""
        done = threading.Lock()
        done.acquire()
        self._work.put((work, done))
        return done

    def wait(self, done: threading.Lock, within_s: float) -> bool:
        """Whether it is done, at the latest in time; not waited for behind work that hangs."""
        within_s = max(0.0, within_s)
        hangs = self._clock.monotonic() - self._began > within_s
        is_done = done.acquire(blocking=False) if hangs else done.acquire(timeout=within_s)
        if is_done:
            done.release()  # others may wait for it too
        return is_done

    def _run(self) -> None:
        while True:
            work, done = self._work.get()
            self._began = self._clock.monotonic()
            try:
                work()
            except Exception:
                # The next change must be kept though this one could not be.
                log.exception("state not kept")
            self._began = float("inf")
            if done is not NOBODY_WAITS:
                done.release()


class Keeper:
    """A store whose disk may hang."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._lines, self._disk = Worker("journal", clock), Worker("journal to disk", clock)
        self.patience_s = UNHURRIED_S
        """How long a change may take; less once alerts are on air."""
        self._clock, self._left_s, self._waited_at = clock, UNHURRIED_S, clock.monotonic()
        self._newest: threading.Lock | None = None
        """What is to be waited for: as lines are written in order, everything before it too."""
        self._hangs = False
        self._is_behind = False
        """Somebody waited in vain, and not all that was noted since is written."""
        self._lacks = False
        self._shortening, self._syncing = threading.Lock(), threading.Lock()
        self._closings: list[Work] = []
        self._followers: list[Work] = []

    def put(self, event: Event) -> None:
        """Note an event's newest state; it is written when `settle` returns."""
        self._note(lambda: self._store.put(event))

    def remove(self, event_id: str) -> None:
        """Forget an event, likewise."""
        self._note(lambda: self._store.remove(event_id))

    def also(self, work: Work) -> bool:
        """Have something else written, in turn with the events; False: it will not be."""
        return self._note(work)

    def reserve_number(self, end: int) -> None:
        """Promise that numbers below `end` may be in use.

        Raises:
            OSError: the disk refuses, or does not do it in time (it may do it later).
        """
        failed: list[OSError] = []

        def reserve() -> None:
            try:
                self._store.reserve_number(end)
            except OSError as error:
                failed.append(error)

        if not self._disk.do(reserve, self.patience_s):
            raise OSError("the disk does not answer")
        if failed:
            raise failed[0]

    def keep_epoch(self, epoch: int) -> None:
        """Note the epoch that is in use; waits for nothing."""
        self._disk.later(lambda: self._store.keep_epoch(epoch))

    def keep_short(self, events: Iterable[Event]) -> None:
        """Begin the journal anew when it is long or lacks something; waits for nothing.

        To be called by whoever holds the lock under which events change and are noted.
        """
        if self._shortening.acquire(blocking=False):  # else the last one has yet to be done
            held = list(events)
            self._lines.later(lambda: self._shorten(held))

    def _shorten(self, held: list[Event]) -> None:
        try:
            if self._lacks:
                self._store.compact(held)
                self._lacks = False
            self._store.keep_short(held)
        finally:
            self._shortening.release()

    def sync(self, also: Work) -> None:
        """Bring to the disk what is written, and do what else waits for it; waits for nothing."""
        if self._syncing.acquire(blocking=False):
            self._disk.later(lambda: self._sync(also))

    def _sync(self, also: Work) -> None:
        try:
            also()
            self._store.sync()
            self._follow()
        finally:
            self._syncing.release()

    def after_sync(self, work: Work) -> None:
        """Have something else brought to the disk each time, after what was noted before it."""
        self._followers.append(work)

    def _follow(self) -> None:
        for work in self._followers:
            work()

    def at_close(self, work: Work) -> None:
        """Have something else closed first, where everything noted before is written."""
        self._closings.append(work)

    def close(self) -> None:
        """Bring everything to the disk and let another process have the files, if it answers."""
        written = self._lines.do(lambda: None, UNHURRIED_S)
        if not written or not self._disk.do(self._close, UNHURRIED_S):
            log.error("the disk does not answer: the end is not kept")

    def _close(self) -> None:
        for work in self._closings:
            work()
        self._store.sync()
        self._follow()
        self._store.close()

    def settle(self) -> None:
        """Wait until what was noted is written, as long as an alert can bear.

        Once that was too short nobody waits until the disk has caught up: one that is slow but does
        not hang would cost every alert as much. Nor may many that are just quick enough add up:
        what is more than ordinary is taken off a common store of patience. And whatever goes wrong
        here, who is told after it is told.
        """
        try:
            self._settle()
        except Exception:
            log.exception("state may not be kept")

    def _settle(self) -> None:
        newest = self._newest
        if newest is None:
            return
        if not self._wait(newest):
            self._is_behind = True
            self._tell_hanging()
        elif self._hangs:
            self._hangs = False
            log.warning("the disk answers again")

    def _wait(self, newest: threading.Lock) -> bool:
        """Whether all is written; what the wait took beyond `ORDINARY_S` is missing to the next."""
        began = self._clock.monotonic()
        regained_s = (began - self._waited_at) * PATIENCE_SHARE
        left_s = self.patience_s
        if left_s <= PATIENCE_S:
            left_s = min(left_s, self._left_s + regained_s)
        written = self._lines.wait(newest, 0.0 if self._is_behind else left_s)
        self._waited_at = self._clock.monotonic()
        self._left_s = max(0.0, left_s - max(0.0, self._waited_at - began - ORDINARY_S))
        return written

    def _note(self, work: Work) -> bool:
        if self._is_behind and self._newest and self._lines.wait(self._newest, 0.0):
            self._is_behind = False
        if len(self._lines) < MOST_WAITING:
            self._newest = self._lines.begin(work)
            return True
        self._lacks = True
        self._tell_hanging()
        return False

    def _tell_hanging(self) -> None:
        metrics.STATE_ERRORS.inc()
        if not self._hangs:
            self._hangs = True
            log.error("the disk does not answer: alerts go on, what changes is kept when it does")
