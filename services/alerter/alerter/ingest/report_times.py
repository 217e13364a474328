"""Judging the time of an incident, whichever door it came through."""

from __future__ import annotations

from dataclasses import dataclass, replace

from alerter.ingest.refusal import Reason, Refusal
from hazardcast.contract.messages import Incident
from hazardcast.contract.report_warnings import FieldWarning


@dataclass(frozen=True)
class Limits:
    """How far from the time of receipt an incident may be dated, in seconds."""

    max_age_s: float = 60.0
    max_future_s: float = 5.0


@dataclass(frozen=True)
class Report:
    """An incident whose times are settled (epoch seconds, to the millisecond)."""

    incident: Incident
    ts: float
    confirmed_at: float
    received_at: float
    at: float
    """`ts` in the station's steady time, which goes on evenly when the clock is set."""
    retained: bool = False
    again: bool = False
    """Whether it may have been taken before: delivered, and then delivered again."""
    warnings: tuple[FieldWarning, ...] = ()

    @property
    def in_earnest(self) -> bool:
        """Whether it says itself that it is no rehearsal."""
        return "test" in self.incident.model_fields_set and not self.incident.test

    @property
    def claimed_ts(self) -> float:
        """The time as the reporter wrote it, else that of receipt."""
        return self.ts if self.incident.ts is None else self.incident.ts

    @property
    def dated(self) -> bool:
        """Whether it says itself when it was, and was believed."""
        return self.incident.ts is not None and round(self.incident.ts, 3) == self.ts


def judge(
    incident: Incident,
    *,
    received_at: float,
    limits: Limits,
    retained: bool = False,
    set_by_s: float = 0.0,
    waited_s: float = 0.0,
) -> Report | Refusal:
    """Settle an incident's times, or refuse it.

    A missing `ts` becomes the time of receipt, and so does one that lies further ahead than a clock
    may be off; a retained message has none, as nobody knows how long the broker has held it. An
    update must say of what. A cancel may carry the time of the event that it ends: whether it
    is too old depends on what its reporter said since, which the register knows. A retained one
    is of the past: whatever it ended has ended, or is another event under the same name.

    Args:
        incident: as it was reported.
        received_at: the wall clock at its receipt.
        limits: what is too old, or too far ahead.
        retained: whether the broker kept it from before we listened.
        set_by_s: how far the wall clock was set since the station's steady time began.
        waited_s: how long before its receipt it arrived; what has no `ts` counts from there.
    """
    if refusal := _untold(incident, limits, retained=retained, waited_s=waited_s):
        return refusal
    ts = _settled(incident, received_at, limits, retained=retained)
    if isinstance(ts, Refusal):
        return ts
    confirmed_at = _confirmed_at(incident, received_at, limits)
    return Report(
        incident=incident,
        ts=round(ts, 3),
        confirmed_at=round(confirmed_at, 3),
        received_at=received_at,
        at=round(ts, 3) - set_by_s,
        retained=retained,
        warnings=(
            *_moved("ts", incident.ts, ts, received_at),
            *_moved("confirmed_at", incident.confirmed_at, confirmed_at, received_at),
        ),
    )


def _untold(
    incident: Incident, limits: Limits, *, retained: bool, waited_s: float
) -> Refusal | None:
    """Why an incident is refused whatever time it names, if it is."""
    if retained and incident.status == "cancel":
        return Refusal(Reason.RETAINED, "a retained cancel is of the past", "status")
    if incident.status == "update" and incident.event_id is None:
        return Refusal(Reason.UNKNOWN_EVENT, "an update must say which event", "event_id")
    if incident.ts is None and waited_s > limits.max_age_s and incident.status != "cancel":
        return _stale(waited_s, limits)
    return None


def _settled(
    incident: Incident, received_at: float, limits: Limits, *, retained: bool
) -> float | Refusal:
    age_s = 0.0 if incident.ts is None else received_at - incident.ts
    if incident.ts is None or age_s < -limits.max_future_s:
        if retained:
            return Refusal(Reason.RETAINED, "a retained incident must say when it was", "ts")
        return received_at
    if age_s > limits.max_age_s and incident.status != "cancel":
        return _stale(age_s, limits)
    return incident.ts


def _stale(age_s: float, limits: Limits) -> Refusal:
    detail = f"{age_s:.1f} s old, at most {limits.max_age_s:g} s accepted"
    return Refusal(Reason.STALE, detail, "ts")


def _moved(
    field: str, claimed: float | None, used: float, received_at: float
) -> tuple[FieldWarning, ...]:
    """What is said of a time that was not taken."""
    if claimed is None or claimed == used:
        return ()
    off_s = claimed - received_at
    problem = f"{abs(off_s):.1f} s {'ahead of' if off_s > 0 else 'before'} its receipt"
    return (FieldWarning(field=field, problem=problem, used=round(used, 3)),)


def unnamed(report: Report, problem: str) -> Report:
    """The report without its event's id, which is that of no event we know."""
    warning = FieldWarning(field="event_id", problem=problem)
    incident = report.incident.model_copy(update={"event_id": None})
    return replace(report, incident=incident, warnings=(*report.warnings, warning))


def _confirmed_at(incident: Incident, received_at: float, limits: Limits) -> float:
    """When the incident was confirmed; a value that cannot be right must not spoil the latency."""
    claimed = incident.confirmed_at
    if claimed is None or not -limits.max_future_s <= received_at - claimed <= limits.max_age_s:
        return received_at
    return claimed
