"""Keeping a table of processes running: who died, who is started again and when, how all are ended.

Nothing here touches the system: children are made by a function that the caller gives.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from hazardcast.machine.clock import Clock
from hazardcast.service.backoff import backoff_s
from hazardcast.service.processes import Process

GRACE_S = 10.0
"""Between asking a process to stop and ending it."""
POLL_S = 0.1
FIRST_BACKOFF_S = 1.0
MOST_BACKOFF_S = 30.0
SETTLED_S = 30.0
"""A process that lived this long is started again without the memory of earlier failures."""


class Running(Protocol):
    """A child as the supervisor sees it."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        ...

    def terminate(self) -> None:
        """Ask it to stop."""
        ...

    def reap(self) -> None:
        """End whatever is left of it and of what it started."""
        ...


@dataclass(frozen=True)
class Death:
    """A process ended without being asked."""

    name: str
    code: int
    lived_s: float
    again_in_s: float | None
    """When it is started again; None when it is not."""


@dataclass
class _Row:
    process: Process
    child: Running | None = None
    started: float = 0.0
    failures: int = 0
    due: float | None = None


class Supervisor:
    """Runs a table of processes; call `tick` a few times a second from one thread."""

    def __init__(
        self,
        table: Iterable[Process],
        spawn: Callable[[Process], Running],
        *,
        clock: Clock,
        restart: bool,
    ) -> None:
        self._rows = {process.name: _Row(process) for process in table}
        self._spawn = spawn
        self._clock = clock
        self._restart = restart

    def start(self) -> None:
        """Start everything, in the order of the table."""
        for row in self._rows.values():
            self._start(row)

    def add(self, process: Process) -> None:
        """Start one more."""
        self._rows[process.name] = _Row(process)
        self._start(self._rows[process.name])

    def _start(self, row: _Row) -> None:
        row.child = self._spawn(row.process)
        row.started = self._clock.monotonic()
        row.due = None

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each that runs."""
        return {name: row.child.pid for name, row in self._rows.items() if row.child}

    def tick(self) -> list[Death]:
        """Notice who died since the last call, and start again those whose time has come."""
        now = self._clock.monotonic()
        deaths = [death for row in self._rows.values() if (death := self._look_at(row, now))]
        for row in self._rows.values():
            if row.due is not None and now >= row.due:
                self._start(row)
        return deaths

    def _look_at(self, row: _Row, now: float) -> Death | None:
        code = row.child.poll() if row.child else None
        if row.child is None or code is None:
            return None
        row.child.reap()
        row.child = None
        lived_s = now - row.started
        row.failures = 0 if lived_s >= SETTLED_S else row.failures + 1
        again_in_s = self._wait_s(row) if self._restart else None
        row.due = None if again_in_s is None else now + again_in_s
        return Death(row.process.name, code, lived_s, again_in_s)

    @staticmethod
    def _wait_s(row: _Row) -> float:
        failures_before = max(0, row.failures - 1)
        return backoff_s(failures_before, first_s=FIRST_BACKOFF_S, most_s=MOST_BACKOFF_S)

    def stop(self, grace_s: float = GRACE_S) -> list[str]:
        """End everything, foundations last; returns the names of those that had to be killed."""
        killed = list(self._end(foundation=False, grace_s=grace_s))
        killed += self._end(foundation=True, grace_s=grace_s)
        return killed

    def _end(self, *, foundation: bool, grace_s: float) -> Iterator[str]:
        rows = [row for row in self._rows.values() if row.process.foundation is foundation]
        living = {row.process.name: row.child for row in rows if row.child}
        for row in rows:
            row.child, row.due = None, None
        for child in living.values():
            child.terminate()
        deadline = self._clock.monotonic() + grace_s
        patience = threading.Event()
        while any(child.poll() is None for child in living.values()):
            if self._clock.monotonic() >= deadline:
                break
            self._clock.wait(patience, POLL_S)
        for name, child in living.items():
            if child.poll() is None:
                yield name
            child.reap()
