"""What the judge has said of each vehicle of late: one frame is luck, half a second is not."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

WINDOW_S = 0.6
LEAST_S, LEAST_JUDGED = 0.45, 3
"""A vehicle judged for less, or less often, within the window is not suspected yet."""
HELD_SHARE = 0.7
REMEMBERED_S = 8.0


@dataclass(frozen=True)
class Suspicion:
    """The likelihoods of one vehicle's crash over the last `WINDOW_S`."""

    held: float
    """What `HELD_SHARE` of them reached, the latest among them; 0 while there are too few."""
    peak: float
    """The greatest."""


class Suspicions:
    """Of one camera's vehicles."""

    def __init__(self) -> None:
        self._told: dict[int, deque[tuple[float, float]]] = {}

    def clear(self) -> None:
        """Forget, as after a cut."""
        self._told.clear()

    def forget(self, t: float) -> None:
        """Drop what was said longer than `REMEMBERED_S` before `t`."""
        for track_id, told in list(self._told.items()):
            while told and t - told[0][0] > REMEMBERED_S:
                told.popleft()
            if not told:
                del self._told[track_id]

    def add(self, track_id: int, t: float, likelihood: float) -> Suspicion:
        """Take one judgement into account."""
        told = self._told.setdefault(track_id, deque())
        told.append((t, likelihood))
        window = [one for one in told if t - one[0] <= WINDOW_S]
        likelihoods = sorted((value for _, value in window), reverse=True)
        enough = len(window) >= LEAST_JUDGED and t - window[0][0] >= LEAST_S
        held = likelihoods[math.ceil(HELD_SHARE * len(window)) - 1] if enough else 0.0
        return Suspicion(min(held, likelihood), likelihoods[0])

    @property
    def greatest(self) -> dict[int, float]:
        """Track → the greatest likelihood within `REMEMBERED_S`."""
        return {track_id: max(value for _, value in told) for track_id, told in self._told.items()}
