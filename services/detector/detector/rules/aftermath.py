"""Aftermath: a vehicle whose motion may have broken off in a crash, and that stands since.

The judge of impacts is sure of most crashes at once (`rules.impact`). Where it is in doubt, what
follows tells: after a jolt in traffic the vehicle drives on, after a crash it stands where it
never stood before, as secondary evidence does in the literature (stop after abrupt deceleration,
Ijjina et al. 2019, arXiv 1911.10037).
"""

from __future__ import annotations

import numpy as np

from detector.impact.verdict import Impact
from detector.rules.hypothesis import Hypothesis, Observation
from detector.rules.impact import collision
from detector.rules.occupancy import was_taken
from detector.tracking.history import Column
from detector.tracking.motion import feet
from detector.tracking.tracks import FAST_BLPS, Track
from hazardcast.vision.geometry import boxes
from hazardcast.vision.geometry.boxes import Floats, Label
from hazardcast.vision.geometry.proximity import side

LEAST_HELD, LEAST_PEAK = 0.3, 0.6
"""Less likely jolts are nothing, whatever follows: chosen like the thresholds of `rules.impact`."""
LEAST_SCORE = 0.3
CAME_S, LEAST_WAY_BL = 1.5, 0.5
"""From so long before the jolt it must have come so far: who stands and is passed by another, whose
box it takes over, has not."""
LEAST_JUMP, SUDDEN, STEPS = 0.45, 3.0, 4
"""A step of this share of the way, so many times as fast as those before, is onto another's box."""
MOST_USUAL = 1
"""Where more than this many others have stopped before, stopping is a habit of the place."""


def aftermaths(seen: Observation) -> list[Hypothesis]:
    """Every doubtful jolt whose vehicle has come to rest where nothing stood before."""
    tracks = {track.track_id: track for track in seen.tracks}
    found = []
    for impact in seen.rested:
        track = tracks.get(impact.track_id)
        if track is None or not is_doubtful(impact):
            continue
        if has_come(track, impact.t) and not is_usual(track, impact.t, seen):
            place = boxes.joined(impact.place, track.box)
            found.append(collision(impact, place, stands=True))
    return found


def is_doubtful(impact: Impact) -> bool:
    """Whether it was likely enough to be believed once the vehicle stands."""
    suspicion, told = impact.suspicion, impact.told
    sure = impact.label is not Label.OBJECT and told["score"] >= LEAST_SCORE
    # Who was slow already comes to rest gently, whatever else jolted the boxes.
    fast = told["before"] >= FAST_BLPS
    return sure and fast and suspicion.held >= LEAST_HELD and suspicion.peak >= LEAST_PEAK


def has_come(track: Track, t: float) -> bool:
    """Whether the vehicle that jolted at `t` has come from elsewhere, by its own way."""
    rows = track.history.since(t - CAME_S)
    places = feet(rows)
    way_px = float(np.hypot(*(places[-1] - places[0])))
    far = way_px >= LEAST_WAY_BL * side(track.box.tolist())
    return far and not has_jumped(places, rows[:, Column.T], way_px)


def has_jumped(places: Floats, times: Floats, way_px: float) -> bool:
    """Whether most of the way from the first of `places` (N, 2) px was one sudden step."""
    steps = np.hypot(*np.diff(places, axis=0).T)
    speeds = steps / np.diff(times)
    longest = int(steps.argmax())
    before = speeds[max(0, longest - STEPS) : longest]
    if not len(before) or steps[longest] < LEAST_JUMP * way_px:
        return False
    return bool(speeds[longest] >= SUDDEN * np.median(before))


def is_usual(track: Track, t: float, seen: Observation) -> bool:
    """Whether it, or another, stood here before `t`, or others have stopped here before."""
    if was_taken(track, t, seen, unknown=True):
        return True
    foot = feet(track.history.rows[-1:])[0]
    return seen.habits.usual(t, foot, side(track.box.tolist()), [track.track_id]) > MOST_USUAL
