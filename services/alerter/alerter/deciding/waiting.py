"""An incident of a camera that is not broadcast, or not yet. Values; times are steady time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from alerter.ingest.placing import Place
from alerter.ingest.report_times import Report
from alerter.lifecycle import same_event, versions
from hazardcast.config.alerting import OnTimeout, Policy
from hazardcast.contract.geo import distance_m
from hazardcast.contract.incident_types import CAUSES, PROFILES
from hazardcast.contract.messages import Pending
from hazardcast.machine.steady import Moment

MOVED_M = 5.0
MOST_ALIASES = 64
MOST_PROLONGED_S = 300.0
"""So much longer than told a drop waits for a broker that is away."""
MOST_EVIDENCE = 40
"""Numbers of a detector's rule that are told on with what waits."""
MOST_HELD_S = 3600.0 + MOST_PROLONGED_S
"""No policy lets anything wait for longer."""
Withholding = Literal["confirm", "shadow"]
Closed = Literal["dropped", "withdrawn", "rejected"]
"""Nobody decided in time, or it was only noted; its camera took it back; a person did not believe
it."""


@dataclass(frozen=True)
class Waiting:
    """One incident, the reports of one camera about it, and until when it waits."""

    event_id: str
    camera: str
    mode: Withholding
    on_timeout: OnTimeout
    auto_confidence: float
    report: Report
    """The newest, at the time of the first."""
    place: Place
    confidence: float | None
    """The highest so far."""
    since: float
    decide_by: float
    seen_at: float
    """When its camera spoke of it last."""
    updated_at: float
    """When this revision was made."""
    aliases: tuple[str, ...] = ()
    """The camera's own ids of it, the newest `MOST_ALIASES`, last the newest."""
    revision: int = 0
    prolonged_s: float = 0.0
    """How much longer it waits, as no decision could come while the broker was away."""
    stale: bool = False
    """The station was away for too long to tell it as news; until its camera speaks of it again."""
    closed: Closed | None = None
    """It is over, and remembered so that what its camera goes on to say opens it no second time."""


def begun(event_id: str, report: Report, place: Place, policy: Policy, now: float) -> Waiting:
    """What a first report begins."""
    assert policy.mode != "auto"
    assert report.incident.camera
    held_s = policy.confirm_within_s
    if policy.mode == "shadow":
        held_s = PROFILES[report.incident.severity].validity_s
    return Waiting(
        event_id=event_id,
        camera=report.incident.camera,
        mode=policy.mode,
        on_timeout=policy.on_timeout if policy.mode == "confirm" else "drop",
        auto_confidence=policy.auto_confidence,
        report=report,
        place=place,
        confidence=report.incident.confidence,
        since=now,
        decide_by=now + held_s,
        seen_at=now,
        updated_at=now,
        aliases=_named((), report),
    )


def _named(known: tuple[str, ...], report: Report) -> tuple[str, ...]:
    named = report.incident.event_id
    return known if named is None or named in known else (*known, named)[-MOST_ALIASES:]


def again(item: Waiting, report: Report, place: Place, now: float) -> Waiting:
    """With another report of its camera; a new revision where a person would judge it anew."""
    newest = replace(report, ts=item.report.ts, at=item.report.at)
    confidence = max(filter(None, (item.confidence, report.incident.confidence)), default=None)
    aliases = _named(item.aliases, report)
    item = replace(item, aliases=aliases, seen_at=now, confidence=confidence, stale=False)
    if item.closed or not _news(item, report, place):
        return item
    revision = item.revision + 1
    return replace(item, report=newest, place=place, revision=revision, updated_at=now)


def _news(item: Waiting, report: Report, place: Place) -> bool:
    before, incident = item.report.incident, report.incident
    moved_m = distance_m(item.place.lat, item.place.lon, place.lat, place.lon)
    graver = versions.is_graver(incident.severity, before.severity)
    return graver or incident.type is not before.type or (place.reported and moved_m >= MOVED_M)


def named_by(item: Waiting, report: Report) -> bool:
    """Whether its own camera speaks of it by its own id."""
    incident, test = report.incident, item.report.incident.test
    named = incident.camera == item.camera and incident.event_id in item.aliases
    return named and incident.test == test


def taken_back_by(item: Waiting, report: Report) -> bool:
    """Whether its own camera takes it back, by either id; no rehearsal does so in earnest."""
    incident, test = report.incident, item.report.incident.test
    named = incident.event_id == item.event_id or incident.event_id in item.aliases
    return named and incident.camera == item.camera and (test or not incident.test)


def goes_on(item: Waiting, report: Report, now: float) -> bool:
    """Whether a camera only goes on with what is over: the same, no graver, without a pause.

    Under another id it is another incident, wherever it is: nobody has judged that one.
    """
    incident, before = report.incident, item.report.incident
    return (
        item.closed is not None
        and not is_forgotten(item, now)
        and named_by(item, report)
        and _same_kind(item, report)
        and not versions.is_graver(incident.severity, before.severity)
    )


def _same_kind(item: Waiting, report: Report) -> bool:
    incident, before = report.incident, item.report.incident
    same_family = CAUSES[incident.type].family == CAUSES[before.type].family
    return same_family and incident.test == before.test


def may_be_same(item: Waiting, report: Report, place: Place) -> bool:
    """Whether a report, whoever it is from, may be of the same event: as for alerts."""
    return (
        _same_kind(item, report)
        and report.at <= item.seen_at + same_event.WITHIN_S
        and report.at >= item.report.at - same_event.WITHIN_S
        and distance_m(item.place.lat, item.place.lon, place.lat, place.lon) <= same_event.WITHIN_M
    )


def is_forgotten(item: Waiting, now: float) -> bool:
    """Whether what is over need not be remembered: its camera is silent for long enough."""
    return item.closed is not None and now > item.seen_at + same_event.REPEATED_WITHIN_S


def pending(item: Waiting, moment: Moment) -> Pending:
    """What is told of it, dated by the wall clock."""
    incident, place = item.report.incident, item.place
    evidence = incident.evidence
    if evidence is not None and (len(evidence) > MOST_EVIDENCE or len(str(evidence)) > 4000):
        evidence = None
    told = incident.model_copy(
        update={
            "ts": item.report.ts,
            "lat": place.lat,
            "lon": place.lon,
            "road": place.road,
            "distance_m": place.distance_m,
            "confidence": item.confidence,
            "evidence": evidence,
        }
    )
    return Pending(
        event_id=item.event_id,
        revision=item.revision,
        mode=item.mode,
        incident=told,
        why=_why(item),
        confidence=item.confidence,
        auto_confidence=item.auto_confidence if item.mode == "confirm" else None,
        since=round(item.since + moment.set_by_s, 3),
        decide_by=round(item.decide_by + moment.set_by_s, 3),
        on_timeout=item.on_timeout,
        updated_at=round(item.updated_at + moment.set_by_s, 3),
    )


def _why(item: Waiting) -> str:
    if item.mode == "shadow":
        return "nothing of this camera and type is broadcast yet"
    if item.confidence is None:
        return f"no confidence told, {item.auto_confidence:g} needed"
    return f"confidence {item.confidence:.2f}, {item.auto_confidence:g} needed"
