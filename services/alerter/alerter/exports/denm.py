"""An alert as DENM, and as the JSON from which Vanetza-NAP makes and sends one. Pure.

Values are those of ETSI EN 302 637-3 V1.3.1 with TS 102 894-2 V1.3.1 (what is on the roads);
the JSON has the names of TS 103 831 V2.3.1, which differ, and Vanetza-NAP's units: seconds (of ITS
time), degrees and metres where the standard has 1 ms, 0.1 microdegrees, 1 cm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hazardcast.contract.errors import HazardcastError
from hazardcast.contract.incident_types import IncidentType
from hazardcast.contract.its_time import its_ms
from hazardcast.contract.messages import Alert

PROTOCOL_VERSION = 2
MESSAGE_ID_DENM = 1
TRANSMISSION_INTERVAL_MS = 500
MAX_STATION_ID, MAX_SEQUENCE_NUMBER = 4_294_967_295, 65_535
SEMI_AXIS_UNAVAILABLE, ORIENTATION_UNAVAILABLE = 4095, 3601
ALTITUDE_UNAVAILABLE, ALTITUDE_CONFIDENCE_UNAVAILABLE = 800_001, 15
HEADING_CONFIDENCE_UNAVAILABLE = 127
TERMINATION = {"cancel": 0, "negate": 1}
"""isCancellation by who began it, isNegation by somebody else."""

DISTANCES_M = (50, 100, 200, 500, 1_000, 5_000, 10_000)
"""Upper bounds of RelevanceDistance 0 to 6; beyond is 7, over10km."""

CAUSE_CHOICES: dict[IncidentType, str] = {
    IncidentType.COLLISION: "accident2",
    IncidentType.ROLLOVER: "accident2",
    IncidentType.FIRE: "stationaryVehicle94",
    IncidentType.BLOCKAGE: "impassability5",
    IncidentType.UNKNOWN: "hazardousLocation-ObstacleOnTheRoad10",
}
"""CauseCodeChoice of TS 102 894-2 V2.4.1, which names what release 1 only numbers."""

RELEASE_1_CAUSES = {(94, 6): (94, 0), (5, 0): (10, 0)}
"""Codes that release 2 added, and what a receiver of release 1 knows instead: a stationary vehicle,
an obstacle on the road."""


class NoDenmError(HazardcastError):
    """The alert has an identity that does not fit into a DENM."""


@dataclass(frozen=True)
class ActionId:
    """Who began the event, and under which number."""

    station: int
    number: int


def action_id(alert: Alert) -> ActionId:
    """`4097-17` as DENM's actionID; the number is counted modulo 65536, as its field is.

    Raises:
        NoDenmError: the event was not named by a station of ours.
    """
    station, _, number = alert.event_id.partition("-")
    if not (station.isdecimal() and number.isdecimal()) or int(station) > MAX_STATION_ID:
        raise NoDenmError(f"event_id {alert.event_id!r} is not STATION-NUMBER")
    return ActionId(int(station), int(number) % (MAX_SEQUENCE_NUMBER + 1))


def relevance_distance(distance_m: float) -> int:
    """The smallest RelevanceDistance (awarenessDistance) that covers `distance_m`."""
    return sum(distance_m > bound_m for bound_m in DISTANCES_M)


def release_1(alert: Alert) -> dict[str, Any]:
    """The DENM as the values of EN 302 637-3's ASN.1, enumerations as numbers."""
    action = action_id(alert)
    payload: dict[str, Any] = {"management": _management(alert, action)}
    if not alert.terminated:
        cause = (alert.cause_code, alert.sub_cause_code)
        code, sub_code = RELEASE_1_CAUSES.get(cause, cause)
        payload["situation"] = {
            "informationQuality": alert.information_quality,
            "eventType": {"causeCode": code, "subCauseCode": sub_code},
        }
        payload["location"] = {**_heading(alert), "traces": [[]]}
    return {
        "header": {
            "protocolVersion": PROTOCOL_VERSION,
            "messageID": MESSAGE_ID_DENM,
            "stationID": action.station,
        },
        "denm": payload,
    }


