"""The life-cycle of alerts: reports in, versions out (after ETSI TS 103 831, EN 302 637-3 §8.1).

`new → update* → cancel | expire`. Pure but for its own memory: time and sequence are arguments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from alerter import versions
from alerter.ingress import Report
from alerter.placing import Place
from alerter.refusal import Reason, Refusal
from hazardcast.catalogue import CAUSES
from hazardcast.geo import distance_m
from hazardcast.messages import Alert

SAME_EVENT_WITHIN_M = 50.0
SAME_EVENT_WITHIN_DEG = 0.0005
"""Of latitude: 55.6 m, and so never less than `SAME_EVENT_WITHIN_M`."""
SAME_EVENT_WITHIN_S = 30.0
MAX_EVENTS = 500
"""As many as one core can seal and tick at 2 Hz with room for bursts."""
MAX_ALIASES = 64

Action = Literal["new", "update", "cancel", "unchanged"]


@dataclass(frozen=True)
class Event:
    """One event on the road: its newest version and who reported it."""

    alert: Alert
    evidence_ts: float
    """Time of the newest report, epoch seconds: one within 30 s of it may be of the same event."""
    clip_camera: str | None = None
    owner: str | None = None
    """The producer's id of the report that opened it; only its owner may make it less grave."""
    aliases: tuple[str, ...] = ()
    open_reports: frozenset[str] = frozenset()
    """The producers' ids that have not been cancelled: while one is open, so is the event."""


@dataclass(frozen=True)
class Outcome:
    """What a report led to."""

    action: Action
    event: Event


class Register:
    """All events that are in force, and those that ended but could still be reported again.

    Args:
        station: the first half of every event id.
        next_number: gives the second half, each number once ever.
        events: what was held before a restart, oldest first.
        finish: last touch on every version, such as shortening it to what a datagram holds.
    """

    def __init__(
        self,
        *,
        station: int,
        next_number: Callable[[], int],
        events: Iterable[Event] = (),
        finish: Callable[[Alert], Alert] = lambda alert: alert,
    ) -> None:
        self._station = station
        self._next_number = next_number
        self._finish = finish
        self._own_id = re.compile(rf"{station}-\d+")
        self._events: dict[str, Event] = {}
        self._aliases: dict[str, str] = {}
        for event in events:
            self._keep(event)

    @property
    def events(self) -> tuple[Event, ...]:
        """Everything that is remembered, ended events too."""
        return tuple(self._events.values())

    def find(self, event_id: str) -> Event | None:
        """The event of this id of ours."""
        return self._events.get(event_id)

    def in_force(self, now: float) -> list[Alert]:
        """The alerts that are neither terminated nor past their validity."""
        return [event.alert for event in self.events if in_force(event.alert, now)]

    def report(self, report: Report, place: Place, now: float) -> Outcome | Refusal:
        """Take a report: it opens, changes, ends or merely confirms an event, or is refused."""
        named = report.incident.event_id
        event = self._addressed(named, now) if named else None
        if report.incident.status == "cancel":
            return self._cancel(named, event, report, now)
        if named and self._own_id.fullmatch(named) and event is None:
            return Refusal(Reason.UNKNOWN_EVENT, f"no alert {named!r} is in force", "event_id")
        if named and event and event.alert.terminated:
            if self._own_id.fullmatch(named) or report.ts <= event.evidence_ts:
                return Refusal(Reason.ENDED, f"{named!r} has ended", "event_id")
            event = None
        if event and not self._reused(event, report, place, now):
            return self._revise(event, report, place, now)
        if witnessed := self._same_event(report, place, now):
            return self._merge(witnessed, report, now)
        return self._open(report, place, now)

    def _addressed(self, named: str, now: float) -> Event | None:
        event = self._events.get(named) or self._events.get(self._aliases.get(named, ""))
        return event if event and now < event.alert.valid_until else None

    def _reused(self, event: Event, report: Report, place: Place, now: float) -> bool:
        """Whether a producer uses its id for something new, as after a restart of its own."""
        incident = report.incident
        if incident.status != "new" or incident.event_id == event.alert.event_id:
            return False
        return not _may_be_same(event, report, now) or not _near(event.alert, place)

    def _open(self, report: Report, place: Place, now: float) -> Outcome | Refusal:
        if len(self._events) >= MAX_EVENTS:
            return Refusal(Reason.TOO_MANY, f"already {MAX_EVENTS} events are held")
        event_id = f"{self._station}-{self._next_number()}"
        event = Event(
            self._finish(versions.first(event_id, report, place, now)),
            evidence_ts=report.ts,
            clip_camera=place.clip_camera,
            owner=report.incident.event_id,
        )
        return self._put("new", _witnessed(event, report))

    def _same_event(self, report: Report, place: Place, now: float) -> Event | None:
        """The nearest event that this report may be another view of, whichever camera saw it."""
        near = (
            event
            for event in self._events.values()
            if _near(event.alert, place) and _may_be_same(event, report, now)
        )
        return min(near, key=lambda event: _away_m(event.alert, place), default=None)

    def _merge(self, event: Event, report: Report, now: float) -> Outcome:
        return self._change(event, versions.merged(event.alert, report), report, now)

    def _revise(self, event: Event, report: Report, place: Place, now: float) -> Outcome:
        named = report.incident.event_id
        if named in (event.owner, event.alert.event_id):
            return self._change(event, versions.revised(event.alert, report, place), report, now)
        return self._merge(event, report, now)

    def _change(self, event: Event, changes: dict[str, Any], report: Report, now: float) -> Outcome:
        event, alert = _witnessed(event, report), event.alert
        changes = versions.renewed(alert, changes, report) | {"status": "update"}
        version = self._finish(versions.next_version(alert, changes, report, now))
        if versions.says_the_same(version, alert):
            return self._put("unchanged", event)
        return self._put("update", replace(event, alert=version))

    def _cancel(
        self, named: str | None, event: Event | None, report: Report, now: float
    ) -> Outcome | Refusal:
        if named is None:
            return Refusal(Reason.UNKNOWN_EVENT, "a cancel must say which event", "event_id")
        if event is None:
            return Refusal(Reason.UNKNOWN_EVENT, f"no alert {named!r} is in force", "event_id")
        if event.alert.terminated:
            return Outcome("unchanged", event)
        remaining = event.open_reports - {named}
        if remaining and named != event.alert.event_id:
            return self._put("unchanged", replace(event, open_reports=remaining))
        version = versions.next_version(event.alert, {"status": "cancel"}, report, now)
        evidence_ts = max(event.evidence_ts, report.ts)
        ended = replace(event, alert=version, open_reports=frozenset(), evidence_ts=evidence_ts)
        return self._put("cancel", ended)

    def expire(self, now: float) -> list[Event]:
        """Forget and return every event past its validity; those not terminated expire now."""
        over = [event for event in self._events.values() if now >= event.alert.valid_until]
        for event in over:
            del self._events[event.alert.event_id]
            for alias in event.aliases:
                if self._aliases.get(alias) == event.alert.event_id:
                    del self._aliases[alias]
        return over

    def _put(self, action: Action, event: Event) -> Outcome:
        self._keep(event)
        return Outcome(action, event)

    def _keep(self, event: Event) -> None:
        self._events[event.alert.event_id] = event
        for alias in event.aliases:
            self._aliases[alias] = event.alert.event_id


