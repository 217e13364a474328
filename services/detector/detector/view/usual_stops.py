"""Where vehicles usually stop in a view: at signals, crossings, bus stops and kerbs.

A stop where others have stopped before says little; a stop where nobody ever stops says much.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from hazardcast.vision.geometry.boxes import Floats

REMEMBERED = 400
NEAR_BL = 1.0
"""Stops closer than this (body lengths) are at the same place."""
LATER_S = 20.0
"""Stops within this time belong to the same queue or the same incident, not to habit."""


@dataclass
class Habits:
    """Past stops of one view."""

    _stops: deque[tuple[int, float, float, float, float]] = field(
        default_factory=lambda: deque(maxlen=REMEMBERED)
    )
    """Track, time, x and y of the bottom centre, size."""
    _known: set[int] = field(default_factory=set)

    def add(self, track_id: int, t: float, foot: Floats, size: float) -> None:
        """Remember that a track came to rest; only its first stop counts."""
        if track_id in self._known:
            return
        self._known.add(track_id)
        self._stops.append((track_id, t, float(foot[0]), float(foot[1]), size))

    def usual(self, t: float, foot: Floats, size: float, own: Iterable[int]) -> int:
        """How many others had stopped about here well before `t`."""
        others = [row for row in self._stops if row[0] not in own and row[1] < t - LATER_S]
        if not others:
            return 0
        rows = np.array(others)
        distance = np.hypot(rows[:, 2] - foot[0], rows[:, 3] - foot[1])
        return int(np.count_nonzero(distance < NEAR_BL * (size + rows[:, 4]) / 2))

    @property
    def known(self) -> bool:
        """Whether any stop is remembered."""
        return bool(self._stops)
