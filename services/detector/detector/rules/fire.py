"""Fire: a region that looks and moves like fire or smoke and belongs to no vehicle that drives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from detector.fire.flames import Flame
from detector.rules.hypothesis import Hypothesis, Observation
from detector.tracking.history import Column
from detector.tracking.motion import feet
from hazardcast.contract.incident_types import IncidentType
from hazardcast.vision.geometry.boxes import Floats, areas, grown, intersections, joined

LEAST_PRESENCE = {"flames": 0.7, "smoke": 0.7}
LEAST_ACTIVITY = {"flames": 0.15, "smoke": 0.08}
"""Lamps, paint and what a parked vehicle hides look right but keep still."""
LEAST_MASS = {"flames": 0.7, "smoke": 20.0}
"""Cells; smoke fills some, or else it is spray, steam or an exhaust."""
LEAST_AGE_S = {"flames": 0.8, "smoke": 2.5}
PASSED_S = 1.5
"""What passed within this time may have left its lamps' colour behind."""
PASSING_BLPS = 0.4
COVERED_SHARE = 0.3
NEAR = 0.6
"""Regions less than this share of their sizes apart belong to one fire."""


def fires(seen: Observation) -> list[Hypothesis]:
    """Every region that burns or smokes; one too weak or explained by traffic opens no incident."""
    if not seen.flames:
        return []
    passing = _passing(seen)
    told = [
        _hypothesis(flame, opens=convincing(flame, seen.t) and not _explained(flame, passing))
        for flame in seen.flames
    ]
    return [*_together([one for one in told if one.opens]), *(one for one in told if not one.opens)]


def _together(told: list[Hypothesis]) -> list[Hypothesis]:
    """Tongues of one fire, and its smoke, are one: the surest of those that lie together."""
    burning: list[Hypothesis] = []
    for one in sorted(told, key=lambda h: -h.confidence):
        for number, known in enumerate(burning):
            if not intersections(*(grown(h.place[None], NEAR) for h in (one, known))).any():
                continue
            onset_t = min(one.onset_t, known.onset_t)
            burning[number] = replace(known, place=joined(one.place, known.place), onset_t=onset_t)
            break
        else:
            burning.append(one)
    return burning


def convincing(flame: Flame, t: float) -> bool:
    """Whether it looks right, moves, is large and has lasted enough."""
    return (
        flame.presence >= LEAST_PRESENCE[flame.kind]
        and flame.activity >= LEAST_ACTIVITY[flame.kind]
        and flame.mass >= LEAST_MASS[flame.kind]
        and t - flame.since_t >= LEAST_AGE_S[flame.kind]
    )


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
        confidence=round(min(0.97, 0.45 + 0.5 * flame.presence), 3),
        opens=opens,
        evidence={
            "seen": flame.kind,
            "presence": round(flame.presence, 2),
            "activity": round(flame.activity, 2),
            "cells": round(flame.mass, 1),
            "share": round(flame.share, 5),
        },
    )
