"""Rollover: a vehicle whose outline changes abruptly as it crashes, and that then lies still."""

from __future__ import annotations

import numpy as np

from detector.rules.hypothesis import Hypothesis, Observation
from detector.rules.occupancy import was_taken
from detector.tracking.history import Column
from detector.tracking.motion import Stop
from detector.tracking.tracks import Track
from hazardcast.contract.incident_types import IncidentType
from hazardcast.vision.geometry.boxes import Floats, Label

ASPECT_JUMP = 0.75
"""Least change of ln(width / height): a car on its side is as much higher as it is shorter."""
JUMP_S = 1.2
"""It must happen within this time; a car that turns takes longer."""
LEAST_HELD_S = 1.0
LEAST_WIDTH = 0.05
LEAST_SCORE = 0.45
MOST_JUMP = 0.5
LEAST_APPROACH_BLPS = 1.0
LEAST_DECELERATION_BLPS2 = 1.5
FORGOTTEN_S = 15.0


def rollovers(seen: Observation) -> list[Hypothesis]:
    """Every vehicle that seems to have turned over."""
    found = []
    for track in seen.tracks:
        # The outline of a blob without class changes with every shadow and every neighbour.
        if (
            not track.label.is_vehicle
            or track.label is Label.OBJECT
            or not track.was_fast_since(seen.t - FORGOTTEN_S)
        ):
            continue
        stop = track.last_stop
        if stop is None or not _believable(stop, seen):
            continue
        if was_taken(track, stop.braking_t, seen):
            continue
        jump = aspect_jump(track.history.rows, stop)
        if jump >= ASPECT_JUMP:
            found.append(_hypothesis(track, stop, jump))
    return found


def _believable(stop: Stop, seen: Observation) -> bool:
    return (
        stop.held_s >= LEAST_HELD_S
        and seen.t - stop.rest_t < FORGOTTEN_S
        and stop.size_px >= LEAST_WIDTH * seen.width
        and stop.score >= LEAST_SCORE
        and stop.approach_blps >= LEAST_APPROACH_BLPS
        and stop.jump <= MOST_JUMP
        and stop.deceleration_blps2 >= LEAST_DECELERATION_BLPS2
    )


def aspect_jump(rows: Floats, stop: Stop) -> float:
    """Largest lasting change of ln(width / height) within `JUMP_S` around the stop, 0 if none."""
    times = rows[:, Column.T]
    aspect = np.log(
        np.maximum(rows[:, Column.X2] - rows[:, Column.X1], 1)
        / np.maximum(rows[:, Column.Y2] - rows[:, Column.Y1], 1)
    )
    after = aspect[times >= stop.rest_t]
    best = 0.0
    for moment in np.arange(stop.braking_t - 0.5, stop.rest_t + 0.3, 0.2):
        before = aspect[(times < moment) & (times >= moment - 0.8)]
        later = aspect[(times >= moment + JUMP_S / 2) & (times <= moment + JUMP_S / 2 + 0.8)]
        if len(before) >= 3 and len(later) >= 3 and len(after) >= 3:
            jump = float(np.median(later) - np.median(before))
            lasting = float(np.median(after) - np.median(before))
            if jump * lasting > 0:
                best = max(best, min(abs(jump), abs(lasting)))
    return best


def _hypothesis(track: Track, stop: Stop, jump: float) -> Hypothesis:
    return Hypothesis(
        type=IncidentType.ROLLOVER,
        onset_t=stop.braking_t,
        place=track.box,
        confidence=min(0.9, 0.45 + 0.4 * jump),
        track_ids=frozenset({track.track_id}),
        evidence={
            "aspect_jump": round(jump, 2),
            "approach_blps": round(stop.approach_blps, 2),
            "braking_s": round(stop.braking_s, 2),
            "held_s": round(stop.held_s, 2),
        },
    )
