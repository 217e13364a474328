"""Impact: a vehicle's motion breaks off as it does in a crash, by the judgement of trained trees.

The rule of `collision` waits for vehicles to stand; this one tells crashes whose vehicles spin
on, are pushed away or leave the picture, and tells them sooner. It goes by `impact.features`.
"""

from __future__ import annotations

import math
from typing import Any

from detector.impact.verdict import Impact
from detector.rules.hypothesis import Hypothesis, Observation
from hazardcast.contract.incident_types import IncidentType
from hazardcast.vision.geometry.boxes import Floats, Label

LEAST_HELD, LEAST_PEAK = 0.5, 0.75
"""Likelihood that has to last, and to be reached at least once meanwhile; chosen on clips that the
trees had not seen: `training/incidents/README.md`."""
BLOB_HELD, BLOB_PEAK = 0.75, 0.9
"""The same of blobs that background subtraction found: they merge and part as if they crashed."""
CALIBRATION = (1.71, 0.03)
"""Slope and offset of the log odds (Platt 1999), fitted on the same held-out judgements."""
SHOWN = ("change", "before", "after", "box_change", "gap", "mate_change", "stopped", "since")


def impacts(seen: Observation) -> list[Hypothesis]:
    """Every jolt that looks like a crash."""
    return [collision(impact, impact.place) for impact in seen.impacts if is_likely(impact)]


def is_likely(impact: Impact) -> bool:
    """Whether it was likely for long enough, and once very likely, that the vehicle crashed."""
    blob = impact.label is Label.OBJECT
    held, peak = (BLOB_HELD, BLOB_PEAK) if blob else (LEAST_HELD, LEAST_PEAK)
    return impact.suspicion.held >= held and impact.suspicion.peak >= peak


def confidence(likelihood: float) -> float:
    """How often an alarm of this likelihood was right among clips not learnt from."""
    odds = min(max(likelihood, 1e-3), 1 - 1e-3)
    slope, offset = CALIBRATION
    return 1 / (1 + math.exp(-(slope * math.log(odds / (1 - odds)) + offset)))


def collision(impact: Impact, place: Floats, **more: Any) -> Hypothesis:
    """The collision that a jolt tells of, at `place` (4,) px, with `more` evidence."""
    return Hypothesis(
        type=IncidentType.COLLISION,
        onset_t=impact.t,
        place=place,
        confidence=round(confidence(impact.suspicion.peak), 3),
        track_ids=frozenset({impact.track_id, impact.partner_id or impact.track_id}),
        settled=True,
        evidence={
            "likelihood": round(impact.suspicion.peak, 3),
            **{name: round(impact.told[name], 2) for name in SHOWN},
            **more,
        },
    )
