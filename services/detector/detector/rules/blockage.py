"""Blockage: a vehicle that stopped where traffic flows, while others pass it.

A queue is no blockage: there nobody passes, and vehicles stop where they always stop. So a stopped
vehicle must have been overtaken by others that come from where it came from; without that it must
stand for longer than any signal holds traffic back.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from detector.history import Column
from detector.motion import Stop, feet, last_stop
from detector.rules.hypothesis import Hypothesis, Observation
from detector.tracks import Track
from hazardcast.catalogue import IncidentType

LEAST_HELD_S = 8.0
HELD_ALONE_S = 100.0
"""Longer than signals hold traffic back; then nobody need have passed."""
LEAST_OVERTAKEN = 2
LEAST_WIDTH = 0.03
LEAST_SCORE = 0.3
LEAST_TRAVELLED_BL = 0.8
LEAST_STRAIGHTNESS = 0.6
BESIDE_BL = 5.0
"""Overtaking happens within this lateral distance."""
AHEAD_BL = 0.6
MOST_USUAL = 1
"""Where more than this many others have stopped before, stopping is a habit of the place."""


def blockages(seen: Observation) -> list[Hypothesis]:
    """Every vehicle that has stopped for long while others passed."""
    found = []
    for track in seen.tracks:
        if not track.label.is_vehicle or seen.t - track.last_t > 10.0 or not track.stationary:
            continue
        if seen.t - track.first_t < LEAST_HELD_S or track.fast_t == float("-inf"):
            continue
        stop = last_stop(track.history)
        if stop is None or not _believable(stop, seen) or stop.held_s < LEAST_HELD_S:
            continue
        if hypothesis := _judge(track, stop, seen):
            found.append(hypothesis)
    return found


def _believable(stop: Stop, seen: Observation) -> bool:
    return (
        stop.size_px >= LEAST_WIDTH * seen.width
        and stop.score >= LEAST_SCORE
        and stop.travelled_bl >= LEAST_TRAVELLED_BL
        and stop.straightness >= LEAST_STRAIGHTNESS
    )


def _judge(track: Track, stop: Stop, seen: Observation) -> Hypothesis | None:
    foot = feet(track.history.rows[-1:])[0]
    usual = seen.habits.usual(stop.rest_t, foot, stop.size_px, [track.track_id])
    passed = overtakers(track, stop, (*seen.tracks, *seen.past))
    alone = stop.held_s >= HELD_ALONE_S
    if usual > MOST_USUAL or (passed < LEAST_OVERTAKEN and not alone):
        return None
    return Hypothesis(
        type=IncidentType.BLOCKAGE,
        onset_t=stop.rest_t,
        place=track.box,
        confidence=min(0.9, 0.5 + 0.07 * passed + 0.002 * stop.held_s),
        track_ids=frozenset({track.track_id}),
        evidence={
            "held_s": round(stop.held_s, 1),
            "overtaken_by": passed,
            "approach_blps": round(stop.approach_blps, 2),
            "usual_stops": usual,
        },
    )


def overtakers(track: Track, stop: Stop, others: Iterable[Track]) -> int:
    """How many vehicles drove past the stopped one, in its direction, since it stands."""
    place = feet(track.history.rows[-1:])[0]
    return sum(
        other is not track and other.label.is_vehicle and _overtakes(other, place, stop)
        for other in others
    )


def _overtakes(other: Track, place: np.ndarray, stop: Stop) -> bool:
    rows = other.history.since(stop.rest_t)
    if len(rows) < 4:
        return False
    relative = (feet(rows) - place) / stop.size_px
    along = relative @ np.array(stop.heading)
    across = np.abs(relative @ np.array([-stop.heading[1], stop.heading[0]]))
    beside = across[np.abs(along).argmin()]
    moved = rows[-1, Column.T] - rows[0, Column.T] > 0.3
    return bool(moved and along[0] < -AHEAD_BL and along[-1] > AHEAD_BL and beside < BESIDE_BL)
