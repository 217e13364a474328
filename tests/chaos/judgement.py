"""What the ledger proves: told, lost, told wrongly, clips lost. Pure.

The rules, each chosen so that a finding is a fault of the product and of nothing else:

- **Due.** An accident is due if its door accepted it (HTTP 202; the broker's PUBACK; the file is in
  `done/`) and it had not been cancelled by its reporter before `HEAL_S` had passed in which nothing
  blinded its door or the vehicle (`kinds.Kind.blinds`). The broker's death concerns only what was
  said to the broker; names, disks, logs and lost packets excuse nothing.
- **In doubt** and not judged is what the broker acknowledged and forgot before the alerter was
  there to take it, or acknowledged while it knew of no subscriber, and a dated report over MQTT while the station's clock was wrong.
- **Lost** is what is due and neither in a vehicle's `alerts.csv` nor on its console; also a true
  report that its door refused while the station's clock was right.
- **Told wrongly** is an alert for nothing that was reported, or with another type, severity, place
  or road than reported; an id for two accidents, an accident under two ids, or under another id
  than the door answered; an end that nobody asked for; one version shown as new twice by one life
  of a process; and what still holds at the end though it was cancelled.
- **Clips.** Every accident that was told and asked for one has a clip, ready, or partial with a
  named cause for each gap, near a time at which the camera, the recorder or the disk was away; or
  it says so of the whole window.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.chaos.kinds import BY_NAME, Kind
from tests.chaos.ledger import Account, Clip, Ledger, Shown, Span
from tests.chaos.reports import number_of
from tests.chaos.schedule import HEAL_S

RECONNECT_S = 8.0
"""The alerter is back at a broker that is back within this, and has taken what waited."""
NEAR_S = (4.0, 25.0)
"""A gap may begin so long before a fault of the video, and end so long after it."""
ROAD = re.compile(r"chaos-(\d+)-")
UNNAMED = {"", "unknown"}
ENDS = {"CANCEL", "NEGATE", "WITHDRAWN", "EXPIRED"}
SHORTEST_VALIDITY_S = 295.0


@dataclass
class Verdict:
    """Figures, and a sentence for each finding."""

    faults: int = 0
    reports: int = 0
    accepted: int = 0
    due: int = 0
    """Accidents × vehicles that had to be told."""
    told: int = 0
    """Of those."""
    in_doubt: int = 0
    brief: int = 0
    """Accidents × vehicles that were over before anybody could be told for certain."""
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    clips_due: int = 0
    clips_whole: int = 0
    clips_lost: list[str] = field(default_factory=list)
    mishaps: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not (self.lost or self.wrong or self.clips_lost or self.mishaps) and self.due > 0


def judge(ledger: Ledger) -> Verdict:
    """Everything that the ledger proves."""
    ids = _Identities(ledger)
    verdict = Verdict(
        faults=len(ledger.spans),
        reports=len(ledger.accounts),
        accepted=sum(account.accepted is not None for account in ledger.accounts.values()),
        mishaps=list(ledger.mishaps),
    )
    _told(ledger, ids, verdict)
    verdict.lost += _refused(ledger)
    for finding in (ids.findings(), _words(ledger, ids), _twice(ledger), _at_the_end(ledger, ids)):
        verdict.wrong += finding
    _clips(ledger, ids, verdict)
    return verdict


# -- who had to be told by when


def blinds(kind: Kind, subject: str, door: str, car: str) -> bool:
    """Whether a fault excuses silence about what came by `door`, on that vehicle."""
    return {
        "everybody": True,
        "air": car != BY_NAME,
        "its car": subject == car,
        "mqtt door": door == "mqtt",
        "nobody": False,
    }[kind.blinds]


def due_at(accepted: float, spans: Iterable[Span]) -> float:
    """The end of the first stretch of `HEAL_S` from then on that none of the spans touches."""
    due = accepted + HEAL_S
    for span in sorted(spans, key=lambda one: one.begin):
        if span.begin < due and span.end + HEAL_S > due:
            due = span.end + HEAL_S
    return due


def in_doubt(account: Account, spans: Sequence[Span]) -> bool:
    """Whether an acknowledged report may rightly have been forgotten, or been taken for old."""
    accepted = account.accepted
    if accepted is None or account.case.door != "mqtt":
        return False
    taken = _taken_by(accepted, spans)
    forgotten = any(
        (span.kind.forgets and accepted - 0.5 < span.begin < taken)
        or (span.kind.forgets_sessions and span.begin < accepted < _taken_by(span.end, spans))
        for span in spans
    )
    dated = account.case.ts != "none"
    return forgotten or (dated and _clock_wrong(spans, accepted, taken))


def _taken_by(said: float, spans: Iterable[Span]) -> float:
    """When the alerter has surely taken what the broker had then."""
    taken = said + 1.0
    for span in sorted(spans, key=lambda one: one.begin):
        if _on_the_way(span.kind) and span.begin < taken and span.end + RECONNECT_S > said:
            taken = max(taken, span.end + RECONNECT_S)
    return taken


def _on_the_way(kind: Kind) -> bool:
    return kind.lane == "broker" or kind.blinds == "everybody"


def _clock_wrong(spans: Iterable[Span], begin: float, end: float) -> bool:
    return any(
        span.kind.station_clock and span.begin - 1 < end and begin < span.end + 2 for span in spans
    )


def _told(ledger: Ledger, ids: _Identities, verdict: Verdict) -> None:
    shown = {(one.car, ids.number(one.event_id)) for one in ledger.shown if one.word not in ENDS}
    for account in ledger.accounts.values():
        if not account.case.told or account.accepted is None:
            continue
        if in_doubt(account, ledger.spans):
            verdict.in_doubt += 1
            continue
        for car in ledger.cars:
            _told_to(car, account, ledger, shown, verdict)


def _told_to(
    car: str, account: Account, ledger: Ledger, shown: set[tuple[str, int | None]], verdict: Verdict
) -> None:
    assert account.accepted is not None
    case = account.case
    spans = [one for one in ledger.spans if blinds(one.kind, one.subject, case.door, car)]
    due = due_at(account.accepted, spans)
    over = account.cancel_said if account.cancel_said is not None else ledger.stopped
    if due > over:
        verdict.brief += 1
        return
    verdict.due += 1
    if (car, case.number) in shown:
        verdict.told += 1
        return
    verdict.lost.append(
        f"{car} was never told of {_name(account)}, accepted at {account.accepted:.1f} s,"
        f" due at {due:.1f} s"
    )


def _refused(ledger: Ledger) -> Iterator[str]:
    for account in ledger.accounts.values():
        if not account.case.told or account.refused is None or account.accepted is not None:
            continue
        said = account.said or 0.0
        if not _clock_wrong(ledger.spans, said - 5, said + 30):
            yield f"{_name(account)} was refused at {said:.1f} s: {account.refused}"


def _name(account: Account) -> str:
    case = account.case
    return f"{case.name} ({case.door}{', ' + case.label if case.label else ''})"


# -- identities


class _Identities:
    """Which id is whose: by the place on the air, as the place is what no two accidents share.

    What only unicast or the broker carried, as the station's interface was away, has its road.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._numbers: dict[str, set[int | None]] = defaultdict(set)
        for heard in ledger.heard:
            self._numbers[heard.event_id].add(number_of(heard.lat, heard.lon))
        for alert in ledger.in_force:
            self._numbers[alert.event_id].add(number_of(alert.lat, alert.lon))
        for account in ledger.accounts.values():
            if account.event_id and account.event_id not in self._numbers:
                self._numbers[account.event_id].add(account.case.number)
        off_the_air = [one for one in ledger.shown if one.event_id not in self._numbers]
        for one in off_the_air:
            if found := ROAD.fullmatch(one.road or ""):
                self._numbers[one.event_id].add(int(found[1]))

    def number(self, event_id: str) -> int | None:
        """Whose id it is; None: nobody's, or of two."""
        found = self._numbers.get(event_id, set())
        return next(iter(found)) if len(found) == 1 else None

    def ids(self, number: int) -> set[str]:
        return {event_id for event_id, found in self._numbers.items() if number in found}

    def findings(self) -> Iterator[str]:
        """Ids of two accidents, of none, and accidents of two ids."""
        by_number: dict[int, set[str]] = defaultdict(set)
        for event_id, numbers in self._numbers.items():
            if len(numbers) > 1:
                yield f"{event_id} was given to {sorted(map(str, numbers))}"
            for number in numbers:
                if number is None:
                    yield f"{event_id} is at a place that nobody reported"
                else:
                    by_number[number].add(event_id)
        for number, found in by_number.items():
            yield from self._of(number, found)

    def _taken_for_new(self, account: Account) -> bool:
        """An old report to a station whose clock was behind lies in its future."""
        said = account.said or 0.0
        return account.case.ts == "old" and _clock_wrong(self._ledger.spans, said - 1, said + 20)

    def _of(self, number: int, found: set[str]) -> Iterator[str]:
        account = self._ledger.accounts.get(number)
        if account and not account.case.told and self._taken_for_new(account):
            return
        if account is None or not account.case.told:
            label = account.case.label if account else "nobody's"
            yield f"chaos-{number} is no accident ({label}), and was told as {sorted(found)}"
        if len(found) > 1:
            yield f"chaos-{number} was told as {sorted(found)}"
        if account and account.event_id and account.event_id not in found:
            yield f"chaos-{number}: the door answered {account.event_id}, told as {sorted(found)}"


