"""Whether a report may be of an event that is known. Pure; times are the station's steady time."""

from __future__ import annotations

from alerter.ingest.placing import Place
from alerter.ingest.refusal import Reason, Refusal
from alerter.ingest.report_times import Report
from alerter.lifecycle import versions
from alerter.lifecycle.events import NOBODY, Event
from hazardcast.contract.geo import distance_m
from hazardcast.contract.incident_types import CAUSES
from hazardcast.contract.messages import Alert

WITHIN_M = 50.0
WITHIN_DEG = 0.0005
"""Of latitude: 55.6 m, and so never less than `WITHIN_M`."""
WITHIN_S = 30.0
REPEATED_WITHIN_S = 120.0
"""Reporters say the same again every minute or so; one that is silent for longer counts anew."""


def same_kind(event: Event, report: Report) -> bool:
    """Same type family; a rehearsal is never the same event as the real thing."""
    alert, incident = event.alert, report.incident
    same_family = CAUSES[alert.type].family == CAUSES[incident.type].family
    return same_family and alert.test == incident.test


def may_be_same(event: Event, report: Report, now: float) -> bool:
    """Same kind and time, as far as the event goes on."""
    return (
        event.in_force(now)
        and same_kind(event, report)
        and report.at <= event.evidence_at + WITHIN_S
        and report.at >= event.began_at - WITHIN_S
    )


def other_play(event: Event, report: Report) -> Refusal | None:
    """Why a rehearsal touches nothing real, and what is said in earnest no rehearsal."""
    incident, named = report.incident, report.incident.event_id
    if incident.test and not event.alert.test:
        return Refusal(Reason.UNKNOWN_EVENT, f"{named!r} is no rehearsal", "test")
    if event.alert.test and report.in_earnest and incident.status == "update":
        return Refusal(Reason.UNKNOWN_EVENT, f"{named!r} is a rehearsal", "test")
    return None


def repeated(event: Event, report: Report, place: Place) -> bool:
    """Whether a reporter says `new` once more, under its own id, of what it reported before."""
    recent = abs(report.at - event.evidence_at) <= REPEATED_WITHIN_S
    return recent and same_kind(event, report) and near(event.alert, place)


def said_over(event: Event, report: Report, place: Place) -> bool:
    """Whether a reporter goes on with what a person ended: the same, no graver, without a pause.

    What it calls by the same name but is of another kind, or graver, no person has judged.
    """
    incident, alert = report.incident, event.alert
    word = event.words.get(incident.event_id or NOBODY)
    heard_at = max(event.evidence_at, word.at) if word else event.evidence_at
    return (
        event.decided_by_person
        and abs(report.at - heard_at) <= REPEATED_WITHIN_S
        and same_kind(event, report)
        and not versions.is_graver(incident.severity, alert.severity)
        and (incident.status != "new" or near(alert, place))
    )


def near(alert: Alert, place: Place) -> bool:
    """Whether both may be one place; most events are told apart by their latitude alone."""
    apart_deg = abs(alert.lat - place.lat)
    return apart_deg <= WITHIN_DEG and away_m(alert, place) <= WITHIN_M


def away_m(alert: Alert, place: Place) -> float:
    """How far an alert is from a report's place, m."""
    return distance_m(alert.lat, alert.lon, place.lat, place.lon)
