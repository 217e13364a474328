"""Blockage: a vehicle that stopped where traffic flows, while others pass it.

A queue is no blockage: there nobody passes, and vehicles stop where they always stop. So a stopped
vehicle must have been passed by others that go its way; without that it must stand for longer than
any signal holds traffic back.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from detector.rules.hypothesis import Hypothesis, Observation
from detector.tracking.history import Column
from detector.tracking.motion import Stop, feet, speeds_blps
from detector.tracking.tracks import STATIONARY_BLPS, Track
from detector.view.stationary import Place
from hazardcast.contract.incident_types import IncidentType
from hazardcast.vision.geometry.boxes import Floats, Label, cut_off

LEAST_HELD_S = 8.0
LATELY_S = 1.0
"""It must have been seen so lately: when a queue sets off, the next drive over its places."""
HELD_ALONE_S = 100.0
"""Longer than signals hold traffic back; then nobody need have passed, and it is no queue."""
LEAST_PASSED, MANY_PASSED = 2, 4
"""So many must have passed; more when nobody saw which way it came, and the traffic's is taken."""
LEAST_WIDTH = 0.03
LEAST_SCORE = 0.3
OTHER_LIKENESS, SAME_LIKENESS = 0.55, 0.8
"""The place looked otherwise before it stood there, or the same; between them boxes must tell."""
LEAST_TRAVELLED_BL = 0.8
LEAST_STRAIGHTNESS = 0.6
BESIDE_BL = 3.0
"""Passing happens within this lateral distance …"""
LEAST_ALIKE = 0.5
"""… by vehicles at least so large beside it: smaller ones drive on another road behind it …"""
AHEAD_BL, BEHIND_BL = 0.6, 1.5
"""… and ends ahead of the stopped vehicle, having begun no further ahead than this."""
LEAST_WAY_BL = 1.2
LEAST_ALONG = 1.3
"""So much further along than across (within 38° of its way): crossing traffic does not pass it."""
FLOWING_BLPS, MOST_STOOD_S = 0.5, 1.0
"""Who is slower now, or stood for longer meanwhile, waits as well: a queue that sets off passes
nobody."""
QUEUE_BL, LANE_BL = 3.0, 0.7
"""Who came to stand behind another, so near and no further aside, waits for that one; who stands so
near beside another in the next lane waits with it …"""
LEVEL_BL = 1.5
"""… unless that one stands this much further back: it may be stuck behind."""
MOST_USUAL = 1
"""Where more than this many others have stopped before, stopping is a habit of the place."""


def blockages(seen: Observation) -> list[Hypothesis]:
    """Every vehicle that has stood for long while others passed."""
    judged = (_judge(place, seen) for place in seen.dwell.places)
    return [hypothesis for hypothesis in judged if hypothesis]


def _judge(place: Place, seen: Observation) -> Hypothesis | None:
    if place.held_s < LEAST_HELD_S or seen.t - place.seen_t > LATELY_S:
        return None
    # One vehicle after another that drives on along the edge looks like one that stands.
    if cut_off(place.box, seen.width, seen.height):
        return None
    if not is_clear(place, seen.width) or not has_come(place):
        return None
    usual = seen.habits.usual(place.since_t, place.foot, place.size_px, [place.track_id])
    came = _way(place)
    heading = came if came is not None or not seen.view else seen.view.flow.heading(place.foot)
    passed = passers(place, heading, (*seen.tracks, *seen.past)) if heading is not None else 0
    enough = passed >= (MANY_PASSED if came is None else LEAST_PASSED)
    alone = place.held_s >= HELD_ALONE_S
    if usual > MOST_USUAL or not (enough or alone):
        return None
    if not alone and heading is not None and is_queuing(place, heading, seen.dwell.places):
        return None
    return Hypothesis(
        type=IncidentType.BLOCKAGE,
        onset_t=place.onset_t,
        place=place.box,
        confidence=min(0.9, 0.5 + 0.07 * passed + 0.002 * place.held_s),
        track_ids=frozenset({place.track_id}),
        evidence={
            "held_s": round(place.held_s, 1),
            "passed_by": passed,
            "likeness": None if place.likeness is None else round(place.likeness, 2),
            "usual_stops": usual,
        },
    )


