"""The only place that reads the machine's clocks."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """What a service may know about time."""

    def now(self) -> float:
        """Wall clock in epoch seconds (UTC)."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards; only differences mean anything."""
        ...

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        """Wait until `stop` is set (True) or `timeout_s` has passed (False)."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        """Wall clock in epoch seconds (UTC)."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since an arbitrary point (CLOCK_MONOTONIC)."""
        return time.monotonic()

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        """Wait until `stop` is set (True) or `timeout_s` has passed (False)."""
        return stop.wait(max(0.0, timeout_s))
