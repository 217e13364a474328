"""The life-cycle of alerts: reports in, versions out (after ETSI TS 103 831, EN 302 637-3 §8.1).

`new → update* → cancel | expire`. Pure but for its own memory: time and sequence are arguments.
`now` is the station's steady time; only what is told on the wire is dated by the wall clock.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from alerter.ingest.placing import Place
from alerter.ingest.refusal import Reason, Refusal
from alerter.ingest.report_times import Report
from alerter.lifecycle import crowding, numbers, reporters, same_event, versions
from alerter.lifecycle.crowding import Newcomer
from alerter.lifecycle.events import MAX_WORDS, NOBODY, Event, Word, closed
from hazardcast.contract.messages import Alert
from hazardcast.machine.steady import Moment

MAX_EVENTS = 500
"""As many as one core can seal and tick at 2 Hz with room for bursts."""

MAX_GONE = 10 * MAX_EVENTS
"""Reporters' ids of what ended and had to make room: a broker may still deliver them again."""

Action = Literal["new", "update", "cancel", "unchanged"]


@dataclass(frozen=True)
class Outcome:
    """What a report led to."""

    action: Action
    event: Event
    gave_way: Event | None = None
    """What was over and had to make room for it."""
    joined: bool = False
    """For want of room it was told as part of an event that is elsewhere."""

    @property
    def event_id(self) -> str:
        """Of which event."""
        return self.event.alert.event_id

    @property
    def revision(self) -> int:
        """The newest version of it."""
        return self.event.alert.revision


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
        self._held: Counter[str] = Counter()
        self._over: Counter[str] = Counter()
        self._residues: set[int] = set()
        self._gone: dict[str, float] = {}
        for event in events:
            self.keep(event)

    @property
    def events(self) -> tuple[Event, ...]:
        """Everything that is remembered, ended events too."""
        return tuple(self._events.values())

    def find(self, event_id: str) -> Event | None:
        """The event of this id of ours."""
        return self._events.get(event_id)

    def knows(self, named: str, now: float) -> bool:
        """Whether an id of ours or of a producer means an event that is not forgotten."""
        return self._addressed(named, now) is not None

    def in_force(self, now: float) -> list[Alert]:
        """The alerts that are neither terminated nor past their validity."""
        return [event.alert for event in self.events if event.in_force(now)]

    def report(self, report: Report, place: Place, now: float) -> Outcome | Refusal:
        """Take a report: it opens, changes, ends or merely confirms an event, or is refused."""
        named = report.incident.event_id
        event = self._addressed(named, now) if named else None
        if event and (refusal := same_event.other_play(event, report)):
            return refusal
        if report.incident.status == "cancel":
            return self._cancel(named, event, report, now)
        if refusal := self._no_news(named, event, report, place):
            if refusal.reason is Reason.ENDED:
                self._hear_on(event, report)
            return refusal
        if event and not event.alert.terminated and not self._reused(event, report, place):
            return self._revise(event, report, place, now)
        if witnessed := self._same_event(report, place, now):
            return self._merge(witnessed, report, now)
        return self.open(report, place, now)

    def opens(self, report: Report, place: Place, now: float) -> bool:
        """Whether a report that is not refused would open an event of its own; no cancel does."""
        named = report.incident.event_id
        event = self._addressed(named, now) if named else None
        if event and not event.alert.terminated and not self._reused(event, report, place):
            return False
        return self._same_event(report, place, now) is None

    def refuses(self, report: Report, place: Place, now: float) -> bool:
        """Whether a report, other than a cancel, would be refused."""
        named = report.incident.event_id
        event = self._addressed(named, now) if named else None
        if event and same_event.other_play(event, report):
            return True
        return self._no_news(named, event, report, place) is not None

    def _no_news(
        self, named: str | None, event: Event | None, report: Report, place: Place
    ) -> Refusal | None:
        """Why a report is of the past, if it is."""
        if report.retained and (refusal := self._told_before(event, report, place)):
            return refusal
        ours = bool(named and self._own_id.fullmatch(named))
        if ours and event is None:
            return Refusal(Reason.UNKNOWN_EVENT, f"no alert {named!r} is in force", "event_id")
        if event is None and self._has_gone(named, report):
            return Refusal(Reason.ENDED, f"{named!r} has ended", "event_id")
        over = event is not None and event.alert.terminated
        doubtful = report.again and not report.dated
        ended = ours or doubtful or (event and report.at <= event.evidence_at)
        if event and over and (ended or same_event.said_over(event, report, place)):
            return Refusal(Reason.ENDED, f"{named!r} has ended", "event_id")
        return None

    def _hear_on(self, event: Event | None, report: Report) -> None:
        """Note when a reporter last spoke of what a person ended: its pause begins then."""
        word = event.words.get(report.incident.event_id or NOBODY) if event else None
        if event and word and event.decided_by_person and event.alert.terminated:
            self._events[event.alert.event_id] = reporters.heard_on(event, report)

    def _has_gone(self, named: str | None, report: Report) -> bool:
        """Whether a report that is delivered again tells of what ended and was forgotten since."""
        ended_at = self._gone.get(named or NOBODY)
        doubtful = ended_at is not None and (not report.dated or report.at <= ended_at)
        return report.again and doubtful

    def _addressed(self, named: str, now: float) -> Event | None:
        event = self._events.get(named) or self._events.get(self._aliases.get(named, ""))
        return event if event and now < event.ends_at else None

    def _told_before(self, event: Event | None, report: Report, place: Place) -> Refusal | None:
        """Why a report that the broker kept for us is no news, if it is none."""
        if event:
            detail = f"{report.incident.event_id!r} was reported before the broker gave it again"
            return Refusal(Reason.RETAINED, detail, "event_id")
        over = (
            one
            for one in self._events.values()
            if one.alert.terminated
            and same_event.same_kind(one, report)
            and same_event.near(one.alert, place)
        )
        if any(report.at <= one.evidence_at for one in over):
            return Refusal(Reason.RETAINED, "what it tells of has ended since", "ts")
        return None

    def _reused(self, event: Event, report: Report, place: Place) -> bool:
        """Whether a producer uses its id for something new, as after a restart of its own.

        Who says `new` again and again, under one id and of one place, sees one event.
        """
        incident = report.incident
        if incident.status != "new" or incident.event_id == event.alert.event_id:
            return False
        return not same_event.repeated(event, report, place)

    def open(
        self, report: Report, place: Place, now: float, *, event_id: str | None = None
    ) -> Outcome:
        """Open an event, by an id that was reserved for it or a new one."""
        newcomer = Newcomer.of(report.incident, place)
        way = self._way(newcomer, now)
        if way.joins:
            return self._join(way.joins, report, place, now)
        if way.gives:
            self._drop(way.gives)
        event_id = event_id or self.new_id()
        alert = self._finish(versions.first(event_id, report, place, report.received_at))
        named = report.incident.event_id
        word = Word(min(report.at, now), newcomer.reporter, claimed_ts=report.claimed_ts)
        life_s = versions.life_s(
            alert, {}, life_s=alert.validity_duration_s, elapsed_s=now - report.at
        )
        if life_s != alert.validity_duration_s:
            alert = alert.model_copy(update={"validity_duration_s": life_s})
        event = Event(
            alert,
            began_at=report.at,
            life_s=life_s,
            evidence_at=report.at,
            source=newcomer.source,
            clip_camera=place.clip_camera,
            first_ts=alert.ts,
            owner=named,
            words={named or NOBODY: word},
        )
        self.keep(event)
        return Outcome("new", event, gave_way=way.gives)

    def _way(self, newcomer: Newcomer, now: float) -> crowding.Way:
        """Nothing is looked through while there is room for everyone."""
        if crowding.has_room(
            newcomer,
            taken=len(self._events),
            mine=self._held.get(newcomer.source, 0),
            over=self._over.get(newcomer.source, 0),
            most=MAX_EVENTS,
        ):
            return crowding.Way()
        return crowding.make_room(self._events.values(), newcomer, now=now, most=MAX_EVENTS)

    def new_id(self) -> str:
        """One that no event held shares with its 16 bits in DENM either."""
        while True:
            number = self._next_number()
            if number % numbers.RESIDUES not in self._residues:
                return f"{self._station}-{number}"

    def reserve(self, event_id: str) -> None:
        """Give no other event the id of what may become one."""
        self._residues.add(numbers.residue(event_id))

    def release(self, event_id: str) -> None:
        """What an id was reserved for has become nothing."""
        if event_id not in self._events:
            self._residues.discard(numbers.residue(event_id))

    def _same_event(self, report: Report, place: Place, now: float) -> Event | None:
        """The nearest event that this report may be another view of, whichever camera saw it."""
        near = (
            event
            for event in self._events.values()
            if same_event.near(event.alert, place) and same_event.may_be_same(event, report, now)
        )
        return min(near, key=lambda event: same_event.away_m(event.alert, place), default=None)

    def _join(self, event: Event, report: Report, place: Place, now: float) -> Outcome:
        away_m = same_event.away_m(event.alert, place)
        changes = versions.joined(event.alert, report, away_m=away_m)
        return replace(self._change(event, changes, report, now), joined=True)

    def _merge(self, event: Event, report: Report, now: float) -> Outcome:
        return self._change(event, versions.merged(event.alert, report), report, now)

    def _revise(self, event: Event, report: Report, place: Place, now: float) -> Outcome:
        named = report.incident.event_id
        said = event.words.get(reporters.name(event, named))
        late = said is not None and report.at < said.at <= now
        if named in (event.owner, event.alert.event_id) and not late:
            return self._change(event, versions.revised(event.alert, report, place), report, now)
        return self._merge(event, report, now)

    def _change(self, event: Event, changes: dict[str, Any], report: Report, now: float) -> Outcome:
        alert = event.alert
        life_s = versions.life_s(
            alert, changes, life_s=event.life_s, elapsed_s=report.at - event.began_at
        )
        changes["validity_duration_s"] = alert.validity_duration_s
        if life_s != event.life_s:
            changes["validity_duration_s"] = versions.told_validity_s(
                alert, ends_at=event.began_at + life_s, life_s=life_s, moment=_moment(report, now)
            )
        version = self._finish(
            versions.next_version(alert, {**changes, "status": "update"}, report)
        )
        same = versions.says_the_same(version, alert)
        event = replace(
            event,
            alert=alert if same else version,
            life_s=life_s,
            evidence_at=max(event.evidence_at, report.at),
            words=reporters.words(event, report, now),
        )
        return self._put("unchanged" if same else "update", event)

    def _cancel(
        self, named: str | None, event: Event | None, report: Report, now: float
    ) -> Outcome | Refusal:
        if named is None:
            return Refusal(Reason.UNKNOWN_EVENT, "a cancel must say which event", "event_id")
        if event is None:
            return Refusal(Reason.UNKNOWN_EVENT, f"no alert {named!r} is in force", "event_id")
        if event.alert.terminated:
            return Outcome("unchanged", event)
        share = reporters.share(event, named, report)
        said = reporters.last_word(event, named, share)
        if report.at < said.at and report.claimed_ts != said.claimed_ts:
            detail = f"older than what is known of {named!r}: it belongs to an earlier event"
            return Refusal(Reason.STALE, detail, "ts")
        event = closed(event, share, now)
        if event.open_reports or not share:
            return self._put("unchanged", event)
        version = versions.next_version(event.alert, {"status": "cancel"}, report)
        evidence_at = max(event.evidence_at, report.at, now)
        return self._put("cancel", replace(event, alert=version, evidence_at=evidence_at))

    def redate(self, event_id: str, moment: Moment) -> Event | None:
        """Tell an alert anew if it is in force and its dates no longer fit the wall clock.

        Returns the event with its new version; None if nothing is to be told.
        """
        event = self.find(event_id)
        if event is None or not event.in_force(moment.steady):
            return None
        version = versions.redated(
            event.alert, began_at=event.began_at, life_s=event.life_s, moment=moment
        )
        if version is event.alert:
            return None
        redated = replace(event, alert=self._finish(version))
        self._events[event_id] = redated  # whom its producers' ids mean stays as it is
        return redated

    def expire(self, now: float) -> list[Event]:
        """Forget and return every event past its validity; those not terminated expire now."""
        over = [event for event in self._events.values() if now >= event.ends_at]
        for event in over:
            self._drop(event)
        return over

    def _drop(self, event: Event) -> None:
        if event.alert.terminated:
            self._gone.update(dict.fromkeys(event.aliases, event.evidence_at))
            while len(self._gone) > MAX_GONE:
                del self._gone[next(iter(self._gone))]
        del self._events[event.alert.event_id]
        self._residues.discard(numbers.residue(event.alert.event_id))
        _count_down(self._held, event.source)
        if event.alert.terminated:
            _count_down(self._over, event.source)
        for alias in event.aliases:
            self._unname(alias, event)

    def _unname(self, alias: str, event: Event) -> None:
        if self._aliases.get(alias) == event.alert.event_id:
            del self._aliases[alias]

    def _put(self, action: Action, event: Event) -> Outcome:
        self.keep(event)
        return Outcome(action, event)

    def keep(self, event: Event) -> None:
        """Hold an event, or its newest state."""
        event_id = event.alert.event_id
        before = self._events.get(event_id)
        if before is None:
            self._held[event.source] += 1
            self._residues.add(numbers.residue(event_id))
        elif len(event.words) >= MAX_WORDS:
            for alias in before.words.keys() - event.words.keys():
                self._unname(alias, event)
        if event.alert.terminated and not (before and before.alert.terminated):
            self._over[event.source] += 1
        self._events[event_id] = event
        for alias in event.aliases:
            self._aliases[alias] = event_id


def _count_down(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]


def _moment(report: Report, now: float) -> Moment:
    return Moment(now + report.ts - report.at, now)
