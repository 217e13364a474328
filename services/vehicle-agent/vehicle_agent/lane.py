"""An output on a thread of its own: what it raises, and how long it takes, concerns no other."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from hazardcast.machine.clock import Clock
from vehicle_agent import metrics
from vehicle_agent.fault import Fault
from vehicle_agent.giving_way import BEYOND_ALERTS, Claim, Source, first_to_go

QUEUE_LENGTH = 1000
STUCK_AFTER_S = 5.0

Job = Callable[[], object]
"""Returns False when there was nothing to do after all."""


def _nothing() -> None:
    pass


@dataclass
class Entry(Claim):
    """A job that waits."""

    about: str = ""
    """A later job about the same makes this one the first to give way; "": about nothing else."""
    job: Job = _nothing
    number: int = 0
    given_up: Callable[[], None] = _nothing
    """Called when it gave way."""


class Lane:
    """Does its jobs in the order they came; when it cannot keep up, see `giving_way`."""

    def __init__(
        self,
        kind: metrics.Part,
        clock: Clock,
        *,
        most: int = QUEUE_LENGTH,
        fault: Fault | None = None,
    ) -> None:
        self._kind = kind
        self._clock = clock
        self._most = most
        self.fault = fault or Fault(kind, clock)
        self._changed = threading.Condition()
        self._waiting: OrderedDict[int, Entry] = OrderedDict()
        self._newest: dict[str, int] = {}
        self._number = 0
        self._began: float | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._work, name=kind, daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    @property
    def works(self) -> bool:
        """Whether it has begun, and not ended."""
        return self._thread.is_alive()

    @property
    def idle(self) -> bool:
        """Whether nothing waits or is being done."""
        return not self._waiting and self._began is None

    def put(
        self,
        job: Job,
        *,
        source: Source | None = None,
        gravity: int = BEYOND_ALERTS,
        over: bool = False,
        about: str = "",
        given_up: Callable[[], None] = _nothing,
    ) -> None:
        """Have `job` done when it is its turn; never waits."""
        entry = Entry(source, gravity, over, about, job, given_up=given_up)
        with self._changed:
            self._number += 1
            if about:
                if earlier := self._waiting.get(self._newest.get(about, 0)):
                    earlier.over = True
                self._newest[about] = self._number
            entry.number = self._number
            self._waiting[entry.number] = entry
            gone = self._make_room()
            self._changed.notify()
        for entry in gone:
            metrics.UNANNOUNCED[self._kind].inc()
            entry.given_up()

    def _make_room(self) -> list[Entry]:
        if len(self._waiting) <= self._most:
            return []
        gone = first_to_go(self._waiting.values(), self._most)
        for entry in gone:
            self._forget(entry.number)
        return gone

    def _forget(self, number: int) -> Entry:
        entry = self._waiting.pop(number)
        if entry.about and self._newest.get(entry.about) == number:
            del self._newest[entry.about]
        return entry

    def look(self) -> None:
        """Notice a job that does not come back, such as a write to a terminal that is held."""
        began = self._began
        stuck = began is not None and self._clock.monotonic() - began > STUCK_AFTER_S
        if stuck and not self.fault.present:
            self.fault.failed("it takes nothing at present")

    def close(self, timeout_s: float) -> None:
        """Finish what waits, as far as the output takes it within `timeout_s`."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _work(self) -> None:
        while entry := self._next():
            self.fault.guard(entry.job)
            self._began = None

    def _next(self) -> Entry | None:
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            if not self._waiting:
                return None
            self._began = self._clock.monotonic()
            return self._forget(next(iter(self._waiting)))
