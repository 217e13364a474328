"""Who stood there already: a vehicle that passes a standing one may take over its box."""

from __future__ import annotations

from detector.rules.hypothesis import Observation
from detector.tracking.tracks import Track

SAME_LIKENESS = 0.75
"""The place looked like this before: something stood there already."""


def was_taken(track: Track, t: float, seen: Observation, *, unknown: bool = False) -> bool:
    """Whether something stood before `t` where the track is now, as boxes or pixels tell.

    `unknown` is the answer where boxes tell of nothing and there are no pictures from before.
    """
    if seen.dwell.taken_before(track.box, t, track.track_id):
        return True
    likeness = seen.glimpses.likeness_to_past(track.box, t) if seen.glimpses else None
    return unknown if likeness is None else likeness >= SAME_LIKENESS
