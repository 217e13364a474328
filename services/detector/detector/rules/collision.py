"""Collision: a vehicle that moved stops far faster than a driver stops, and stays.

Contact alone proves nothing: boxes of passing vehicles touch in most frames of normal traffic. What
tells a crash is the abrupt end of motion together with its aftermath. The more there is at the
onset (contact, abruptness, crossing headings, two vehicles), the shorter the aftermath must be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detector.rules.hypothesis import Hypothesis, Observation
from detector.rules.occupancy import was_taken
from detector.tracking.motion import Stop
from detector.tracking.tracks import Track
from hazardcast.contract.incident_types import IncidentType
from hazardcast.vision.geometry.boxes import Floats, Label
from hazardcast.vision.geometry.proximity import Box, gap_bl, on_same_ground

LEAST_WIDTH = 0.03
"""Vehicles smaller than this (√(w·h) over frame width) are too few pixels to judge."""
LEAST_SCORE = 0.3
LEAST_APPROACH_BLPS = 0.8
LEAST_TRAVELLED_BL = 1.0
LEAST_STRAIGHTNESS = 0.7
MOST_JUMP = 0.5
LEAST_SEEN_S = 0.45
"""For so long at least it was seen to approach."""
SHORTEST_AFTERMATH_S = 1.0
FORGOTTEN_S = 15.0
"""Stops longer ago than this are no news."""
CONTACT_GAP_BL = 0.3
CROSSING_BLPS2, CONTACT_BLPS2, ALONE_BLPS2 = 0.5, 1.2, 1.5
"""Least deceleration: of two that cross, touch and both stop; of one that touches another; of one
alone. Lower ones begin to take drivers who join a queue for crashes."""
ALONE_TRAVELLED_BL, ALONE_SCORE = 1.4, 0.38
LEAST_SUSPICION = 0.35
"""So likely the judge of impacts must have found it: boxes alone see crashes in queues."""
APART_S = 3.0
APART_BL = 0.1
LEAST_CLOSING_BLPS = 0.5
NEAR_BL, FAR_BL = 1.0, 2.5
"""Others further off than this, or than that at rest, are not looked at more closely."""
CROSSING_COS = 0.93


@dataclass(frozen=True)
class Impact:
    """A stop with what happened around it."""

    track: Track
    stop: Stop
    other: Track | None
    gap_bl: float
    crossing: bool
    """The other came from another direction."""
    both: bool
    """The other came to rest at the same time."""


def collisions(seen: Observation) -> list[Hypothesis]:
    """Every stop that looks like the end of a collision and has lasted long enough."""
    found = []
    stopped = list(_recent_stops(seen))
    stops = {track.track_id: stop for track, stop in stopped}
    for track, stop in stopped:
        if stop.held_s < SHORTEST_AFTERMATH_S:
            continue
        impact = _impact(track, stop, seen.tracks, stops)
        needed_s = aftermath_s(impact)
        if needed_s is None or stop.held_s < needed_s:
            continue
        if was_taken(track, stop.braking_t, seen):
            continue
        usual = seen.habits.usual(stop.rest_t, _foot(track), stop.size_px, [track.track_id])
        if usual >= 2 and stop.held_s < needed_s + 4.0:
            continue
        hypothesis = _hypothesis(impact, usual)
        plain = track.label is Label.OBJECT or (impact.crossing and impact.both)
        if plain or _supported(hypothesis.track_ids, seen.suspected):
            found.append(hypothesis)
    return found


def _supported(track_ids: frozenset[int], suspected: Mapping[int, float]) -> bool:
    """Whether the judge of impacts, who sees pixels, has not found it out of the question.

    Not asked about are blobs of background subtraction, of which the judge knows little, and two
    that cross and stop each other, which is as plain as boxes can tell.
    """
    judged = [suspected[track_id] for track_id in track_ids if track_id in suspected]
    return not judged or max(judged) >= LEAST_SUSPICION


def _recent_stops(seen: Observation) -> Iterator[tuple[Track, Stop]]:
    for track in seen.tracks:
        if not track.label.is_vehicle or not track.was_fast_since(seen.t - FORGOTTEN_S):
            continue
        stop = track.last_stop
        if stop and seen.t - stop.rest_t < FORGOTTEN_S and _believable(stop, seen.width):
            yield track, stop


def _believable(stop: Stop, width: int) -> bool:
    return (
        stop.size_px >= LEAST_WIDTH * width
        and stop.score >= LEAST_SCORE
        and stop.approach_blps >= LEAST_APPROACH_BLPS
        and stop.travelled_bl >= LEAST_TRAVELLED_BL
        and stop.straightness >= LEAST_STRAIGHTNESS
        and stop.jump <= MOST_JUMP
        and stop.travelled_bl >= LEAST_SEEN_S * stop.approach_blps
    )


def aftermath_s(impact: Impact) -> float | None:
    """How long the vehicle must have stood for this to be a collision; None: it is none."""
    stop = impact.stop
    touching = impact.gap_bl <= CONTACT_GAP_BL
    if touching and impact.crossing and impact.both and stop.deceleration_blps2 >= CROSSING_BLPS2:
        return SHORTEST_AFTERMATH_S
    if touching and stop.deceleration_blps2 >= CONTACT_BLPS2:
        return 1.2 if stop.deceleration_blps2 >= ALONE_BLPS2 else 1.8
    alone = stop.travelled_bl >= ALONE_TRAVELLED_BL and stop.score >= ALONE_SCORE
    return 2.5 if alone and stop.deceleration_blps2 >= ALONE_BLPS2 else None


def _impact(track: Track, stop: Stop, tracks: Sequence[Track], stops: dict[int, Stop]) -> Impact:
    best, gap = None, float("inf")
    for other in tracks:
        if other is track or not other.label.is_vehicle or other.hits < 5:
            continue
        if other.last_t < stop.braking_t - 0.3 or other.first_t > stop.rest_t - 0.3:
            continue
        distance = closest_bl(track, other, stop)
        if distance < min(gap, NEAR_BL) and were_separate(track, other, stop):
            best, gap = other, distance
    theirs = stops.get(best.track_id) if best else None
    crossing = theirs is not None and _cosine(stop.heading, theirs.heading) < CROSSING_COS
    both = theirs is not None and abs(theirs.rest_t - stop.rest_t) < 1.5
    return Impact(track, stop, best, gap, crossing, both)


def closest_bl(track: Track, other: Track, stop: Stop) -> float:
    """Smallest gap between two vehicles from braking to rest, in lengths of the smaller one."""
    closest = float("inf")
    for share in (1.0, 0.67, 0.33, 0.0):
        t = stop.braking_t + share * (stop.rest_t - stop.braking_t)
        mine, theirs = _box_at(track, t), _box_at(other, t)
        gap = gap_bl(mine, theirs)
        if gap > FAR_BL:
            return gap
        if on_same_ground(mine, theirs):
            closest = min(closest, gap)
    return closest


def were_separate(track: Track, other: Track, stop: Stop) -> bool:
    """Whether they came together; boxes that always overlap or move alike are one vehicle."""
    start = max(track.first_t, other.first_t, stop.rest_t - APART_S)
    moments = (start + share * (stop.rest_t - start) for share in (0.0, 0.15, 0.3, 0.5, 0.7, 0.85))
    apart = any(gap_bl(_box_at(track, t), _box_at(other, t)) > APART_BL for t in moments)
    return apart and closing_blps(track, other, stop) >= LEAST_CLOSING_BLPS


def closing_blps(track: Track, other: Track, stop: Stop) -> float:
    """Relative speed before braking; parts of one vehicle move alike. 0 if the other is too new."""
    start, end = stop.braking_t - 0.8, stop.braking_t
    if other.first_t > end - 0.3:
        return 0.0
    start = max(start, other.first_t, track.first_t)
    mine, theirs = (
        (_box_at(one, start), _box_at(one, end)) for one in (track, other)
    )  # fmt: skip
    across = sum(mine[1][0::2]) - sum(mine[0][0::2]) - sum(theirs[1][0::2]) + sum(theirs[0][0::2])
    down = mine[1][3] - mine[0][3] - theirs[1][3] + theirs[0][3]
    return math.hypot(across / 2, down) / max(stop.size_px, 1.0) / max(end - start, 0.1)


def _box_at(track: Track, t: float) -> Box:
    # Plain floats: for single boxes they are several times faster than arrays.
    box: Box = track.history.box_at(t).tolist()
    return box


def _cosine(first: tuple[float, float], second: tuple[float, float]) -> float:
    return first[0] * second[0] + first[1] * second[1]


def _foot(track: Track) -> Floats:
    box = track.box
    return np.array([(box[0] + box[2]) / 2, box[3]])


def _hypothesis(impact: Impact, usual: int) -> Hypothesis:
    stop, touching = impact.stop, impact.gap_bl <= CONTACT_GAP_BL
    boxes = [impact.track.box]
    ids = {impact.track.track_id}
    if touching and impact.other is not None:
        ids.add(impact.other.track_id)
        boxes.append(impact.other.history.box_at(stop.rest_t))
    stacked = np.array(boxes)
    confidence = 0.55
    confidence += 0.15 * touching + 0.1 * (stop.braking_s <= 0.5) + 0.1 * impact.both
    return Hypothesis(
        type=IncidentType.COLLISION,
        onset_t=stop.braking_t,
        place=np.concatenate([stacked[:, :2].min(0), stacked[:, 2:].max(0)]),
        confidence=min(0.95, confidence),
        track_ids=frozenset(ids),
        evidence={
            "approach_blps": round(stop.approach_blps, 2),
            "braking_s": round(stop.braking_s, 2),
            "deceleration_blps2": round(stop.deceleration_blps2, 2),
            "held_s": round(stop.held_s, 2),
            "gap_bl": round(min(impact.gap_bl, 99.0), 2),
            "crossing": impact.crossing,
            "both": impact.both,
            "usual_stops": usual,
        },
    )
