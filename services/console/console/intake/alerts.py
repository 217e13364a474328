"""How an alert stands, by what is heard of it in whatever order.

The highest revision holds. An alert ends by its own word, by a person's, by its time, or because
nobody says it any more; what was taken for ended without a word is open when it is said again, and
confirmed if a person's last word on it was that. Of what people decide and judge the newest holds,
by the time at which it was settled: the broker and the journal say old words again.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select, update

from console.intake import words
from console.store.decisions import Decision
from console.store.events import dump
from console.store.tables import AlertState, OperatorDecision, Pending, Reached, RealtimeEvent
from console.store.transaction import Transaction
from hazardcast.contract.messages import Alert, Decided, Receipt, Verdict
from hazardcast.contract.messages import Pending as PendingWord

OPEN, ENDED, PENDING, DROPPED = "open", "ended", "pending", "dropped"
UNSPOKEN = frozenset({"expired", "ended_unseen"})
"""Ends that nobody said."""
BY_STATUS = {"cancel": "cleared", "negate": "false_alarm"}
BY_ACTION = {"confirm": "confirmed", "clear": "cleared", "negate": "false_alarm"}
OVERDUE_S = 30.0


def heard(
    rows: Transaction, word: Alert, *, confidence: float | None = None, present: bool
) -> None:
    """A version of an alert.

    Args:
        rows: of the transaction.
        word: the version.
        confidence: of the report that led to it, where the journal tells it; the highest stands.
        present: whether it is said as what holds now, and not as what once was.
    """
    event = words.alert(word, confidence=confidence)
    if not rows.add(event) and confidence is not None:
        _learn_confidence(rows, event.row(rows.site)["dedup"], confidence)
    held = rows.find(AlertState, {"event_id": word.event_id})
    before = dict(held) if held and held["state"] not in (PENDING, DROPPED) else None
    known = _surest(held["confidence"] if held else None, confidence)
    if before and before["revision"] > word.revision:
        rows.put(AlertState, {"event_id": word.event_id}, {"confidence": known})
        return
    confirmed = not word.terminated and _was_confirmed(rows, word.event_id, before)
    values = _standing(word, before, confirmed=confirmed, present=present)
    rows.put(AlertState, {"event_id": word.event_id}, values | {"confidence": known})


def _surest(*told: float | None) -> float | None:
    return max((one for one in told if one is not None), default=None)


def _learn_confidence(rows: Transaction, dedup: str, confidence: float) -> None:
    """The retained word was heard before the journal's, which alone tells it."""
    learnt = update(RealtimeEvent).where(
        RealtimeEvent.dedup == dedup, RealtimeEvent.confidence.is_(None)
    )
    rows.connection.execute(learnt.values(confidence=confidence))


def _was_confirmed(rows: Transaction, event_id: str, before: dict[str, Any] | None) -> bool:
    """Whether that is a person's last word on an alert."""
    if before and before["disposition"] == "confirmed":
        return True
    done = _done(rows, event_id).order_by(OperatorDecision.ts.desc(), OperatorDecision.id.desc())
    last = rows.connection.execute(done.limit(1)).scalar()
    return bool(last == "confirm")


def _done(rows: Transaction, event_id: str) -> Select[Any]:
    """What people did with an event, by the alerter's word."""
    return select(OperatorDecision.action).where(
        OperatorDecision.site == rows.site,
        OperatorDecision.event_id == event_id,
        OperatorDecision.outcome == "done",
    )


def _standing(
    word: Alert, before: dict[str, Any] | None, *, confirmed: bool, present: bool
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "revision": word.revision, "camera": word.camera, "type": word.type,
        "severity": word.severity, "status": word.status, "detected_at": word.detection_time,
        "updated_at": word.reference_time, "valid_until": word.valid_until, "lat": word.lat,
        "lon": word.lon, "test": int(word.test), "body": dump(words.plain(word)),
    }  # fmt: skip
    if before and before["revision"] == word.revision and not (present and _is_unspoken(before)):
        return values
    if word.terminated:
        by_person = before and before["disposition"] in BY_ACTION.values()
        disposition = BY_STATUS[word.status]
        if by_person and before and word.status == "cancel" and before["decided_by"] is None:
            disposition = before["disposition"]
        ended = {"state": ENDED, "disposition": disposition, "ended_at": word.reference_time}
        return values | ended
    disposition = "confirmed" if confirmed else "unconfirmed"
    return values | {"state": OPEN, "disposition": disposition, "ended_at": None}


def _is_unspoken(row: dict[str, Any]) -> bool:
    return row["state"] == ENDED and row["disposition"] in UNSPOKEN


def taken_back(rows: Transaction, event_id: str, now: float) -> None:
    """An alert is no longer retained: it is over, if that was not said before."""
    held = rows.find(AlertState, {"event_id": event_id})
    if held and held["state"] == OPEN:
        end(rows, event_id, "expired" if now >= held["valid_until"] - 1 else "ended_unseen", now)


def end(rows: Transaction, event_id: str, disposition: str, now: float) -> None:
    """An alert is over without a word."""
    values = {"state": ENDED, "disposition": disposition, "ended_at": now}
    rows.put(AlertState, {"event_id": event_id}, values)


