"""Applies the policy to reports of cameras: what is broadcast, what waits, what is only kept.

To be called under the alerter's lock, before the register hears a report. A person's report, and
one of another system, goes out at once; it also seconds what waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Literal

from alerter import metrics
from alerter.deciding import due
from alerter.deciding.held import Held
from alerter.deciding.items import Items
from alerter.deciding.operators import Operators
from alerter.deciding.waiting import Closed, Waiting, again, begun, is_forgotten, pending
from alerter.ingest.placing import Place
from alerter.ingest.report_times import Report
from alerter.journal.journal import Journal
from alerter.lifecycle import by_person, versions
from alerter.lifecycle.by_person import Said
from alerter.lifecycle.clips import ClipRequests
from alerter.lifecycle.register import Outcome, Register
from hazardcast.config.alerting import Policy
from hazardcast.config.site import SiteConfig
from hazardcast.contract.incident_types import IncidentType
from hazardcast.contract.messages import Decided
from hazardcast.contract.topics import DECIDED, PENDING
from hazardcast.machine.steady import Steady
from hazardcast.mqtt.bus import Bus, Delivery

MOST_REMEMBERED = 2000
AT_ONCE = Policy()
RESULTS = {"approve": "approved", "seconded": "seconded", "timeout": "timeout_broadcast"}
"""How what waited came to be broadcast, as the metric says it."""
EXPIRED = "expired: the alerter was away for too long to tell it as news"
Unasked = Literal["timeout", "seconded", "withdrawn"]


@dataclass(frozen=True)
class Parts:
    """What of the alerter this works with."""

    config: SiteConfig
    register: Register
    journal: Journal
    clips: ClipRequests
    bus: Bus
    steady: Steady
    broadcast: Callable[[Outcome, float, Report, str | None], None]
    """Says a version on every way: what it is, when its cause came, its report, who decided."""


class Withholding:
    """Keeps what is not broadcast until it is decided.

    Args:
        parts: of the alerter.
        items: what is held.
        operators: whether somebody is there who may decide.
    """

    def __init__(self, parts: Parts, items: Items, operators: Operators) -> None:
        self._parts, self.items, self.operators = parts, items, operators
        config = parts.config
        self._policies: dict[tuple[str | None, IncidentType], Policy] = {
            (camera, kind): policy
            for camera in config.cameras
            for kind in IncidentType
            if (policy := config.policy(camera, kind)) != AT_ONCE
        }
        """Of what is not broadcast at once whatever it is; all else is, without a look."""
        self.settled: dict[str, Decided] = {}
        """What was settled last of an event, to tell who comes second."""
        for item in items:
            if parts.register.find(item.event_id):  # broadcast just before the process died
                items.remove(item)
            else:
                parts.register.reserve(item.event_id)

    def judge(self, report: Report, place: Place, now: float) -> Held | None:
        """What becomes of a report that is not broadcast; None: the register is to hear it."""
        incident = report.incident
        camera = incident.camera
        policy = self._policies.get((camera, incident.type), AT_ONCE)
        if policy.mode == "auto" and not self.items:
            return None
        if incident.status == "cancel":
            return self._withdrawn(self.items.taken_back(report) if camera else None)
        mode: Literal["confirm", "shadow"] = "shadow" if policy.mode == "shadow" else "confirm"
        item = self.items.of_camera(report, place, now, mode) if camera else None
        if mode == "shadow":
            return self._in_shadow(item, report, place, now)
        if item and item.closed == "rejected":
            return self._disbelieved(item, report, place, now)
        return self._weigh(item, report, place, now, policy)

    def _weigh(
        self, item: Waiting | None, report: Report, place: Place, now: float, policy: Policy
    ) -> Held | None:
        """Sure enough, seen by another too, or to wait."""
        refused = self._parts.register.refuses(report, place, now)
        is_past = refused and not self._names_what_waits(report)
        if is_past and (item is None or item.closed):
            return None
        seconded = not is_past and self._second(report, place, now, heard=not refused)
        if seconded or policy.mode == "auto" or _is_sure(report, policy):
            return self._let_through(item, report)
        if item is None and (refused or not self._parts.register.opens(report, place, now)):
            return None
        return self._wait(item, report, place, now, policy)

    def _names_what_waits(self, report: Report) -> bool:
        """Whether it goes by our name of it, which the register does not know."""
        named = report.incident.event_id
        return named is not None and self.items.find(named) is not None

    def _disbelieved(self, item: Waiting, report: Report, place: Place, now: float) -> Held:
        """A person said that it is not so: however sure its camera is, it seconds nothing."""
        item = self._hold(item, report, place, now)
        return Held(item.event_id, "dropped", item.revision)

    def _second(self, report: Report, place: Place, now: float, *, heard: bool) -> bool:
        """Broadcast what another reporter sees too; whether there is any.

        What its time was over of lately counts, where nothing of the same is broadcast already and
        the report is `heard` by the register.
        """
        others = self.items.seconded(report, place)
        late = None if others or not heard else self.items.timed_out(report, place, now)
        if late and self._parts.register.opens(report, place, now):
            others = [late]
        for other in others:
            self.broadcast(other, "seconded", received_at=report.received_at)
        return bool(others)

    def _let_through(self, item: Waiting | None, report: Report) -> Held | None:
        """What its camera said before is broadcast with it."""
        if item and not item.closed:
            self.broadcast(item, "seconded", received_at=report.received_at)
        self._forget_over(report)
        return None

    def _forget_over(self, report: Report) -> None:
        """Its id means something new from now on."""
        for item in self.items.over(report):
            self._forget(item)

    def _withdrawn(self, item: Waiting | None) -> Held | None:
        if item is None:
            return None
        if item.closed is None:
            self.close(item, "withdrawn")
        return Held(item.event_id, "withdrawn", item.revision)

    def _in_shadow(
        self, item: Waiting | None, report: Report, place: Place, now: float
    ) -> Held | None:
        """Nothing is told; what was on air before the policy said so goes on."""
        named = report.incident.event_id
        if item is None and named and self._parts.register.knows(named, now):
            return None
        item = self._hold(item, report, place, now)
        return Held(item.event_id, "dropped" if item.closed else "shadow", item.revision)

    def _wait(
        self, item: Waiting | None, report: Report, place: Place, now: float, policy: Policy
    ) -> Held | None:
        if item is None and policy.on_timeout == "broadcast" and self._nobody(policy, now):
            metrics.WITHHELD.labels(result=RESULTS["timeout"]).inc()
            self._forget_over(report)
            return None
        item = self._hold(item, report, place, now)
        if item.closed is None and self._nobody(policy, now):
            item = self.close(item, "timeout")
        return Held(item.event_id, "dropped" if item.closed else "pending", item.revision)

    def _nobody(self, policy: Policy, now: float) -> bool:
        return due.nobody(self.operators, policy.on_timeout, now)

    def _policy(self, report: Report) -> Policy:
        return self._policies.get((report.incident.camera, report.incident.type), AT_ONCE)

    def _hold(self, item: Waiting | None, report: Report, place: Place, now: float) -> Waiting:
        if item is None:
            return self._begin(report, place, now)
        newest = again(item, report, place, now)
        self.items.put(newest, keep=_worth_keeping(newest, item))
        if newest.revision != item.revision:
            self._say(newest)
        return newest

    def _begin(self, report: Report, place: Place, now: float) -> Waiting:
        assert report.incident.camera
        self._forget_over(report)
        if crowded := self.items.crowding(report.incident.camera):
            self._time_out(crowded)
            if left := self.items.find(crowded.event_id):
                self._forget(left)
        register = self._parts.register
        event_id = register.new_id()
        register.reserve(event_id)
        item = begun(event_id, report, place, self._policy(report), now)
        self.items.put(item)
        metrics.WITHHELD.labels(result=item.mode).inc()
        self._say(item)
        draft = versions.first(event_id, report, place, report.received_at)
        self._parts.clips.ask(draft, item.camera, at=draft.ts, broadcast=False)
        return item

    def _say(self, item: Waiting) -> None:
        told = pending(item, self._parts.steady.moment())
        self._parts.journal.pending(told)
        self._parts.bus.publish(PENDING, told, event_id=item.event_id)
        self._parts.journal.tell()

    def tidy(self, now: float, lock: AbstractContextManager[object]) -> None:
        """What nobody has decided in time, or nobody can decide; from time to time.

        To be called without the alerter's lock: a report waits for one of them at most.
        """
        with lock:
            self.items.note_anew(now)
            away_s = self.operators.connection(self._parts.bus.connected, now)
        for item in self.items:
            late = is_forgotten(item, now) or due.is_due(item, self.operators, now)
            if late or due.prolonged(item, away_s, now) is not item:
                with lock:
                    self._settle(item.event_id, now, away_s)
                time.sleep(0)  # else this thread has the lock again before who waits for it wakes

    def _settle(self, event_id: str, now: float, away_s: float) -> None:
        """As it is now: it may have been decided since."""
        item = self.items.find(event_id)
        if item is None:
            return
        if is_forgotten(item, now):
            self._forget(item)
            return
        if (waits_on := due.prolonged(item, away_s, now)) is not item:
            item = waits_on
            self.items.put(item)
            self._say(item)
        if due.is_due(item, self.operators, now):
            self._time_out(item)

    def _time_out(self, item: Waiting) -> None:
        if item.closed is not None:
            return
        if item.on_timeout == "broadcast" and not item.stale:
            now = self._parts.steady.moment().wall
            self.broadcast(item, "timeout", received_at=now)
        else:
            self.close(item, "timeout")

    def broadcast(
        self,
        item: Waiting,
        action: Unasked | Literal["approve"],
        *,
        received_at: float,
        said: Said | None = None,
    ) -> Decided:
        """Make an alert of what waits; told to those who decide once it is on its way."""
        incident, moment = item.report.incident, self._parts.steady.moment()
        if said:
            incident = incident.model_copy(update={"confidence": by_person.SURE})
        report = replace(
            item.report,
            incident=incident,
            confirmed_at=round(said.decided_at if said else moment.wall, 3),
            received_at=moment.wall,
            retained=False,
            again=False,
        )
        self._parts.register.release(item.event_id)
        outcome = self._parts.register.open(
            report, item.place, moment.steady, event_id=item.event_id
        )
        event = replace(outcome.event, evidence_at=moment.steady)
        if said:
            event = by_person.with_word(event, said)
        self._parts.register.keep(event)
        outcome = replace(outcome, event=event)
        self.items.take(item)
        metrics.WITHHELD.labels(result=RESULTS[action]).inc()
        self._parts.broadcast(outcome, received_at, report, said.by if said else None)
        self.items.erase(item)
        self._parts.bus.clear(PENDING, event_id=item.event_id)
        told = self._decided(item, action, "broadcast").model_copy(
            update={"revision": outcome.event.alert.revision}
        )
        return told if said else self.tell(told)

    def close(self, item: Waiting, action: Literal["timeout", "withdrawn"]) -> Waiting:
        """Nothing becomes of it: its clip and its record stay."""
        expired = item.stale and item.on_timeout == "broadcast" and action == "timeout"
        self.end(item, "withdrawn" if action == "withdrawn" else "dropped", expired=expired)
        effect: Literal["noted", "dropped"] = "noted" if item.mode == "shadow" else "dropped"
        told = self._decided(item, action, effect)
        self.tell(told.model_copy(update={"detail": EXPIRED}) if expired else told)
        found = self.items.find(item.event_id)
        assert found
        return found

    def end(self, item: Waiting, closed: Closed, *, expired: bool = False) -> None:
        """Note that it is over; `expired`: it would have been broadcast, had it been news."""
        self.items.put(replace(item, closed=closed))
        self._parts.bus.clear(PENDING, event_id=item.event_id)
        if item.mode == "confirm":
            result = "rejected" if closed == "rejected" else "expired" if expired else "dropped"
            metrics.WITHHELD.labels(result=result).inc()

    def _decided(
        self,
        item: Waiting,
        action: Unasked | Literal["approve"],
        effect: Literal["broadcast", "dropped", "noted"],
    ) -> Decided:
        return Decided(
            event_id=item.event_id,
            result="done",
            action=action,
            effect=effect,
            revision=item.revision,
            ts=round(self._parts.steady.moment().wall, 3),
            camera=item.camera,
            type=item.report.incident.type,
        )

    def tell(self, told: Decided) -> Decided:
        """Keep and say what was settled."""
        self.settled.pop(told.event_id, None)
        self.settled[told.event_id] = told
        if len(self.settled) > MOST_REMEMBERED:
            del self.settled[next(iter(self.settled))]
        self._parts.journal.decided(told)
        self._parts.bus.publish(DECIDED, told, event_id=told.event_id)
        self._parts.journal.tell()
        return told

    def _forget(self, item: Waiting) -> None:
        self.items.remove(item)
        self._parts.register.release(item.event_id)
        self._parts.clips.forget(item.event_id)

    def resume(self) -> None:
        """Ask once more for the clips of what waits: the request may have died in the outbox."""
        for item in self.items:
            draft = versions.first(item.event_id, item.report, item.place, item.report.received_at)
            self._parts.clips.ask(draft, item.camera, at=draft.ts, broadcast=False)

    def say_all(self) -> None:
        """A broker that restarted may have forgotten what waits."""
        for item in self.items.open:
            told = pending(item, self._parts.steady.moment())
            self._parts.bus.publish(PENDING, told, event_id=item.event_id)

    def heard(self, delivery: Delivery) -> None:
        """Clear what an earlier process of this station left at the broker; others' is not ours."""
        event_id = delivery.parameters["event_id"]
        own = event_id.startswith(f"{self._parts.config.site.station_id}-")
        item = self.items.find(event_id)
        if delivery.retained and own and (item is None or item.closed):
            self._parts.bus.clear(PENDING, event_id=event_id)


def _worth_keeping(newest: Waiting, kept: Waiting) -> bool:
    """Its camera speaks of it every second or so: the disk need not hear of each word."""
    return (newest.revision, newest.aliases) != (kept.revision, kept.aliases)


def _is_sure(report: Report, policy: Policy) -> bool:
    confidence = report.incident.confidence
    return confidence is not None and confidence >= policy.auto_confidence
