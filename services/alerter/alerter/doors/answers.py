"""What a reporter is told: in the answer, on `v2x/warnings` and in the log."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

from alerter import metrics
from alerter.deciding.held import Held
from alerter.ingest.refusal import Reason, Refusal
from alerter.ingest.report_times import Report
from alerter.lifecycle.register import Outcome
from hazardcast.contract.fields import REMARK_LENGTH, line
from hazardcast.contract.messages import Alert, Incident
from hazardcast.contract.report_warnings import FieldWarning, ReportWarnings
from hazardcast.contract.reports import report_id
from hazardcast.contract.topics import WARNINGS
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus
from hazardcast.receiving.token_bucket import TokenBucket
from hazardcast.service.sparing_log import SparingLog

log = logging.getLogger(__name__)
WORDS_PER_S, WORDS_BURST = 10.0, 50.0

TOLD_IN_THE_ALERT = frozenset(Alert.model_fields) & frozenset(Incident.model_fields) - {
    "camera",
    "event_id",
    "status",
}
"""Fields of a report in whose place an alert says something else, if they cannot be used."""


@dataclass(frozen=True)
class Door:
    """The way that a report came, and from whom as far as the way tells it."""

    kind: Literal["mqtt", "http", "file"]
    sender: str | None = None
    waited_s: float = 0.0
    """How long it lay at the door before anybody was there to take it."""


@dataclass(frozen=True)
class Answer:
    """What became of a report, and what of it could not be used as it was sent."""

    outcome: Outcome | Refusal | Held
    warnings: tuple[FieldWarning, ...] = ()
    given_id: str | None = None
    """The reporter's own name for the report."""


def answer(
    outcome: Outcome | Refusal | Held, warnings: tuple[FieldWarning, ...], given_id: str | None
) -> Answer:
    """The answer to a report; a warning names what the alert says instead of the part left out."""
    if warnings and isinstance(outcome, Outcome):
        warnings = tuple(_settled(warning, outcome.event.alert) for warning in warnings)
    return Answer(outcome, warnings, given_id)


def _settled(warning: FieldWarning, alert: Alert) -> FieldWarning:
    if warning.used is not None or warning.field not in TOLD_IN_THE_ALERT:
        return warning
    return warning.model_copy(update={"used": getattr(alert, warning.field)})


def joined(outcome: Outcome | Refusal | Held) -> tuple[FieldWarning, ...]:
    """What a reporter must know whose accident is told as part of an alert that is elsewhere."""
    if not isinstance(outcome, Outcome) or not outcome.joined:
        return ()
    problem = "no room for an alert of its own: told with the nearest, reaching to this place"
    return (FieldWarning(field="payload", problem=problem, used=outcome.event.alert.event_id),)


def is_new_under_no_known_id(
    outcome: Outcome | Refusal | Held, report: Report
) -> TypeGuard[Refusal]:
    """A change without a known id is refused; no accident is lost for an id it does not need.

    Nor for one that it shares with a rehearsal.
    """
    if not isinstance(outcome, Refusal) or outcome.reason is not Reason.UNKNOWN_EVENT:
        return False
    return report.incident.status == "new" or (outcome.field == "test" and report.in_earnest)


class Voice:
    """Says what is odd about reports; at most some a second, so that a flood of them is no flood.

    Call it when the alert is on its way: nothing here may come before that. Any thread may.
    """

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._lines = SparingLog(log, clock)
        self._words = TokenBucket(WORDS_PER_S, WORDS_BURST, WORDS_BURST, clock.monotonic())
        self._unsaid = 0
        self._lock = threading.Lock()

    def tell(self, told: Answer, payload: bytes, door: Door) -> None:
        """Say what there is to say about a report that came through `door`."""
        refused = isinstance(told.outcome, Refusal)
        if not (refused or told.warnings or told.given_id):
            return
        _count(told)
        said = _message(told, payload, door, ts=self._clock.now())
        if refused or told.warnings:
            self._log(said)
        self._publish(said)

    def _publish(self, said: ReportWarnings) -> None:
        """Not while the broker is away: these words must not fill the outbox that alerts need."""
        if not self._bus.connected:
            return
        with self._lock:
            if not self._words.take(self._clock.monotonic()):
                self._unsaid += 1
                return
            unsaid, self._unsaid = self._unsaid, 0
        self._bus.publish(WARNINGS, said.model_copy(update={"unsaid": unsaid}))

    def _log(self, said: ReportWarnings) -> None:
        about: dict[str, object] = {"report": said.report_id, "door": said.door}
        if said.sender:
            about["sender"] = said.sender
        if said.warnings:
            about["warnings"] = "; ".join(map(str, said.warnings))
        if said.refused is None:
            taken = {"event": said.event_id, **about}
            self._lines.say(logging.WARNING, "incident taken in part", extra=taken)
            return
        detail = f"{said.field}: {said.refused}" if said.field else said.refused
        why = {"reason": said.reason, "detail": detail, **about}
        self._lines.say(logging.WARNING, "incident refused", extra=why)


def _count(told: Answer) -> None:
    for warning in told.warnings:
        metrics.warned(warning.field)
    if isinstance(told.outcome, Refusal):
        metrics.REJECTED.labels(reason=told.outcome.reason).inc()


def _message(told: Answer, payload: bytes, door: Door, *, ts: float) -> ReportWarnings:
    outcome = told.outcome
    about: dict[str, Any]
    if isinstance(outcome, Refusal):
        about = {
            "result": "refused",
            "refused": line(outcome.detail, length=REMARK_LENGTH),
            "reason": outcome.reason.value,
            "field": outcome.field,
        }
    else:
        about = {"result": outcome.action, "event_id": outcome.event_id}
    return ReportWarnings(
        report_id=report_id(payload, told.given_id),
        ts=round(ts, 3),
        door=door.kind,
        sender=line(door.sender, length=REMARK_LENGTH) if door.sender else None,
        warnings=told.warnings,
        **about,
    )