def _management(alert: Alert, action: ActionId) -> dict[str, Any]:
    ended = {"termination": TERMINATION[alert.status]} if alert.terminated else {}
    return {
        "actionID": {"originatingStationID": action.station, "sequenceNumber": action.number},
        "detectionTime": its_ms(alert.detection_time),
        "referenceTime": its_ms(alert.reference_time),
        **ended,
        "eventPosition": {
            "latitude": round(alert.lat * 1e7),
            "longitude": round(alert.lon * 1e7),
            "positionConfidenceEllipse": {
                "semiMajorConfidence": SEMI_AXIS_UNAVAILABLE,
                "semiMinorConfidence": SEMI_AXIS_UNAVAILABLE,
                "semiMajorOrientation": ORIENTATION_UNAVAILABLE,
            },
            "altitude": {
                "altitudeValue": ALTITUDE_UNAVAILABLE,
                "altitudeConfidence": ALTITUDE_CONFIDENCE_UNAVAILABLE,
            },
        },
        "relevanceDistance": relevance_distance(alert.awareness_distance_m),
        "relevanceTrafficDirection": alert.traffic_direction,
        "validityDuration": alert.validity_duration_s,
        "transmissionInterval": TRANSMISSION_INTERVAL_MS,
        "stationType": alert.station_type,
    }


def _heading(alert: Alert) -> dict[str, Any]:
    if alert.event_heading_deg is None:
        return {}
    value = round(alert.event_heading_deg * 10) % 3600
    confidence = HEADING_CONFIDENCE_UNAVAILABLE
    return {"eventPositionHeading": {"headingValue": value, "headingConfidence": confidence}}


def vanetza(alert: Alert) -> dict[str, Any]:
    """The DENM's payload as Vanetza-NAP reads it on `vanetza/in/denm`; it adds the header itself.

    `stationId` makes it send under the station that the alert names.
    """
    values = release_1(alert)
    management, location = values["denm"]["management"], values["denm"].get("location")
    payload = {
        "stationId": values["header"]["stationID"],
        "management": _in_its_units(management),
    }
    if location is not None:
        payload["situation"] = {
            "informationQuality": alert.information_quality,
            "eventType": {"ccAndScc": {CAUSE_CHOICES[alert.type]: alert.sub_cause_code}},
        }
        payload["location"] = {
            **_renamed_heading(location),
            "detectionZonesToEventPosition": location["traces"],
        }
    return payload


def _in_its_units(management: dict[str, Any]) -> dict[str, Any]:
    given, action = management["eventPosition"], management["actionID"]
    ellipse, altitude = given["positionConfidenceEllipse"], given["altitude"]
    ended = {name: management[name] for name in ("termination",) if name in management}
    return {
        "actionId": {
            "originatingStationId": action["originatingStationID"],
            "sequenceNumber": action["sequenceNumber"],
        },
        "detectionTime": management["detectionTime"] / 1000,
        "referenceTime": management["referenceTime"] / 1000,
        **ended,
        "eventPosition": {
            "latitude": given["latitude"] / 1e7,
            "longitude": given["longitude"] / 1e7,
            "positionConfidenceEllipse": {
                "semiMajorConfidence": ellipse["semiMajorConfidence"] / 100,
                "semiMinorConfidence": ellipse["semiMinorConfidence"] / 100,
                "semiMajorOrientation": ellipse["semiMajorOrientation"] / 10,
            },
            "altitude": {
                "altitudeValue": altitude["altitudeValue"] / 100,
                "altitudeConfidence": altitude["altitudeConfidence"],
            },
        },
        "awarenessDistance": management["relevanceDistance"],
        "trafficDirection": management["relevanceTrafficDirection"],
        "validityDuration": management["validityDuration"],
        "transmissionInterval": management["transmissionInterval"],
        "stationType": management["stationType"],
    }


def _renamed_heading(location: dict[str, Any]) -> dict[str, Any]:
    heading = location.get("eventPositionHeading")
    if heading is None:
        return {}
    named = {"value": heading["headingValue"], "confidence": heading["headingConfidence"]}
    return {"eventPositionHeading": named}