# -- words


def _words(ledger: Ledger, ids: _Identities) -> Iterator[str]:
    for one in ledger.shown:
        number = ids.number(one.event_id)
        account = ledger.accounts.get(number) if number is not None else None
        if account is None:
            yield f"{one.car} was told of {one.event_id} at {one.at:.1f} s, which is nobody's"
            continue
        yield from _differences(one, account)
        if one.word in ENDS and not _may_end(one, account, ledger.spans):
            yield f"{one.car}: {one.word} of {_name(account)} at {one.at:.1f} s, which nobody asked for"
    for heard in ledger.heard:
        number = ids.number(heard.event_id)
        account = ledger.accounts.get(number) if number is not None else None
        if account and account.case.told and heard.type != account.case.type:
            yield f"{_name(account)} is {account.case.type}, and on the air {heard.type}"


def _differences(one: Shown, account: Account) -> Iterator[str]:
    case = account.case
    severities = {case.severity, "critical"} if case.update_at_s is not None else {case.severity}
    if one.type != case.type:
        yield f"{one.car}: {_name(account)} is {case.type}, shown as {one.type}"
    if one.severity not in severities:
        yield f"{one.car}: {_name(account)} is {case.severity}, shown as {one.severity}"
    if one.test != case.test:
        yield f"{one.car}: {_name(account)} shown {'as a test' if one.test else 'as no test'}"
    if one.road is not None and case.road is not None and one.road != case.road:
        yield f"{one.car}: {_name(account)} is on {case.road}, shown on {one.road}"


