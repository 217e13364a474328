"""What became of one announcement: who has told it, and when the console had it."""

from __future__ import annotations

import threading

from vehicle_agent import metrics
from vehicle_agent.announcement import Announcement

PATIENCE_S = 1.0
"""How long the row in the log waits for the time at which the console showed the line."""


class Telling:
    """One announcement on its way to the outputs, each of which works by itself."""

    def __init__(self, announcement: Announcement, monotonic: float) -> None:
        self.announcement = announcement
        self.displayed: tuple[float, float] | None = None
        """When the line was on its way to the reader, by wall and monotonic clock."""
        self._began = monotonic
        self._settled = threading.Event()
        self._told = threading.Lock()

    def told(self) -> None:
        """An output has told it; the first one counts."""
        if self._told.acquire(blocking=False):
            metrics.SHOWN[self.announcement.word].inc()

    def shown(self, now: float, monotonic: float) -> None:
        """The line is on its way to the reader."""
        self.displayed = (now, monotonic)
        self._settled.set()
        self.told()

    def not_shown(self) -> None:
        """The console failed, or something more important took the line's place."""
        self._settled.set()

    def displayed_at(self, monotonic: float) -> float | None:
        """When the line was shown; None where it was not within `PATIENCE_S`."""
        self._settled.wait(max(0.0, self._began + PATIENCE_S - monotonic))
        return self.displayed[0] if self.displayed else None
