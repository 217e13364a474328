"""Worker processes: kept at a number, ended when they stand still, started anew when they died."""

from __future__ import annotations

import logging
import signal
import threading
from dataclasses import dataclass
from os import kill
from pathlib import Path

from hazardcast.machine.clock import Clock
from hazardcast.service.backoff import backoff_s
from hazardcast.service.processes import Child, Process, python_module
from privacy import folders as shelf
from privacy.claiming import free_the_dead
from privacy.folders import Folders
from privacy.plan import Plan
from privacy.worker import STATE

log = logging.getLogger(__name__)
STALLED_S = 60.0
"""A worker that holds a file and tells nothing for so long hangs; a blur module may."""
SETTLED_S = 30.0
STOPPING_S = 8.0


@dataclass
class _Place:
    """One worker's place."""

    number: int
    child: Child | None = None
    failures: int = 0
    not_before: float = 0.0
    started: float = 0.0
    last_state: bytes = b""
    told: float = 0.0
    restarts: int = 0


class Supervisor:
    """Keeps `workers` processes at work on a plan."""

    def __init__(
        self, plan: Plan, workers: int, *, clock: Clock, stalled_s: float = STALLED_S
    ) -> None:
        self._plan = plan
        self._folders = Folders(plan.root)
        self._clock = clock
        self._stalled_s = stalled_s
        self._places = [_Place(number) for number in range(1, workers + 1)]

    @property
    def pids(self) -> dict[int, int]:
        """Slot → process id of those that run."""
        return {
            place.number: place.child.pid
            for place in self._places
            if place.child and place.child.poll() is None
        }

    @property
    def restarts(self) -> int:
        """How often a worker was started again."""
        return sum(place.restarts for place in self._places)

    def look(self) -> None:
        """Start who is missing, end who hangs; what nobody holds any more waits again."""
        for place in self._places:
            self._look_at(place)
        free_the_dead(self._folders, keep=frozenset(self.pids))

    def _look_at(self, place: _Place) -> None:
        now = self._clock.monotonic()
        if place.child is not None:
            code = place.child.poll()
            if code is None:
                self._end_if_stalled(place, now)
                return
            self._buried(place, code, now)
        if now >= place.not_before:
            self._start(place, now)

    def _start(self, place: _Place, now: float) -> None:
        command = python_module("privacy.worker", f"{place.number}", self._plan.model_dump_json())
        place.child = Child(Process(f"privacy worker {place.number}", command), _hear)
        place.started = place.told = now
        place.last_state = b""

    def _buried(self, place: _Place, code: int, now: float) -> None:
        assert place.child
        place.child.reap()
        place.child = None
        place.restarts += 1
        place.failures = 0 if now - place.started >= SETTLED_S else place.failures + 1
        wait_s = backoff_s(max(0, place.failures - 1), first_s=0.5, most_s=30.0)
        place.not_before = now + (wait_s if place.failures else 0.0)
        log.warning("a worker ended", extra={"worker": place.number, "code": code})

    def _end_if_stalled(self, place: _Place, now: float) -> None:
        slot = self._folders.work / f"{place.number}"
        state = _read(slot / STATE)
        if state != place.last_state or not shelf.listed(slot):
            place.last_state, place.told = state, now
        elif now - place.told > self._stalled_s and place.child:
            log.error("a worker stands still and is ended", extra={"worker": place.number})
            kill(place.child.pid, signal.SIGKILL)

    def close(self) -> None:
        """Ask all to stop, and end who does not."""
        children = [place.child for place in self._places if place.child]
        for child in children:
            child.terminate()
        never, deadline = threading.Event(), self._clock.monotonic() + STOPPING_S
        while (
            any(child.poll() is None for child in children) and self._clock.monotonic() < deadline
        ):
            self._clock.wait(never, 0.05)
        for child in children:
            child.reap()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _hear(name: str, _stream: str, line: str) -> None:
    log.info("%s: %s", name, line)