def _may_end(one: Shown, account: Account, spans: Sequence[Span]) -> bool:
    if one.word == "EXPIRED":
        return account.said is not None and one.at - account.said >= SHORTEST_VALIDITY_S
    if account.cancel_said is None or _stands_by(account, spans) is True:
        return False
    return one.at >= account.cancel_said


def _stands_by(account: Account, spans: Sequence[Span]) -> bool | None:
    """Whether a second witness keeps it in force after the cancel of the first; None: in doubt."""
    if account.witnessed is None:
        return False
    return None if _forgotten(account.witnessed, account, spans) else True


def _twice(ledger: Ledger) -> Iterator[str]:
    """One version as new, twice in one life; on the console, NEW twice without an end between."""
    rows = Counter(
        (one.car, one.life, one.event_id, one.word, one.version)
        for one in ledger.shown
        if one.source == "csv"
    )
    for (car, life, event_id, word, version), times in rows.items():
        if times > 1:
            yield f"{car}, life {life}: {word} of {event_id} {version} {times} times in alerts.csv"
    lines: dict[tuple[str, int, str], list[str]] = defaultdict(list)
    for one in ledger.shown:
        if one.source == "console":
            lines[one.car, one.life, one.event_id].append(one.word)
    for (car, life, event_id), words in lines.items():
        again = sum(word == "NEW" for word in words)
        if again > 1:
            yield f"{car}, life {life}: {event_id} NEW {again} times on the console"


# -- at the end


