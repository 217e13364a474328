"""Collision: a vehicle that moved stops far faster than a driver stops, and stays.

Contact alone proves nothing: boxes of passing vehicles touch in most frames of normal traffic. What
tells a crash is the abrupt end of motion together with its aftermath. The more there is at the
onset (contact, abruptness, crossing headings, two vehicles), the shorter the aftermath must be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from detector.boxes import Floats
from detector.motion import Stop, last_stop
from detector.rules.hypothesis import Hypothesis, Observation
from detector.tracks import Track
from hazardcast.catalogue import IncidentType

LEAST_WIDTH = 0.035
"""Vehicles smaller than this (√(w·h) over frame width) are too few pixels to judge."""
LEAST_SCORE = 0.38
LEAST_APPROACH_BLPS = 0.8
LEAST_TRAVELLED_BL = 1.0
LEAST_STRAIGHTNESS = 0.75
FORGOTTEN_S = 15.0
"""Stops longer ago than this are no news."""
CONTACT_GAP_BL = 0.15
GROUND_GATE = 0.6
"""Boxes touch on the ground only if their lower edges differ by less than this share of height."""
CROSSING_BLPS2, CONTACT_BLPS2, ALONE_BLPS2 = 0.5, 1.4, 1.8
"""Least deceleration: of two that cross, touch and both stop; of one that touches another; of one
alone. Drivers who join a queue reach 1.3; in normal clips with contact 0.9 was the most."""
ALONE_TRAVELLED_BL, ALONE_SCORE = 1.4, 0.45
APART_S = 3.0
APART_BL = 0.1
CROSSING_COS = 0.85


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
    for track, stop in stopped:
        impact = _impact(track, stop, seen.tracks, dict_of(stopped))
        needed_s = aftermath_s(impact)
        if needed_s is None or stop.held_s < needed_s:
            continue
        # A vehicle that passes a standing one may take over its box, and seems to stop there.
        if seen.dwell.taken_before(track.box, stop.braking_t, track.track_id):
            continue
        usual = seen.habits.usual(stop.rest_t, _foot(track), stop.size_px, [track.track_id])
        if usual >= 2 and stop.held_s < needed_s + 4.0:
            continue
        found.append(_hypothesis(impact, usual))
    return found


def dict_of(stopped: list[tuple[Track, Stop]]) -> dict[int, Stop]:
    """Stops by track."""
    return {track.track_id: stop for track, stop in stopped}


def _recent_stops(seen: Observation) -> Iterator[tuple[Track, Stop]]:
    for track in seen.tracks:
        if not track.label.is_vehicle or not track.was_fast_since(seen.t - FORGOTTEN_S):
            continue
        stop = last_stop(track.history)
        if stop and seen.t - stop.rest_t < FORGOTTEN_S and _believable(stop, seen.width):
            yield track, stop


def _believable(stop: Stop, width: int) -> bool:
    return (
        stop.size_px >= LEAST_WIDTH * width
        and stop.score >= LEAST_SCORE
        and stop.approach_blps >= LEAST_APPROACH_BLPS
        and stop.travelled_bl >= LEAST_TRAVELLED_BL
        and stop.straightness >= LEAST_STRAIGHTNESS
    )


def aftermath_s(impact: Impact) -> float | None:
    """How long the vehicle must have stood for this to be a collision; None: it is none."""
    stop = impact.stop
    touching = impact.gap_bl <= CONTACT_GAP_BL
    if touching and impact.crossing and impact.both and stop.deceleration_blps2 >= CROSSING_BLPS2:
        return 1.0
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
        if not were_apart(track, other, stop.rest_t) or closing_blps(track, other, stop) < 0.5:
            continue
        distance = closest_bl(track, other, stop)
        if distance < gap:
            best, gap = other, distance
    theirs = stops.get(best.track_id) if best else None
    crossing = theirs is not None and _cosine(stop.heading, theirs.heading) < CROSSING_COS
    both = theirs is not None and abs(theirs.rest_t - stop.rest_t) < 1.5
    return Impact(track, stop, best, gap, crossing, both)


def closest_bl(track: Track, other: Track, stop: Stop) -> float:
    """Smallest gap between two vehicles from braking to rest, in lengths of the smaller one."""
    closest = float("inf")
    for t in np.linspace(stop.braking_t, stop.rest_t, 4):
        mine, theirs = track.history.box_at(t), other.history.box_at(t)
        if on_same_ground(mine, theirs):
            closest = min(closest, gap_bl(mine, theirs))
    return closest


def were_apart(track: Track, other: Track, rest_t: float) -> bool:
    """Whether the two came together: boxes that always overlapped are one vehicle seen double."""
    start = max(track.first_t, other.first_t, rest_t - APART_S)
    moments = np.linspace(start, rest_t, 8)
    gaps = [gap_bl(track.history.box_at(t), other.history.box_at(t)) for t in moments]
    return max(gaps) > APART_BL


def closing_blps(track: Track, other: Track, stop: Stop) -> float:
    """Relative speed before braking; parts of one vehicle move alike. 0 if the other is too new."""
    start, end = stop.braking_t - 0.8, stop.braking_t
    if other.first_t > end - 0.3:
        return 0.0
    start = max(start, other.first_t, track.first_t)
    ways = []
    for one in (track, other):
        first, last = one.history.box_at(start), one.history.box_at(end)
        ways.append([(last[0] + last[2] - first[0] - first[2]) / 2, last[3] - first[3]])
    relative = np.hypot(ways[0][0] - ways[1][0], ways[0][1] - ways[1][1])
    return float(relative / max(stop.size_px, 1.0) / max(end - start, 0.1))


def on_same_ground(first: Floats, second: Floats) -> bool:
    """Whether two boxes may touch on the road rather than one behind the other."""
    height = max(first[3] - first[1], second[3] - second[1])
    return bool(abs(first[3] - second[3]) < GROUND_GATE * height)


def gap_bl(first: Floats, second: Floats) -> float:
    """Gap between two boxes in sizes of the smaller, negative when they overlap."""
    across = max(first[0], second[0]) - min(first[2], second[2])
    down = max(first[1], second[1]) - min(first[3], second[3])
    size = min(np.prod(first[2:] - first[:2]), np.prod(second[2:] - second[:2])) ** 0.5
    return float(max(across, down) / max(size, 1.0))


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