def in_force(alert: Alert, now: float) -> bool:
    """Whether the alert is neither terminated nor past its validity."""
    return not alert.terminated and now < alert.valid_until


def _witnessed(event: Event, report: Report) -> Event:
    """The event with this report's time and producer's id noted."""
    evidence_ts = max(event.evidence_ts, report.ts)
    named = report.incident.event_id
    if named is None or named == event.alert.event_id or len(event.aliases) >= MAX_ALIASES:
        return replace(event, evidence_ts=evidence_ts)
    return replace(
        event,
        evidence_ts=evidence_ts,
        aliases=tuple(dict.fromkeys((*event.aliases, named))),
        open_reports=event.open_reports | {named},
    )


def _may_be_same(event: Event, report: Report, now: float) -> bool:
    """Same type family and time; a rehearsal is never the same event as the real thing."""
    alert, incident = event.alert, report.incident
    return (
        in_force(alert, now)
        and alert.test == incident.test
        and CAUSES[alert.type].family == CAUSES[incident.type].family
        and report.ts <= event.evidence_ts + SAME_EVENT_WITHIN_S
        and report.ts >= alert.detection_time - SAME_EVENT_WITHIN_S
    )


def _near(alert: Alert, place: Place) -> bool:
    """Whether both may be one place; most events are told apart by their latitude alone."""
    apart_deg = abs(alert.lat - place.lat)
    return apart_deg <= SAME_EVENT_WITHIN_DEG and _away_m(alert, place) <= SAME_EVENT_WITHIN_M


def _away_m(alert: Alert, place: Place) -> float:
    return distance_m(alert.lat, alert.lon, place.lat, place.lon)
