"""What rules see, and what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from detector.fire.flames import Flame
from detector.impact.verdict import Impact
from detector.tracking.tracks import Track
from detector.view.background_history import Glimpses
from detector.view.learned import View
from detector.view.stationary import Dwell
from detector.view.usual_stops import Habits
from hazardcast.contract.incident_types import IncidentType
from hazardcast.vision.geometry.boxes import Floats


@dataclass(frozen=True)
class Observation:
    """One camera's view at one moment."""

    t: float
    width: int
    height: int
    tracks: Sequence[Track]
    """Confirmed tracks, those lost a moment ago included."""
    dwell: Dwell
    """Where vehicles stand now."""
    habits: Habits
    """Where vehicles usually stop in this view."""
    flames: Sequence[Flame] = ()
    past: Sequence[Track] = ()
    """Tracks that ended within the last half minute."""
    view: View | None = None
    """The ground and the usual traffic, as far as they are known."""
    glimpses: Glimpses | None = None
    """How the view looked over the last minute."""
    impacts: Sequence[Impact] = ()
    """Vehicles whose motion broke off a moment ago."""
    rested: Sequence[Impact] = ()
    """Vehicles whose motion broke off within the last seconds and that have come to rest since."""
    suspected: Mapping[int, float] = field(default_factory=dict)
    """Track → how likely, at most, it was of late that it has crashed; those that were judged."""


@dataclass(frozen=True)
class Hypothesis:
    """Something that may have happened, as one rule sees it at one moment."""

    type: IncidentType
    onset_t: float
    """When it began, by the rule's reckoning back."""
    place: Floats
    """(4,) the box that it fills."""
    confidence: float
    opens: bool = True
    """False: too weak to begin an incident, enough to say that one still goes on."""
    settled: bool = False
    """True: the rule has watched it for long enough itself, it need not be confirmed."""
    track_ids: frozenset[int] = frozenset()
    evidence: dict[str, Any] = field(default_factory=dict)
    """The numbers behind it, few and JSON-ready."""
