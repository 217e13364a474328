"""A vehicle's jolt with the judgement of it."""

from __future__ import annotations

from dataclasses import dataclass

from detector.impact.voting import Suspicion
from hazardcast.vision.geometry.boxes import Floats, Label


@dataclass(frozen=True)
class Impact:
    """A vehicle's jolt, judged."""

    track_id: int
    partner_id: int | None
    """The vehicle that it touched, if one did."""
    t: float
    """When the velocity changed."""
    place: Floats
    """(4,) px the vehicle's box then and now."""
    suspicion: Suspicion
    """How likely it was a crash, as the net says, of late."""
    told: dict[str, float]
    """The numbers it was judged by."""
    label: Label = Label.CAR