def is_clear(place: Place, width: int) -> bool:
    """Whether what stands there is large enough, and surely enough a vehicle."""
    return place.size_px >= LEAST_WIDTH * width and place.score >= LEAST_SCORE


def has_come(place: Place) -> bool:
    """Whether it came there, by what the place looked like before or by how its boxes moved."""
    likeness = place.likeness
    # Background subtraction finds what looks otherwise: that it does is no second witness.
    recognised = place.label is not Label.OBJECT
    if likeness is not None and likeness <= OTHER_LIKENESS and recognised:
        return True
    always_there = likeness is not None and likeness >= SAME_LIKENESS
    return not always_there and place.stop is not None and _was_seen_to_come(place.stop)


def _was_seen_to_come(stop: Stop) -> bool:
    return stop.travelled_bl >= LEAST_TRAVELLED_BL and stop.straightness >= LEAST_STRAIGHTNESS


def _way(place: Place) -> Floats | None:
    """(2,) unit vector of the way it came; None when nobody saw it."""
    if place.stop is not None and _was_seen_to_come(place.stop):
        return np.array(place.stop.heading)
    if place.way is None:
        return None
    way: Floats = place.way / np.hypot(*place.way)
    return way


def is_queuing(place: Place, heading: Floats, others: Iterable[Place]) -> bool:
    """Whether somebody stands right ahead who stopped there first, or beside it: then they wait."""
    stopped = [other for other in others if other is not place and has_come(other)]
    if not stopped:
        return False
    relative = (np.array([other.foot for other in stopped]) - place.foot) / place.size_px
    along, across = relative @ heading, relative @ np.array([-heading[1], heading[0]])
    first = np.array([other.since_t < place.since_t for other in stopped])
    in_lane = np.abs(across) < LANE_BL
    ahead = first & in_lane & (along > 0)
    beside = ~in_lane & (np.abs(across) < QUEUE_BL) & (along > -LEVEL_BL)
    return bool(((ahead | beside) & (along < QUEUE_BL)).any())


def passers(place: Place, heading: Floats, others: Iterable[Track]) -> int:
    """How many vehicles drove past the standing one, about its way, since it stands."""
    return sum(other.label.is_vehicle and _passes(other, place, heading) for other in others)


def _passes(other: Track, place: Place, heading: Floats) -> bool:
    rows = other.history.since(place.since_t)
    if len(rows) < 4 or rows[-1, Column.T] - rows[0, Column.T] < 0.3:
        return False
    relative = (feet(rows) - place.foot) / place.size_px
    along = relative @ heading
    across = relative @ np.array([-heading[1], heading[0]])
    way, aside = along[-1] - along[0], abs(across[-1] - across[0])
    nearest = np.abs(along).argmin()
    near = rows[nearest, Column.SIZE] >= LEAST_ALIKE * place.size_px
    beside = near and abs(across[nearest]) < BESIDE_BL
    ahead = along[-1] > AHEAD_BL and along[0] < BEHIND_BL
    along_it = way >= max(LEAST_WAY_BL, LEAST_ALONG * aside)
    # Its own number, when it drives on, was taken along by someone who passed.
    flowed = other.track_id == place.track_id or _flowed(other, rows)
    return bool(beside and ahead and along_it and flowed)


def _flowed(other: Track, rows: Floats) -> bool:
    """Whether it drove on: who stood meanwhile, or does now, is in the same queue."""
    stood = np.count_nonzero(speeds_blps(rows) < STATIONARY_BLPS)
    stood_s = stood / len(rows) * float(rows[-1, Column.T] - rows[0, Column.T])
    flows_now = not other.seen or other.speed_blps >= FLOWING_BLPS
    return bool(flows_now and stood_s < MOST_STOOD_S)
