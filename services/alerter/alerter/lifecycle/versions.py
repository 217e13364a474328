"""The versions of an alert: the first, an update, a merge, a cancel. Values in, values out."""

from __future__ import annotations

import math
from typing import Any

from alerter.ingest.placing import Place
from alerter.ingest.report_times import Report
from hazardcast.contract.geo import distance_m
from hazardcast.contract.incident_types import (
    CAUSES,
    PROFILES,
    STATION_TYPE_ROAD_SIDE_UNIT,
    IncidentType,
    Severity,
    information_quality,
)
from hazardcast.contract.messages import Alert
from hazardcast.machine.steady import Moment

MOVED_M = 5.0
"""A correction smaller than this is noise of the detector, not news for a vehicle."""
ALL_DIRECTIONS, UPSTREAM = 0, 1  # TS 102 894-2 TrafficDirection
SEVERITY_ORDER = tuple(Severity)
CLOCK_STEP_S = 0.001
MAX_LIFE_S = 86_400
ABOUT_ITSELF = frozenset({"status", "revision", "reference_time", "confirmed_at"})
"""What a version says of itself, and not of the event."""
DATED_WITHIN_S = 1.0
"""How well the dates on the wire fit the clock; more is told as a version of its own."""


def first(event_id: str, report: Report, place: Place, now: float) -> Alert:
    """The version that announces a new event."""
    incident = report.incident
    return Alert(
        event_id=event_id,
        status="new",
        revision=0,
        detection_time=report.ts,
        reference_time=round(now, 3),
        confirmed_at=report.confirmed_at,
        station_type=STATION_TYPE_ROAD_SIDE_UNIT,
        ts=report.ts,
        information_quality=information_quality(incident.type, incident.confidence),
        lat=place.lat,
        lon=place.lon,
        road=place.road,
        distance_m=place.distance_m,
        event_heading_deg=place.heading_deg,
        clip_hint=incident.clip_hint,
        camera=incident.camera,
        test=incident.test,
        **_kind(incident.type, incident.reported_type),
        **_gravity(incident.severity),
        traffic_direction=_direction(incident.type, place.heading_deg),
    )


def _kind(incident_type: IncidentType, reported_type: str | None) -> dict[str, Any]:
    cause = CAUSES[incident_type]
    return {
        "type": incident_type,
        "reported_type": reported_type,
        "cause_code": cause.code,
        "sub_cause_code": cause.sub_code,
    }


def _gravity(severity: Severity) -> dict[str, Any]:
    profile = PROFILES[severity]
    return {
        "severity": severity,
        "validity_duration_s": profile.validity_s,
        "awareness_distance_m": profile.awareness_distance_m,
    }


def _direction(incident_type: IncidentType, heading_deg: float | None) -> int:
    """Whom it concerns: those who come up behind it; everyone if smoke drifts or nobody knows."""
    if heading_deg is None or incident_type in (IncidentType.FIRE, IncidentType.UNKNOWN):
        return ALL_DIRECTIONS
    return UPSTREAM


def merged(alert: Alert, report: Report) -> dict[str, Any]:
    """What another witness of the same event adds: it makes it graver or surer, never less so."""
    incident = report.incident
    changes: dict[str, Any] = {"clip_hint": alert.clip_hint or incident.clip_hint}
    if is_graver(incident.severity, alert.severity):
        changes |= _gravity(incident.severity)
    if _says_more(incident.type, alert.type):
        changes |= _retyped(alert, report)
    quality = information_quality(incident.type, incident.confidence)
    changes["information_quality"] = max(alert.information_quality, quality)
    return changes


def _says_more(reported: IncidentType, held: IncidentType) -> bool:
    if held is IncidentType.UNKNOWN:
        return reported is not IncidentType.UNKNOWN
    return held is IncidentType.COLLISION and reported is IncidentType.ROLLOVER


def _retyped(alert: Alert, report: Report) -> dict[str, Any]:
    incident = report.incident
    direction = _direction(incident.type, alert.event_heading_deg)
    return {**_kind(incident.type, incident.reported_type), "traffic_direction": direction}


def _rank(severity: Severity) -> int:
    return SEVERITY_ORDER.index(severity)


def is_graver(severity: Severity, than: Severity) -> bool:
    """Whether one is worse than the other."""
    return _rank(severity) > _rank(than)