def open_ids(rows: Transaction) -> list[tuple[str, float]]:
    """Open alerts of this site, and until when each holds."""
    found = select(AlertState.event_id, AlertState.valid_until).where(
        AlertState.site == rows.site, AlertState.state == OPEN
    )
    return [(row[0], row[1]) for row in rows.connection.execute(found)]


def end_unseen(rows: Transaction, seen: frozenset[str], now: float) -> None:
    """What is open here and not retained at the broker has ended while nobody listened."""
    for event_id, valid_until in open_ids(rows):
        if event_id not in seen:
            end(rows, event_id, "expired" if now >= valid_until else "ended_unseen", now)


def end_overdue(rows: Transaction, now: float) -> None:
    """What is long past its time is over, though the station that should say so is silent."""
    for event_id, valid_until in open_ids(rows):
        if now > valid_until + OVERDUE_S:
            end(rows, event_id, "expired", now)


def waits(rows: Transaction, word: PendingWord) -> None:
    """An incident that waits for a person, or is only looked at (shadow)."""
    body = dump(words.plain(word))
    camera, key = word.incident.camera, {"event_id": word.event_id}
    rows.put(Pending, key, {"camera": camera, "ts": word.since, "body": body})
    _count_waiting(rows, word, body)


def was_waiting(rows: Transaction, word: PendingWord) -> None:
    """The journal tells of one that waited: nobody is asked about it any more."""
    _count_waiting(rows, word, dump(words.plain(word)))


def _count_waiting(rows: Transaction, word: PendingWord, body: str) -> None:
    """It counts among the alarms, whether or not it is ever broadcast."""
    held = rows.find(AlertState, {"event_id": word.event_id})
    if held and (held["state"] != PENDING or held["revision"] > word.revision):
        return
    report = word.incident
    values = {
        "revision": word.revision, "camera": report.camera, "type": report.type,
        "severity": report.severity, "status": PENDING, "state": PENDING, "disposition": PENDING,
        "confidence": word.confidence, "detected_at": word.since, "updated_at": word.updated_at,
        "valid_until": word.decide_by, "ended_at": None, "lat": report.lat, "lon": report.lon,
        "test": int(report.test), "body": body,
    }  # fmt: skip
    rows.put(AlertState, {"event_id": word.event_id}, values)


def waits_no_more(rows: Transaction, event_id: str) -> None:
    """It was decided, or its time is over."""
    rows.remove(Pending, {"event_id": event_id})


def end_waiting(rows: Transaction, seen: frozenset[str]) -> None:
    """What waits here and is not retained at the broker was settled while nobody listened."""
    found = select(Pending.event_id).where(Pending.site == rows.site)
    for event_id in rows.connection.execute(found).scalars().all():
        if event_id not in seen:
            waits_no_more(rows, event_id)


def settled(rows: Transaction, word: Decided) -> None:
    """What came of a decision, or of what waited."""
    if word.by is None:
        rows.add(words.settled(word))
    else:
        rows.decide(_logged(word))
    if word.result == "refused":
        return
    waits_no_more(rows, word.event_id)
    held = rows.find(AlertState, {"event_id": word.event_id})
    values = _decided(rows, word, held["state"]) if held else {}
    if values:
        rows.put(AlertState, {"event_id": word.event_id}, values)


def _decided(rows: Transaction, word: Decided, state: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if state == PENDING and word.effect in ("dropped", "noted"):
        values = {"state": DROPPED, "disposition": DROPPED, "ended_at": word.ts}
    later = _done(rows, word.event_id).where(OperatorDecision.ts > word.ts)
    if word.by is None or rows.connection.execute(later.limit(1)).first():
        return values
    values |= {"decided_by": word.by, "reason": word.reason, "note": word.note}
    if word.action in BY_ACTION and (word.action != "confirm" or state == OPEN):
        values |= {"disposition": BY_ACTION[word.action]}
    return values


def _logged(word: Decided) -> Decision:
    assert word.by is not None
    return Decision(
        id=word.decision_id or f"{word.event_id}-{word.action}-{round(word.ts * 1000)}",
        ts=word.ts,
        by=word.by,
        action=word.action,
        outcome=word.result,
        event_id=word.event_id,
        camera=word.camera,
        if_revision=word.revision,
        reason=word.reason,
        note=word.note,
        body={
            "effect": word.effect, "refused": word.refused, "detail": word.detail,
            "first_by": word.first_by,
        },
    )  # fmt: skip


def judged(rows: Transaction, word: Verdict) -> None:
    """A person's word whether it was so."""
    rows.add(words.verdict(word))
    later = select(RealtimeEvent.id).where(
        RealtimeEvent.site == rows.site,
        RealtimeEvent.event_id == word.event_id,
        RealtimeEvent.status.startswith(words.VERDICT),
        RealtimeEvent.ts > word.ts,
    )
    if rows.connection.execute(later.limit(1)).first():
        return
    if rows.find(AlertState, {"event_id": word.event_id}):
        rows.put(AlertState, {"event_id": word.event_id}, {"verdict": word.verdict})


def reached(rows: Transaction, word: Receipt) -> None:
    """A vehicle dealt with an alert."""
    key = {"event_id": word.event_id, "vehicle": word.vehicle}
    held = rows.find(Reached, key)
    if held is None or held["revision"] < word.revision:
        values = {"revision": word.revision, "result": word.result}
        rows.put(Reached, key, values | {"received_at": word.received_at})
