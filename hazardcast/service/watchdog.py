"""Warns when a turn of a loop that must not wait takes long, with the place where it hangs.

A loop says when a turn begins and ends, which costs it two stores and a look at the clock; one
thread looks ten times a second whether a turn is overdue, and then reads that thread's stack.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from pathlib import PurePath
from types import FrameType

from hazardcast.machine.clock import Clock
from hazardcast.service import metrics

log = logging.getLogger(__name__)
LIMIT_S = 0.25
LOOK_EVERY_S = 0.1
FRAMES_TOLD = 8
_IDLE = float("inf")
_WHOLE_PROCESS = "process"


class Turn:
    """What one loop is at; for the thread that runs the loop."""

    __slots__ = ("_monotonic", "began", "limit_s", "name", "thread")

    def __init__(self, name: str, monotonic: Callable[[], float], limit_s: float) -> None:
        self.name = name
        self.limit_s = limit_s
        self._monotonic = monotonic
        self.thread = 0
        self.began = _IDLE

    def begin(self) -> None:
        """A turn begins; one that had begun is over."""
        self.thread = threading.get_ident()
        self.began = self._monotonic()

    def end(self) -> None:
        """The loop waits for something to do: it may."""
        self.began = _IDLE


class Watchdog:
    """Looks after the turns that it gives out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turns: list[Turn] = []
        self._told: dict[str, float] = {}
        """Turns that were warned about and are not over: when each began."""
        self._looked_at = clock.monotonic()

    def turn(self, name: str, *, limit_s: float = LIMIT_S) -> Turn:
        """A loop's own; `name` is the metric's `stage`."""
        metrics.SLOW_TURNS.labels(stage=name)
        self._turns.append(Turn(name, self._clock.monotonic, limit_s))
        return self._turns[-1]

    def start(self, stop: threading.Event) -> None:
        """Watch until `stop`, on a thread of its own."""
        threading.Thread(target=self._run, args=(stop,), name="watchdog", daemon=True).start()

    def _run(self, stop: threading.Event) -> None:
        self._looked_at = self._clock.monotonic()
        while not self._clock.wait(stop, LOOK_EVERY_S):
            self.look(self._clock.monotonic())

    def look(self, now: float) -> None:
        """Warn of what is overdue, and tell of what goes on.

        When this look itself comes late, the whole process stood still (no processor to be had, or
        a call that holds Python's lock): then no loop is to blame for that time.
        """
        late_s = max(0.0, now - self._looked_at - LOOK_EVERY_S)
        self._looked_at = now
        if late_s > LIMIT_S:
            metrics.SLOW_TURNS.labels(stage=_WHOLE_PROCESS).inc()
            log.warning("the whole process stood still", extra={"for_ms": round(late_s * 1000)})
        for turn in self._turns:
            self._judge(turn, turn.began, now, late_s)

    def _judge(self, turn: Turn, began: float, now: float, late_s: float) -> None:
        told = self._told.get(turn.name)
        if told is not None and told != began:
            del self._told[turn.name]
            took_ms = round((now - told) * 1000)
            log.warning("a loop goes on", extra={"loop": turn.name, "after_ms": took_ms})
        elif told is None and now - began - late_s > turn.limit_s:
            self._told[turn.name] = began
            metrics.SLOW_TURNS.labels(stage=turn.name).inc()
            place = where(sys._current_frames().get(turn.thread))  # noqa: SLF001 - made for this
            for_ms = round((now - began) * 1000)
            log.warning("a loop hangs", extra={"loop": turn.name, "for_ms": for_ms, "at": place})


def where(frame: FrameType | None) -> str:
    """The innermost calls of a thread, the one that hangs first."""
    told: list[str] = []
    while frame is not None and len(told) < FRAMES_TOLD:
        code = frame.f_code
        told.append(f"{PurePath(code.co_filename).name}:{frame.f_lineno} {code.co_name}")
        frame = frame.f_back
    return " < ".join(told) or "a thread that is gone"


UNWATCHED = Turn("", lambda: _IDLE, _IDLE)
"""For a loop that nobody watches."""
