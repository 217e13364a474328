"""Blockage: a vehicle that stopped where traffic flows, while others pass it.

A queue is no blockage: there nobody passes, and vehicles stop where they always stop. So a stopped
vehicle must have been passed by others that go its way; without that it must stand for longer than
any signal holds traffic back.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from detector.boxes import Floats
from detector.dwell import Place
from detector.history import Column
from detector.motion import Stop, feet
from detector.rules.hypothesis import Hypothesis, Observation
from detector.tracks import Track
from hazardcast.catalogue import IncidentType

LEAST_HELD_S = 8.0
HELD_ALONE_S = 100.0
"""Longer than signals hold traffic back; then nobody need have passed."""
LEAST_PASSED = 2
LEAST_WIDTH = 0.03
LEAST_SCORE = 0.3
LEAST_TRAVELLED_BL = 0.8
LEAST_STRAIGHTNESS = 0.6
BESIDE_BL = 5.0
"""Passing happens within this lateral distance …"""
AHEAD_BL, BEHIND_BL = 0.6, 1.5
"""… and ends ahead of the stopped vehicle, having begun no further ahead than this."""
LEAST_WAY_BL = 1.2
MOST_USUAL = 1
"""Where more than this many others have stopped before, stopping is a habit of the place."""


def blockages(seen: Observation) -> list[Hypothesis]:
    """Every vehicle that has stood for long while others passed."""
    judged = (_judge(place, seen) for place in seen.dwell.places)
    return [hypothesis for hypothesis in judged if hypothesis]


def _believable(stop: Stop, seen: Observation) -> bool:
    return (
        stop.size_px >= LEAST_WIDTH * seen.width
        and stop.score >= LEAST_SCORE
        and stop.travelled_bl >= LEAST_TRAVELLED_BL
        and stop.straightness >= LEAST_STRAIGHTNESS
    )


def _judge(place: Place, seen: Observation) -> Hypothesis | None:
    stop = place.stop
    if stop is None or place.held_s < LEAST_HELD_S or not _believable(stop, seen):
        return None
    foot = np.array([(place.box[0] + place.box[2]) / 2, place.box[3]])
    usual = seen.habits.usual(stop.rest_t, foot, stop.size_px, [place.track_id])
    passed = passers(place, stop, (*seen.tracks, *seen.past))
    alone = place.held_s >= HELD_ALONE_S
    if usual > MOST_USUAL or (passed < LEAST_PASSED and not alone):
        return None
    return Hypothesis(
        type=IncidentType.BLOCKAGE,
        onset_t=stop.rest_t,
        place=place.box,
        confidence=min(0.9, 0.5 + 0.07 * passed + 0.002 * place.held_s),
        track_ids=frozenset({place.track_id}),
        evidence={
            "held_s": round(place.held_s, 1),
            "passed_by": passed,
            "approach_blps": round(stop.approach_blps, 2),
            "usual_stops": usual,
        },
    )


def passers(place: Place, stop: Stop, others: Iterable[Track]) -> int:
    """How many vehicles drove past the stopped one, in its direction, since it stands."""
    foot = np.array([(place.box[0] + place.box[2]) / 2, place.box[3]])
    return sum(other.label.is_vehicle and _passes(other, foot, stop) for other in others)


def _passes(other: Track, foot: Floats, stop: Stop) -> bool:
    rows = other.history.since(stop.rest_t)
    if len(rows) < 4 or rows[-1, Column.T] - rows[0, Column.T] < 0.3:
        return False
    relative = (feet(rows) - foot) / stop.size_px
    along = relative @ np.array(stop.heading)
    across = np.abs(relative @ np.array([-stop.heading[1], stop.heading[0]]))
    way = along[-1] - along[0]
    beside = across[np.abs(along).argmin()]
    ahead = along[-1] > AHEAD_BL and along[0] < BEHIND_BL
    return bool(ahead and way >= LEAST_WAY_BL and beside < BESIDE_BL)
