"""Carries out what operators decide, one at a time; who comes second is told who was first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Literal

from alerter import metrics
from alerter.deciding.waiting import Waiting
from alerter.deciding.withholding import Parts, Withholding
from alerter.ingest.report_times import Limits
from alerter.lifecycle import by_person
from alerter.lifecycle.by_person import Said
from alerter.lifecycle.events import Event
from hazardcast.contract.messages import Decided, Decision, Verdict
from hazardcast.contract.topics import DECIDED
from hazardcast.mqtt.bus import Delivery

log = logging.getLogger(__name__)
MOST_AHEAD_S = 60.0
"""A console's clock may be off so far; beyond, nobody knows how old its decision is."""
Why = Literal["stale", "late", "unknown", "ended", "unfit"]
UNASKED = {
    "timeout": "its time was over",
    "seconded": "another reporter has seen it: it is broadcast",
    "withdrawn": "its camera has taken it back",
}
ON_ALERTS = ("confirm", "clear", "negate")


class Decisions:
    """Hears decisions and verdicts.

    Args:
        parts: of the alerter.
        withholding: what waits.
        lock: the alerter's; decisions and reports come one at a time.
        limits: how old a decision may be.
        changed: says an event's new version on every way; the event, when its cause came, by whom.
    """

    def __init__(
        self,
        parts: Parts,
        withholding: Withholding,
        *,
        lock: threading.RLock,
        limits: Limits,
        changed: Callable[[Event, float, str], None],
    ) -> None:
        self._parts, self._withholding = parts, withholding
        self._lock, self._limits, self._changed = lock, limits, changed

    def hear(self, decision: Decision, delivery: Delivery) -> None:
        """Carry a decision out, or refuse it; said on `v2x/decided/{event_id}` either way."""
        if delivery.retained:
            log.warning("a retained decision is of the past", extra={"by": decision.by})
            return
        with self._lock:
            self._parts.steady.look()
            told = self._repeated(decision) or self._settle(decision, delivery)
        about = {"event": told.event_id, "action": told.action, "by": told.by}
        log.info("decision: %s", told.result, extra={**about, "why": told.detail})

    def hear_verdict(self, verdict: Verdict, delivery: Delivery) -> None:
        """Keep a person's word."""
        if not delivery.retained:
            with self._lock:
                self._parts.journal.verdict(verdict)
                self._parts.journal.tell()

    def _repeated(self, decision: Decision) -> Decided | None:
        """The same answer to a decision that was delivered twice (QoS 1)."""
        last = self._withholding.settled.get(decision.event_id)
        if not (last and decision.decision_id and last.decision_id == decision.decision_id):
            return None
        self._parts.bus.publish(DECIDED, last, event_id=last.event_id)
        return last

    def _settle(self, decision: Decision, delivery: Delivery) -> Decided:
        event_id = delivery.parameters["event_id"]
        if event_id != decision.event_id:
            return self._refuse(decision, "unfit", f"said on the topic of {event_id}", 0)
        age_s = delivery.received_at - decision.ts
        if not -MOST_AHEAD_S <= age_s <= self._limits.max_age_s:
            off = f"{abs(age_s):.0f} s {'old' if age_s > 0 else 'ahead of this clock'}"
            return self._refuse(decision, "late", off, self._revision(event_id))
        said = Said(
            decision.by,
            decided_at=min(decision.ts, delivery.received_at),
            moment=self._parts.steady.moment(),
        )
        item = self._withholding.items.find(event_id)
        if item:
            return self._on_waiting(item, decision, said, delivery.received_at)
        return self._on_alert(decision, said, delivery.received_at)

    def _revision(self, event_id: str) -> int:
        item, event = self._withholding.items.find(event_id), self._parts.register.find(event_id)
        return item.revision if item else event.alert.revision if event else 0

    def _on_waiting(
        self, item: Waiting, decision: Decision, said: Said, received_at: float
    ) -> Decided:
        if item.closed:
            return self._refuse(decision, "ended", "it was dropped", item.revision)
        if decision.action in ON_ALERTS:
            detail = "it is not broadcast: approve or reject"
            return self._refuse(decision, "unfit", detail, item.revision)
        if decision.if_revision != item.revision:
            return self._refuse(decision, "stale", "there is a newer revision", item.revision)
        if decision.action == "approve" and item.mode == "confirm":
            told = self._withholding.broadcast(item, "approve", received_at=received_at, said=said)
            return self._done(decision, "broadcast", told.revision, item)
        self._withholding.end(item, "rejected" if decision.action == "reject" else "dropped")
        effect: Literal["noted", "dropped"] = "noted" if item.mode == "shadow" else "dropped"
        return self._done(decision, effect, item.revision, item)

    def _on_alert(self, decision: Decision, said: Said, received_at: float) -> Decided:
        event = self._parts.register.find(decision.event_id)
        if event is None:
            why: Why = "ended" if decision.event_id in self._withholding.settled else "unknown"
            return self._refuse(decision, why, "no such event is known", 0)
        revision = event.alert.revision
        if not event.in_force(said.moment.steady):
            return self._refuse(decision, "ended", "it is over", revision)
        if decision.action not in ON_ALERTS:
            why = "stale" if decision.event_id in self._withholding.settled else "unfit"
            return self._refuse(decision, why, "it is broadcast already", revision)
        if decision.if_revision != revision:
            return self._refuse(decision, "stale", "there is a newer revision", revision)
        return self._carry_out(event, decision, said, received_at)

    def _carry_out(
        self, event: Event, decision: Decision, said: Said, received_at: float
    ) -> Decided:
        if decision.action == "confirm":
            changed = by_person.confirmed(event, said)
        else:
            status: by_person.End = "cancel" if decision.action == "clear" else "negate"
            changed = by_person.ended(event, said, status)
        self._parts.register.keep(changed)
        self._changed(changed, received_at, said.by)
        effect: Literal["broadcast", "ended"] = "ended" if changed.alert.terminated else "broadcast"
        return self._done(decision, effect, changed.alert.revision, changed)

    def _done(
        self,
        decision: Decision,
        effect: Literal["broadcast", "ended", "dropped", "noted"],
        revision: int,
        about: Waiting | Event,
    ) -> Decided:
        alert = about.alert if isinstance(about, Event) else about.report.incident
        told = self._told(
            decision, result="done", effect=effect, revision=revision, camera=alert.camera,
            type=alert.type,
        )  # fmt: skip
        metrics.DECISIONS.labels(kind=decision.action, result="done").inc()
        return self._withholding.tell(told)

    def _refuse(self, decision: Decision, why: Why, detail: str, revision: int) -> Decided:
        """Nothing is changed; not kept in the journal, as nothing came of it."""
        first = self._withholding.settled.get(decision.event_id)
        told = self._told(decision, result="refused", refused=why, detail=detail, revision=revision)
        if first and why in ("stale", "ended"):
            told = told.model_copy(update=_who_was_first(first))
        metrics.DECISIONS.labels(kind=decision.action, result=why).inc()
        self._parts.bus.publish(DECIDED, told, event_id=decision.event_id)
        return told

    def _told(self, decision: Decision, **facts: Any) -> Decided:
        return Decided(
            event_id=decision.event_id,
            action=decision.action,
            ts=round(self._parts.steady.moment().wall, 3),
            by=decision.by,
            reason=decision.reason,
            note=decision.note,
            decision_id=decision.decision_id,
            **facts,
        )


def _who_was_first(first: Decided) -> dict[str, Any]:
    """What is told to whoever comes second."""
    if first.by is None:
        return {"detail": UNASKED[first.action]}
    return {
        "first_by": first.by,
        "first_action": first.action,
        "first_at": first.ts,
        "detail": f"{first.by} was first: {first.action}",
    }
