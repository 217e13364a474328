"""Whether the stations can still be heard: silence is never "all clear"."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

WARN_AFTER_S = 25.0
LOST_AFTER_S = 35.0
"""Heartbeats come every 10 s: three missed and a half."""


class LinkState(StrEnum):
    """How the link is."""

    WAITING = "waiting"
    OK = "ok"
    WARN = "warn"
    LOST = "lost"


@dataclass(frozen=True)
class LinkReport:
    """The link at one moment."""

    state: LinkState
    age_s: float | None
    """Since any station was heard; None when none ever was."""
    stopping: bool = False
    """The last word of the station heard last was that it stops."""


class Link:
    """When each station was heard last."""

    def __init__(self, monotonic: float) -> None:
        self._started = monotonic
        self._heard: dict[int, float] = {}
        self._stopping = False

    def heard(self, station: int, monotonic: float, *, stopping: bool = False) -> None:
        """An authentic, timely datagram of `station` arrived."""
        self._heard[station] = max(monotonic, self._heard.get(station, monotonic))
        self._stopping = stopping

    def age_s(self, station: int, monotonic: float) -> float:
        """Since `station` was heard; since the start if it never was."""
        return max(0.0, monotonic - self._heard.get(station, self._started))

    def silent_s(self, monotonic: float) -> float:
        """Since any station was heard; since the start if none ever was."""
        return max(0.0, monotonic - max(self._heard.values(), default=self._started))

    def report(self, monotonic: float) -> LinkReport:
        """How the link to the station heard last is."""
        age_s = self.silent_s(monotonic)
        state = _state(age_s, ever=bool(self._heard))
        return LinkReport(state, age_s if self._heard else None, self._stopping)


def _state(age_s: float, *, ever: bool) -> LinkState:
    if age_s >= LOST_AFTER_S:
        return LinkState.LOST
    if not ever:
        return LinkState.WAITING
    return LinkState.WARN if age_s >= WARN_AFTER_S else LinkState.OK
