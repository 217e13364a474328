"""Fire: a region that looks and moves like fire and belongs to no vehicle that drives."""

from __future__ import annotations

import numpy as np

from detector.boxes import Floats, areas, intersections
from detector.flames import Flame
from detector.history import Column
from detector.motion import feet
from detector.rules.hypothesis import Hypothesis, Observation
from hazardcast.catalogue import IncidentType

PASSED_S = 1.5
"""What passed within this time may have left its lamps' colour behind."""
PASSING_BLPS = 0.4
COVERED_SHARE = 0.3
FULL_STRENGTH = 0.5


def fires(seen: Observation) -> list[Hypothesis]:
    """Every flame; one that a passing vehicle explains opens no incident."""
    if not seen.flames:
        return []
    passing = _passing(seen)
    return [_hypothesis(flame, opens=not _explained(flame, passing)) for flame in seen.flames]


def _passing(seen: Observation) -> Floats:
    """(N, 4) boxes in which something moved lately."""
    recent = (track.history.since(seen.t - PASSED_S) for track in seen.tracks)
    moving = [rows[:, Column.X1 : Column.Y2 + 1] for rows in recent if _moves_on(rows)]
    return np.concatenate(moving) if moving else np.zeros((0, 4))


def _moves_on(rows: Floats) -> bool:
    """Whether it got somewhere: what flickers in its place does not."""
    if len(rows) < 3:
        return False
    way = feet(rows[[0, -1]])
    net_bl = np.hypot(*(way[1] - way[0])) / rows[-1, Column.SIZE]
    return bool(net_bl > PASSING_BLPS * (rows[-1, Column.T] - rows[0, Column.T]))


def _explained(flame: Flame, passing: Floats) -> bool:
    if not len(passing):
        return False
    box = flame.box[None]
    shares = intersections(box, passing)[0] / np.maximum(areas(box)[0], 1.0)
    return bool(shares.max() > COVERED_SHARE)


def _hypothesis(flame: Flame, *, opens: bool) -> Hypothesis:
    return Hypothesis(
        type=IncidentType.FIRE,
        onset_t=flame.since_t,
        place=flame.box.astype(np.float64),
        confidence=min(0.95, 0.5 + 0.4 * min(1.0, flame.strength / FULL_STRENGTH)),
        opens=opens,
        evidence={
            "share": round(flame.share, 5),
            "presence": round(flame.presence, 2),
            "activity": round(flame.activity, 2),
        },
    )
