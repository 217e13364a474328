"""Which speed a vehicle should keep to, given the alerts in force.

By severity, after `catalogue.PROFILES`: low informs, medium leaves 80 % of the cruising speed,
high 50 %, critical 30 %. Near the event more: at most 0.5 m/s within 500 m of a crash or fire, a
stop within 200 m of a blockage. These two rules hold at every severity, unless the owner chose them
`graded`: then the first holds from high on, the second at critical only. A rollover is a crash: it
has DENM's cause code of an accident, and a collision that proves to be one must not free the
vehicle. An unknown incident, a test and an event behind the vehicle inform only; so does everything
while it is not known to be fresh.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from hazardcast.contract.incident_types import CAUSES, PROFILES, IncidentType, Severity
from hazardcast.contract.messages import Alert
from vehicle_agent.relevance import Pose

Policy = Literal["owner", "graded"]
"""Whether the rules of what is near hold at every severity, or only where severity asks for it."""
CREEP_MPS = 0.5
CREEP_WITHIN_M = 500.0
_GRAVE = (Severity.HIGH, Severity.CRITICAL)
STOP_WITHIN_M = 200.0
LINK_HOLD_S = 10.0
"""How long a slow-down outlives the link to the station that asked for it."""


@dataclass(frozen=True)
class Concern:
    """An alert in force that is relevant to this vehicle."""

    alert: Alert
    trusted: bool
    """Known to be fresh, so that it may slow the vehicle down."""


@dataclass(frozen=True)
class Advice:
    """The speed to keep to, and the alert that asks for it."""

    target_mps: float
    alert: Alert


def advise(
    concerns: Iterable[Concern], pose: Pose, cruising_mps: float, policy: Policy = "owner"
) -> Advice | None:
    """The lowest speed that any alert asks for; None: no alert asks for less than cruising."""
    wanted = [
        Advice(target_mps, concern.alert)
        for concern in concerns
        if (target_mps := _target_mps(concern, pose, cruising_mps, policy)) < cruising_mps
    ]
    return min(wanted, key=lambda advice: (advice.target_mps, advice.alert.event_id), default=None)


def _target_mps(concern: Concern, pose: Pose, cruising_mps: float, policy: Policy) -> float:
    alert = concern.alert
    informs = alert.test or alert.type is IncidentType.UNKNOWN or pose.is_ahead(alert) is False
    if informs or not concern.trusted:
        return cruising_mps
    target_mps = cruising_mps * PROFILES[alert.severity].speed_factor
    limit_mps = _near_limit_mps(alert, distance_ahead_m(alert, pose), policy)
    return target_mps if limit_mps is None else min(target_mps, limit_mps)


def distance_ahead_m(alert: Alert, pose: Pose) -> float | None:
    """Distance to the event: from the vehicle's position, else as its reporter supplied it.

    A vehicle without a position hears a station because it is near it, and `distance_m` is the
    way from station to event.
    """
    measured_m = pose.distance_m(alert)
    return alert.distance_m if measured_m is None else measured_m


def _near_limit_mps(alert: Alert, distance_m: float | None, policy: Policy) -> float | None:
    if distance_m is None:
        return None
    family = CAUSES[alert.type].family
    if family in ("crash", "fire") and distance_m <= CREEP_WITHIN_M:
        return CREEP_MPS if policy == "owner" or alert.severity in _GRAVE else None
    if family == "blockage" and distance_m <= STOP_WITHIN_M:
        return 0.0 if policy == "owner" or alert.severity is Severity.CRITICAL else None
    return None
