"""What each type and severity of incident means: DENM codes, validity, reach, advice.

Cause codes are those of ETSI TS 102 894-2 V2.4.1 (CauseCodeV2); validity and awareness distance
follow the severity, as DENM itself has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class IncidentType(StrEnum):
    """The kinds of incident that Hazardcast tells apart."""

    COLLISION = "collision"
    FIRE = "fire"
    BLOCKAGE = "blockage"
    ROLLOVER = "rollover"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How bad it is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Cause:
    """A DENM cause code with its sub-cause; types of one `family` may be the same event."""

    code: int
    sub_code: int
    family: str


@dataclass(frozen=True)
class SeverityProfile:
    """How long an alert of this severity holds, how far it reaches, how much speed it leaves."""

    validity_s: int
    awareness_distance_m: int
    speed_factor: float


CAUSES: dict[IncidentType, Cause] = {
    IncidentType.COLLISION: Cause(2, 0, "crash"),  # accident
    IncidentType.ROLLOVER: Cause(2, 2, "crash"),  # accident, heavyAccident
    IncidentType.FIRE: Cause(94, 6, "fire"),  # stationaryVehicle, vehicleOnFire
    IncidentType.BLOCKAGE: Cause(5, 0, "blockage"),  # impassability
    IncidentType.UNKNOWN: Cause(10, 0, "unknown"),  # hazardousLocation-ObstacleOnTheRoad
}

PROFILES: dict[Severity, SeverityProfile] = {
    Severity.LOW: SeverityProfile(300, 500, 1.0),
    Severity.MEDIUM: SeverityProfile(600, 1_000, 0.8),
    Severity.HIGH: SeverityProfile(900, 5_000, 0.5),
    Severity.CRITICAL: SeverityProfile(1_800, 5_000, 0.3),
}

STATION_TYPE_ROAD_SIDE_UNIT = 15  # TS 102 894-2 TrafficParticipantType
MAX_QUALITY_OF_UNKNOWN = 1


def information_quality(incident_type: IncidentType, confidence: float | None) -> int:
    """DENM informationQuality (0 unknown, 1 lowest … 7 highest) from a probability in [0, 1].

    ETSI leaves the scale open; ours is linear: 1 + floor(7 · confidence), at most 7.
    """
    if confidence is None:
        return 0
    quality = min(7, 1 + int(7 * confidence))
    return (
        min(quality, MAX_QUALITY_OF_UNKNOWN) if incident_type is IncidentType.UNKNOWN else quality
    )
