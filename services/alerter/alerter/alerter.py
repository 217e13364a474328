"""Incidents in, alerts out: what happens between a door and the air, and what is kept of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from alerter import metrics
from alerter.air.on_air import OnAir
from alerter.air.schedule import CANCEL_REPEATED_S, TICK_PERIOD_S
from alerter.deciding.decisions import Decisions
from alerter.deciding.held import Held
from alerter.deciding.items import Items
from alerter.deciding.keeping import WaitingFolder
from alerter.deciding.operators import Operators
from alerter.deciding.withholding import Parts, Withholding
from alerter.doors.answers import Answer, Door, Voice, answer, is_new_under_no_known_id, joined
from alerter.exports.exports import Exports
from alerter.ingest import placing, report_times
from alerter.ingest.placing import Place
from alerter.ingest.refusal import Reason, Refusal
from alerter.ingest.report_times import Limits, Report
from alerter.journal.journal import Journal
from alerter.kpi.receipts import Receipts
from alerter.lifecycle import by_person
from alerter.lifecycle.active_topics import ActiveTopics
from alerter.lifecycle.clips import ClipRequests
from alerter.lifecycle.crowding import reporter_of
from alerter.lifecycle.events import OPERATOR, Event
from alerter.lifecycle.keeper import Keeper
from alerter.lifecycle.register import Action, Outcome, Register
from alerter.lifecycle.store import Store
from hazardcast.config.settings import Settings
from hazardcast.config.site import SiteConfig
from hazardcast.contract import reports
from hazardcast.contract.messages import Alert, Receipt, ServiceStatus
from hazardcast.contract.reports import Reading, Unreadable
from hazardcast.contract.topics import (
    ACTIVE,
    CLIP_REQUESTS,
    DECISIONS,
    INCIDENTS,
    PENDING,
    RECEIPTS,
    STATUS,
    VERDICTS,
)
from hazardcast.machine.clock import Clock
from hazardcast.machine.steady import Steady
from hazardcast.mqtt.bus import Bus, Delivery
from hazardcast.service.metrics import GAVE_WAY, MESSAGES_REJECTED
from hazardcast.service.sparing_log import SparingLog

log = logging.getLogger(__name__)


class Alerter:
    """Takes incidents from any door, one at a time, and keeps their alerts on air."""

    def __init__(
        self,
        *,
        config: SiteConfig,
        settings: Settings,
        register: Register,
        store: Store | Keeper,
        on_air: OnAir,
        receipts: Receipts,
        exports: Exports,
        journal: Journal,
        waiting_dir: Path,
        bus: Bus,
        clock: Clock,
        steady: Steady,
        text: Callable[[Alert], str] = Alert.encode,
    ) -> None:
        self._config = config
        self._settings = settings
        self._limits = Limits(settings.ingest_max_age_s, settings.ingest_max_future_s)
        self._register = register
        self._store = store
        self._on_air = on_air
        self._receipts = receipts
        self._exports = exports
        self._journal = journal
        self._bus = bus
        self._clock = clock
        self._steady = steady
        self._text = text
        self._dated_by_s = steady.set_by_s
        self._active = ActiveTopics(
            bus, station=config.site.station_id, register=register, clock=clock, steady=steady
        )
        self._clips = ClipRequests(bus, pre_s=settings.clip_pre_s, post_s=settings.clip_post_s)
        self._lines, self._voice = SparingLog(log, clock), Voice(bus, clock)
        self._crowded = SparingLog(log, clock)
        self._lock = threading.RLock()
        self._join_decisions(waiting_dir)

    def _join_decisions(self, waiting_dir: Path) -> None:
        parts = Parts(
            self._config, self._register, self._journal, self._clips, self._bus, self._steady,
            broadcast=self._broadcast,
        )  # fmt: skip
        items = Items.kept_in(
            WaitingFolder(waiting_dir, self._store), self._config, self._clock, self._steady,
            max_age_s=self._limits.max_age_s,
        )  # fmt: skip
        self.withholding = Withholding(parts, items, Operators(self._steady.now()))
        self._decisions = Decisions(
            parts, self.withholding, lock=self._lock, limits=self._limits, changed=self._change
        )

    def listen(self) -> None:
        """Subscribe to everything the alerter hears on the bus."""
        self._bus.subscribe_bytes(INCIDENTS, self._hear_report)
        self._bus.subscribe(RECEIPTS, self._hear_receipt)
        self._bus.subscribe(STATUS, self._hear_status)
        self._bus.subscribe(ACTIVE, lambda _alert, delivery: self._hear_active(delivery))
        self._bus.subscribe(DECISIONS, self._decisions.hear)
        self._bus.subscribe(VERDICTS, self._decisions.hear_verdict)
        self._bus.subscribe(PENDING, lambda _pending, delivery: self._hear_pending(delivery))
        self._bus.on_connect(self._show_active)
        self._bus.on_connect(self._ask_again)

    def alerts(self) -> list[Alert]:
        """The alerts in force."""
        return self._register.in_force(self._steady.now())

    def accept(self, payload: bytes, door: Door) -> Answer:
        """Take a report that arrived just now."""
        return self._accept(payload, door, self._clock.now())

    def _accept(
        self,
        payload: bytes,
        door: Door,
        received_at: float,
        *,
        retained: bool = False,
        again: bool = False,
    ) -> Answer:
        """Read, decide, send; what there is to say about the report itself comes last."""
        self._steady.look()
        reading = reports.read(payload, self._config.cameras)
        if isinstance(reading, Unreadable):
            refusal = Refusal(Reason.SCHEMA, reading.problem.reason, reading.problem.field)
            told = answer(refusal, reading.warnings, reading.report_id)
        else:
            told = self._take(reading, door, received_at, retained=retained, again=again)
        self._voice.tell(told, payload, door)
        return told

    def _take(
        self, reading: Reading, door: Door, received_at: float, *, retained: bool, again: bool
    ) -> Answer:
        incident, given_id = reading.incident, reading.incident.report_id
        report = report_times.judge(
            incident,
            received_at=received_at,
            limits=self._limits,
            retained=retained,
            set_by_s=self._steady.set_by_s,
            waited_s=door.waited_s,
        )
        if isinstance(report, Refusal):
            return answer(report, reading.warnings, given_id)
        if again:
            report = replace(report, again=True)
        place = placing.place(incident, self._config)
        with self._lock:
            outcome = self._decide(report, place)
            if is_new_under_no_known_id(outcome, report):
                report = report_times.unnamed(report, str(outcome.detail))
                outcome = self._decide(report, place)
            if isinstance(outcome, Outcome):
                self._carry_out(outcome, received_at, report)
                if outcome.gave_way or outcome.joined:
                    self._make_room(outcome, report, place.clip_camera)
            if not isinstance(outcome, Refusal):
                metrics.INGESTED_AS[outcome.action].inc()
        self._store.settle()
        warnings = reading.warnings + report.warnings + joined(outcome)
        return answer(outcome, warnings, given_id)

    def _decide(self, report: Report, place: Place) -> Outcome | Refusal | Held:
        """By the policy of its camera, else at once."""
        now = self._steady.now()
        held = self.withholding.judge(report, place, now)
        return held or self._register.report(report, place, now)

    def _broadcast(
        self, outcome: Outcome, received_at: float, report: Report, by: str | None
    ) -> None:
        """What waited becomes an alert."""
        self._carry_out(outcome, received_at, report, by)
        if outcome.gave_way or outcome.joined:
            self._make_room(outcome, report, report.incident.camera)

    def _change(self, event: Event, received_at: float, by: str) -> None:
        """An operator made a new version."""
        action: Action = "cancel" if event.alert.terminated else "update"
        self._carry_out(Outcome(action, event), received_at, None, by)

    def _make_room(self, outcome: Outcome, report: Report, camera: str | None) -> None:
        """The register is crowded: forget what gave way, and say what had to join another."""
        if outcome.gave_way:
            self._forget(outcome.gave_way)
            GAVE_WAY.labels(kind="register", reason="over").inc()
        if outcome.joined:
            GAVE_WAY.labels(kind="register", reason="joined").inc()
            about = {"event": outcome.event.alert.event_id, "source": outcome.event.source}
            self._crowded.say(logging.WARNING, "no room: told with the nearest alert", extra=about)
            self._ask_for_clip(outcome.event, camera, at=report.ts)

    def _carry_out(
        self, outcome: Outcome, received_at: float, report: Report | None, by: str | None = None
    ) -> None:
        """Send first; what can wait comes after, but before the broker gets its acknowledgement.

        What stores may hear of is in the journal before, unless the disk hangs.
        """
        if outcome.action != "unchanged":
            self._announce(outcome.event, received_at)
            self._note(outcome.event, report, by)
        self._store.put(outcome.event)
        if outcome.action != "unchanged":
            self._store.settle()
            self._tell(outcome)
            self._journal.tell()

    def _note(self, event: Event, report: Report | None = None, by: str | None = None) -> None:
        """Have a version in the journal."""
        confidence = report.incident.confidence if report else None
        reporter = reporter_of(report.incident) if report else ""
        if by:
            reporter = OPERATOR + by
            confidence = None if event.alert.terminated else by_person.SURE
        self._journal.alert(event.alert, confidence=confidence, reporter=reporter or None)

    def _announce(self, event: Event, received_at: float) -> None:
        alert = event.alert
        for_s = CANCEL_REPEATED_S if alert.terminated else event.ends_at - self._steady.now()
        sent = self._on_air.announce(
            alert.event_id, self._text(alert), for_s=for_s, routine=alert.status == "update"
        )
        self._receipts.sent(alert, self._clock.monotonic())
        confirmed_s, ingested_s = received_at - alert.confirmed_at, sent.tx - received_at
        metrics.CONFIRM_TO_INGEST.observe(max(0.0, confirmed_s))
        metrics.INGEST_TO_SEND.observe(max(0.0, ingested_s))

    def _tell(self, outcome: Outcome) -> None:
        alert = outcome.event.alert
        self._active.say(alert)
        self._exports.tell(alert)
        if not alert.terminated:
            self._ask_for_clip(outcome.event, outcome.event.clip_camera)
        self._log(outcome)

    def _log(self, outcome: Outcome) -> None:
        alert = outcome.event.alert
        about = {
            "event": alert.event_id,
            "revision": alert.revision,
            "type": str(alert.type),
            "severity": str(alert.severity),
        }
        self._lines.say(logging.INFO, "alert: %s", outcome.action, extra=about)

    def _ask_for_clip(self, event: Event, camera: str | None, at: float | None = None) -> None:
        """Once for each camera of an event; `at` where it is not the event's own beginning."""
        self._clips.ask(event.alert, camera, at=event.first_ts if at is None else at)

    def _ask_again(self) -> None:
        """A broker that was gone may have forgotten it; the clipper makes one clip all the same."""
        with self._lock:
            requests = self._clips.all()
        for request in requests:
            self._bus.publish(CLIP_REQUESTS, request)

    def resume(self) -> None:
        """Go on where the process before this one was stopped or killed."""
        self.expire()
        for _ in self._redated():
            pass  # told by the ticks to come
        now = self._steady.now()
        events = [event for event in self._register.events if _air_time_s(event, now) > 0]
        self._exports.resume(self._register.in_force(now))
        for index, event in enumerate(events):
            self._on_air.resume(
                event.alert.event_id,
                event.alert.encode(),
                for_s=_air_time_s(event, now),
                after_s=TICK_PERIOD_S * index / len(events),
            )
        self.withholding.resume()
        for event in self._register.events:  # what is over too: the process before may have died
            self._ask_for_clip(event, event.clip_camera)
        if events:
            log.info("alerts resumed", extra={"count": len(events)})

    def expire(self) -> None:
        """End every alert whose validity is over."""
        self._notice_clock()
        now = self._steady.now()
        with self._lock:
            for event in self._register.expire(now):
                self._forget(event)
            self._active.catch_up()
            self._store.keep_short(self._register.events)
        self.withholding.tidy(now, self._lock)
        metrics.WAITING.set(len(self.withholding.items.open))
        metrics.show_in_force(self._register.in_force(now))

    def _notice_clock(self) -> None:
        """When the machine's clock was set, alerts go on as they were, dated anew on the wire."""
        self._steady.look()
        by_s = self._steady.set_by_s - self._dated_by_s
        if not by_s:
            return
        self._dated_by_s += by_s
        log.warning("the clock was set", extra={"by_s": round(by_s, 3)})
        self._receipts.clock_was_set(self._clock.monotonic())
        for event in self._redated():
            self._announce(event, self._clock.now())
            self._store.settle()
            self._active.say(event.alert)
            self._exports.tell(event.alert)
            self._journal.tell()

    def _redated(self) -> Iterator[Event]:
        """Each alert that must be told anew; a report waits for one of them at most."""
        for event in self._register.events:
            with self._lock:
                changed = self._register.redate(event.alert.event_id, self._steady.moment())
                if changed:
                    self._note(changed)
                    self._store.put(changed)
                    yield changed

    def _forget(self, event: Event) -> None:
        event_id = event.alert.event_id
        self._on_air.stop(event_id)
        self._store.remove(event_id)
        self._receipts.ended(event_id)
        self._clips.forget(event_id)
        if not event.alert.terminated:
            self._active.clear(event_id)
            metrics.EXPIRED.inc()
            log.info("alert: expired", extra={"event": event_id})

    def _hear_report(self, payload: bytes, delivery: Delivery) -> None:
        if not payload:  # a retained report is removed
            return
        told = self._accept(
            payload,
            Door("mqtt"),
            delivery.received_at,
            retained=delivery.retained,
            again=delivery.again,
        )
        if isinstance(told.outcome, Refusal) and told.outcome.reason is Reason.SCHEMA:
            MESSAGES_REJECTED.labels(kind=INCIDENTS.filter).inc()

    def _hear_receipt(self, receipt: Receipt, delivery: Delivery) -> None:
        self._receipts.take(
            receipt, received_at=delivery.received_at, at=delivery.received_monotonic
        )

    def _hear_status(self, status: ServiceStatus, delivery: Delivery) -> None:
        self._receipts.vehicle(status, delivery.received_monotonic, retained=delivery.retained)
        with self._lock:
            self.withholding.operators.hear(status, delivery.parameters, self._steady.now())

    def _hear_active(self, delivery: Delivery) -> None:
        with self._lock:
            self._active.heard(delivery)

    def _hear_pending(self, delivery: Delivery) -> None:
        with self._lock:
            self.withholding.heard(delivery)

    def _show_active(self) -> None:
        with self._lock:
            self._active.say_all(self.alerts())
            self.withholding.say_all()


def _air_time_s(event: Event, now: float) -> float:
    """How long an alert is still to be told, just after a start.

    An end is told once more, however long ago it came: a vehicle that missed it before this
    process ran cannot tell by heartbeats, as those of another epoch may come from an older state.
    """
    remains_s = event.ends_at - now
    return min(CANCEL_REPEATED_S, remains_s) if event.alert.terminated else remains_s
