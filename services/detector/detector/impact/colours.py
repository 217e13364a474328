"""Whether a vehicle's place still has its colours, a moment after its jolt."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from detector.tracking.tracks import Track
from hazardcast.vision.geometry.boxes import Floats
from hazardcast.vision.pixels.colour_histogram import likenesses, looks
from hazardcast.vision.pixels.frame import Frame

KEPT_S = 4.0
APART_S = 0.3
"""It is compared with how it looked so long before its jolt."""


class Colours:
    """What one camera's vehicles looked like over the last seconds."""

    def __init__(self) -> None:
        self._known: dict[int, deque[tuple[float, Floats]]] = {}

    def reset(self) -> None:
        """Forget, as after a cut."""
        self._known.clear()

    def update(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Look at where the vehicles are, or were last seen."""
        alive = {track.track_id for track in tracks}
        self._known = {key: one for key, one in self._known.items() if key in alive}
        seen = looks(frame, np.array([track.box for track in tracks]).reshape(-1, 4))
        for track, look in zip(tracks, seen, strict=True):
            known = self._known.setdefault(track.track_id, deque())
            known.append((frame.t, look))
            while frame.t - known[0][0] > KEPT_S:
                known.popleft()

    def kept(self, track_id: int, jolt_t: float) -> float:
        """Share of its colours before the jolt that its place still has; 1 where unknown."""
        known = self._known[track_id]
        before = [look for t, look in known if t <= jolt_t - APART_S]
        if not before:
            return 1.0
        return float(likenesses(before[-1][None], known[-1][1][None])[0, 0])
