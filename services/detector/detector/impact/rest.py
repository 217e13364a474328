"""What became of a vehicle that may have crashed: does it stand?

In traffic a vehicle drives on after a jolt, whether it braked, was hidden or took over another's
box; after a crash it stands within seconds, and keeps standing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from detector.impact.samples import Column
from detector.impact.verdict import Impact
from hazardcast.vision.geometry.boxes import Floats

FOLLOWED_S = 4.0
"""Who comes to rest later than this after a jolt does so for other reasons."""
REST_S = 1.2
STILL_BLPS = 0.12
"""Of its pixels, on average over `REST_S`; boxes may creep no faster than …"""
CREEP_BLPS = 0.2
SEEN_SHARE = 0.6


class Aftermaths:
    """The vehicles of one camera that jolted within the last seconds."""

    def __init__(self) -> None:
        self._jolted: dict[int, Impact] = {}

    def reset(self) -> None:
        """Forget, as after a cut."""
        self._jolted.clear()

    def update(
        self, t: float, impacts: Iterable[Impact], samples_of: Callable[[int], Floats]
    ) -> list[Impact]:
        """The likeliest of late of every vehicle that stands.

        Args:
            t: the frame's time.
            impacts: its jolts.
            samples_of: track → its samples (N, columns).
        """
        self._jolted = {key: one for key, one in self._jolted.items() if t - one.t <= FOLLOWED_S}
        for impact in impacts:
            known = self._jolted.get(impact.track_id, impact)
            self._jolted[impact.track_id] = max(known, impact, key=lambda one: one.suspicion.held)
        return [
            impact for track_id, impact in self._jolted.items() if stands(samples_of(track_id), t)
        ]


def stands(rows: Floats, t: float) -> bool:
    """Whether a vehicle with these samples (N, columns) has stood still for `REST_S` until `t`."""
    late = rows[rows[:, Column.T] >= t - REST_S - 1e-6]
    seen = late[late[:, Column.SEEN] > 0]
    covered = len(rows) > len(late) and len(seen) >= max(2, SEEN_SHARE * len(late))
    if not covered or late[-1, Column.T] < t or not late[-1, Column.SEEN]:
        return False
    still = float(np.hypot(late[:, Column.VX], late[:, Column.VY]).mean()) <= STILL_BLPS
    step = np.hypot(*(seen[-1] - seen[0])[[Column.X, Column.Y]]) / seen[-1, Column.SIZE]
    return still and float(step) <= CREEP_BLPS * REST_S