def revised(alert: Alert, report: Report, place: Place) -> dict[str, Any]:
    """What the event's own producer corrects: all that it names, and nothing that it omits."""
    incident, named = report.incident, report.incident.model_fields_set
    changes: dict[str, Any] = {}
    if incident.type is not IncidentType.UNKNOWN and incident.type is not alert.type:
        changes |= _retyped(alert, report)
    if "severity" in named and incident.severity is not alert.severity:
        changes |= _gravity(incident.severity)
    if incident.confidence is not None:
        changes["information_quality"] = information_quality(
            changes.get("type", alert.type), incident.confidence
        )
    if place.reported and _moved(alert, place):
        changes |= {"lat": place.lat, "lon": place.lon}
    for name in ("road", "distance_m", "clip_hint"):
        if name in named and getattr(incident, name) is not None:
            changes[name] = getattr(incident, name)
    return changes


def _moved(alert: Alert, place: Place) -> bool:
    return distance_m(alert.lat, alert.lon, place.lat, place.lon) >= MOVED_M


def joined(alert: Alert, report: Report, *, away_m: float) -> dict[str, Any]:
    """What a report from `away_m` metres away adds, for want of room for an alert of its own.

    As a witness of the event, and everyone whom it concerns where it is must be told.
    """
    changes = merged(alert, report)
    concerns_m = math.ceil(away_m) + PROFILES[report.incident.severity].awareness_distance_m
    told_m = changes.get("awareness_distance_m", alert.awareness_distance_m)
    return changes | {"awareness_distance_m": max(told_m, concerns_m)}


def life_s(alert: Alert, changes: dict[str, Any], *, life_s: int, elapsed_s: float) -> int:
    """How long the event is valid from its beginning, `life_s` so far.

    Evidence from the second half of the validity prolongs it, so that it never runs out. Validity
    counts from the detection (EN 302 637-3 §8.2.1.5), which stays; so it grows instead.
    """
    full_s = PROFILES[changes.get("severity", alert.severity)].validity_s
    validity_s = int(changes.get("validity_duration_s", life_s))
    if elapsed_s > validity_s - full_s / 2:
        return min(MAX_LIFE_S, int(elapsed_s) + full_s)
    return validity_s


def told_validity_s(alert: Alert, *, ends_at: float, life_s: int, moment: Moment) -> int:
    """The validity that makes receivers end the alert at `ends_at` (steady time).

    It is the event's own unless the clock was set since the detection. Where the detection lies
    ahead by now, receivers count at most the validity from when they hear it: what remains.
    """
    dated_at = alert.detection_time - moment.set_by_s
    if abs(dated_at - (ends_at - life_s)) < DATED_WITHIN_S:
        return life_s
    return max(1, min(MAX_LIFE_S, round(ends_at - min(dated_at, moment.steady))))


def redated(alert: Alert, *, began_at: float, life_s: int, moment: Moment) -> Alert:
    """The alert with dates that fit the wall clock; the very same where they do already.

    A detection may be told anew as later, never as earlier: receivers would take it for an old
    word (EN 302 637-3 §8.2.1).
    """
    detected = round(began_at + moment.set_by_s, 3)
    dates: dict[str, Any] = {}
    if detected - alert.detection_time >= DATED_WITHIN_S:
        dates = {"detection_time": detected, "ts": detected}
    moved = alert.model_copy(update=dates)
    dates["validity_duration_s"] = told_validity_s(
        moved, ends_at=began_at + life_s, life_s=life_s, moment=moment
    )
    if all(getattr(alert, name) == value for name, value in dates.items()):
        return alert
    return _next(alert, {**dates, "status": "update"}, confirmed_at=moment.wall, now=moment.wall)


def says_the_same(version: Alert, before: Alert) -> bool:
    """Whether two versions differ in nothing but their version."""
    told, known = vars(version), vars(before)
    return all(value == known[name] for name, value in told.items() if name not in ABOUT_ITSELF)


def next_version(alert: Alert, changes: dict[str, Any], report: Report) -> Alert:
    """The same event, told anew; its reference time grows even if the clock went back."""
    return _next(alert, changes, confirmed_at=report.confirmed_at, now=report.received_at)


def by_person(alert: Alert, changes: dict[str, Any], *, decided_at: float, now: float) -> Alert:
    """The same event, told anew by an operator's word; latency counts from the decision."""
    return _next(alert, changes, confirmed_at=decided_at, now=now)


def _next(alert: Alert, changes: dict[str, Any], *, confirmed_at: float, now: float) -> Alert:
    return alert.model_copy(
        update=changes
        | {
            "revision": alert.revision + 1,
            "reference_time": round(max(now, alert.reference_time + CLOCK_STEP_S), 3),
            "confirmed_at": round(confirmed_at, 3),
        }
    )
