"""Tells the driver and the alerter, on a thread of its own.

The console, the disk and the broker may be slow; hearing the next datagram and slowing down must
not wait for them.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from hazardcast.bus import Bus
from hazardcast.clock import Clock
from hazardcast.messages import Receipt
from hazardcast.topics import RECEIPTS
from vehicle_agent import metrics
from vehicle_agent.alert_log import AlertLog
from vehicle_agent.announcement import Announcement, alert_line
from vehicle_agent.console import Console
from vehicle_agent.receipts import receipt

log = logging.getLogger(__name__)
QUEUE_LENGTH = 1000

Job = Callable[[], None]


class Announcer:
    """Does its jobs in the order they came; when it cannot keep up, new ones are dropped."""

    def __init__(
        self,
        vehicle: str,
        *,
        console: Console,
        alert_log: AlertLog,
        bus: Bus,
        clock: Clock,
        woken: threading.Event,
        also: Callable[[Announcement], None] | None = None,
    ) -> None:
        self._vehicle = vehicle
        self._console = console
        self._alert_log = alert_log
        self._bus = bus
        self._clock = clock
        self._woken = woken
        self._also = also
        self._jobs: queue.Queue[Job | None] = queue.Queue(QUEUE_LENGTH)
        self._thread = threading.Thread(target=self._work, name="announcer", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def close(self, timeout_s: float = 3.0) -> None:
        """Finish what is queued, as far as the console takes it."""
        self._enqueue(None)
        self._thread.join(timeout_s)

    def announce(self, announcement: Announcement) -> None:
        """Show an alert, log it, and say so to the alerter; wakes who watches the condition.

        The line comes first: whoever is woken would only compete with it for the processor. Where
        the console surely takes it and none waits before it, it is written here and now.
        """
        if shown := self._show_now(announcement):
            self._enqueue(lambda: self._follow_up(announcement, *shown))
        else:
            self._enqueue(lambda: self._announce(announcement))

    def _show_now(self, announcement: Announcement) -> tuple[float, float] | None:
        if not (self._thread.is_alive() and self.idle and self._console.ready()):
            return None
        try:
            return self._show(announcement)
        except OSError:
            return None  # the thread that may wait tries again, and tells what is wrong

    def irrelevant(self, announcement: Announcement) -> None:
        """Tell the alerter that a version arrived but does not concern this vehicle."""
        self._enqueue(lambda: self._irrelevant(announcement))

    def say(self, text: Callable[[float], str]) -> None:
        """Show a line that is made from the time it is shown at."""
        self._enqueue(lambda: self._console.line(text(self._clock.now())))

    def status(self, text: str) -> None:
        """Show how things stand, if nothing more urgent waits."""
        if self._jobs.empty():
            self._enqueue(lambda: self._console.status(text))

    @property
    def idle(self) -> bool:
        """Whether everything announced so far has been shown."""
        return self._jobs.unfinished_tasks == 0

    def _enqueue(self, job: Job | None) -> None:
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            metrics.UNANNOUNCED.inc()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:
                # A full disk or a closed console must not silence what comes after.
                log.exception("announcing failed")
            self._jobs.task_done()
        self._jobs.task_done()

    def _announce(self, announcement: Announcement) -> None:
        self._follow_up(announcement, *self._show(announcement))

    def _show(self, announcement: Announcement) -> tuple[float, float]:
        """Write the line; when it was on its way, by both clocks."""
        self._console.line(alert_line(announcement, self._clock.now()))
        return self._clock.now(), self._clock.monotonic()

    def _follow_up(
        self, announcement: Announcement, displayed_at: float, displayed_monotonic: float
    ) -> None:
        self._woken.set()
        metrics.SHOWN[announcement.word].inc()
        self._measure(announcement, displayed_at, displayed_monotonic)
        self._acknowledge(announcement, displayed_at, displayed_monotonic, shown=True)
        if self._also:
            self._also(announcement)
        self._alert_log.append(announcement, displayed_at)

    def _irrelevant(self, announcement: Announcement) -> None:
        metrics.IRRELEVANT.inc()
        now, monotonic = self._clock.now(), self._clock.monotonic()
        self._acknowledge(announcement, now, monotonic, shown=False)

    def _measure(self, announcement: Announcement, at: float, monotonic: float) -> None:
        sighting = announcement.sighting
        if sighting is None:
            return
        metrics.RECEIVE_TO_DISPLAY_S.observe(max(0.0, monotonic - sighting.received_monotonic))
        if sighting.trusted and not announcement.before_joining:
            metrics.SYNCED_LATENCY_S.observe(max(0.0, at - announcement.alert.confirmed_at))

    def _acknowledge(
        self, announcement: Announcement, at: float, monotonic: float, *, shown: bool
    ) -> None:
        if announcement.sighting is None:
            return
        proof: Receipt = receipt(
            self._vehicle,
            announcement.alert,
            announcement.sighting,
            result="displayed" if shown else "irrelevant",
            dealt_at=at,
            dealt_monotonic=monotonic,
            published_at=self._clock.now(),
            published_monotonic=self._clock.monotonic(),
            reception=announcement.reception,
        )
        self._bus.publish(RECEIPTS, proof, vehicle=self._vehicle)