def _at_the_end(ledger: Ledger, ids: _Identities) -> Iterator[str]:
    """What holds is what was reported and not cancelled; vehicles hold just that."""
    held = {ids.number(alert.event_id): alert for alert in ledger.in_force}
    for account in ledger.accounts.values():
        yield from _held(account, held.get(account.case.number), ledger)
    for car in ledger.cars:
        count = ledger.car_counts.get(car, -1)
        if count != len(ledger.in_force):
            yield f"{car} holds {count} alerts, the station {len(ledger.in_force)}"


def _held(account: Account, alert: object, ledger: Ledger) -> Iterator[str]:
    case, stands_by = account.case, _stands_by(account, ledger.spans)
    over = stands_by is False and account.cancelled is not None
    if alert and over and not _forgotten(account.cancelled, account, ledger.spans):
        yield f"{_name(account)} holds, though cancelled at {account.cancelled:.1f} s"
    due = case.told and account.accepted is not None and not in_doubt(account, ledger.spans)
    if (
        not alert
        and due
        and (account.cancel_said is None or stands_by)
        and not _old(account, ledger)
    ):
        yield f"{_name(account)} is in force no more, and nobody ended it"
    severity = getattr(alert, "severity", None)
    graver = account.updated is not None and not _forgotten(account.updated, account, ledger.spans)
    if severity and graver and severity != "critical":
        yield f"{_name(account)} became critical at {account.updated:.1f} s, and holds as {severity}"


def _forgotten(at: float | None, account: Account, spans: Sequence[Span]) -> bool:
    """Whether a later word about the case may be one that the broker forgot."""
    return in_doubt(Account(account.case, accepted=at), spans)


def _old(account: Account, ledger: Ledger) -> bool:
    return account.said is not None and ledger.stopped - account.said >= SHORTEST_VALIDITY_S


# -- clips


def _clips(ledger: Ledger, ids: _Identities, verdict: Verdict) -> None:
    found: dict[str, list[Clip]] = defaultdict(list)
    for clip in ledger.clips:
        found[clip.event_id].append(clip)
    shown = {ids.number(one.event_id) for one in ledger.shown}
    away = [span for span in ledger.spans if span.kind.no_video]
    for number, account in ledger.accounts.items():
        if not account.case.clip or number not in shown or account.said is None:
            continue
        if _clock_wrong(ledger.spans, account.said - 2, (account.accepted or account.said) + 20):
            continue
        verdict.clips_due += 1
        clips = [clip for event_id in ids.ids(number) for clip in found.get(event_id, ())]
        if not clips:
            verdict.clips_lost.append(f"{_name(account)} has no clip")
            continue
        lacks = min((list(_lacks(clip, away, account.said)) for clip in clips), key=len)
        verdict.clips_whole += any(clip.state == "ready" and clip.has_video for clip in clips)
        verdict.clips_lost += [f"the clip of {_name(account)} {lack}" for lack in lacks]


def _lacks(clip: Clip, away: Sequence[Span], said: float) -> Iterator[str]:
    nothing_to_show = clip.state == "failed" and clip.gaps
    if not nothing_to_show and (clip.state not in ("ready", "partial") or not clip.has_video):
        yield f"is {clip.state}{'' if clip.has_video else ', without video'}"
    for begin, end, cause in clip.gaps:
        if cause == "retention" and _made_room(away, said):
            continue
        if cause in UNNAMED or not _explained(begin, end, away):
            yield f"lacks {begin:.1f} to {end:.1f} s: {cause!r}"


def _made_room(away: Iterable[Span], said: float) -> bool:
    """Whether a full disk took the oldest recordings before the clip could keep them."""
    return any(
        span.kind.name == "video's disk full" and span.begin - NEAR_S[1] <= said <= span.end
        for span in away
    )


def _explained(begin: float, end: float, away: Iterable[Span]) -> bool:
    """Whether a fault of the video was near both ends."""
    before_s, after_s = NEAR_S
    return any(span.begin - before_s <= begin and end <= span.end + after_s for span in away) or (
        _joined(begin, end, away)
    )


def _joined(begin: float, end: float, away: Iterable[Span]) -> bool:
    """Whether faults that follow each other explain it together."""
    before_s, after_s = NEAR_S
    at = begin
    for span in sorted(away, key=lambda one: one.begin):
        if span.begin - before_s <= at:
            at = max(at, span.end + after_s)
    return at >= end and at > begin
