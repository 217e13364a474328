"""Judging the time of an incident, whichever door it came through."""

from __future__ import annotations

from dataclasses import dataclass

from alerter.refusal import Reason, Refusal
from hazardcast.messages import Incident


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


def judge(
    incident: Incident, *, received_at: float, limits: Limits, retained: bool = False
) -> Report | Refusal:
    """Settle an incident's times, or refuse it.

    A missing `ts` becomes the time of receipt; a retained message has none, as nobody knows how
    long the broker has held it. A cancel may carry the time of the event that it ends, so it is
    never too old: it can only touch an event that is still known.
    """
    if incident.ts is None:
        if retained:
            return Refusal(Reason.RETAINED, "a retained incident must say when it was", "ts")
        return _report(incident, received_at, received_at, limits)
    age_s = received_at - incident.ts
    if age_s < -limits.max_future_s:
        detail = f"{-age_s:.1f} s in the future, at most {limits.max_future_s:g} s accepted"
        return Refusal(Reason.FUTURE, detail, "ts")
    if incident.status == "cancel":
        return _report(incident, max(incident.ts, received_at), received_at, limits)
    if age_s > limits.max_age_s:
        detail = f"{age_s:.1f} s old, at most {limits.max_age_s:g} s accepted"
        return Refusal(Reason.STALE, detail, "ts")
    return _report(incident, incident.ts, received_at, limits)


def _report(incident: Incident, ts: float, received_at: float, limits: Limits) -> Report:
    return Report(
        incident=incident,
        ts=round(ts, 3),
        confirmed_at=round(_confirmed_at(incident, received_at, limits), 3),
        received_at=received_at,
    )


def _confirmed_at(incident: Incident, received_at: float, limits: Limits) -> float:
    """When the incident was confirmed; a value that cannot be right must not spoil the latency."""
    claimed = incident.confirmed_at
    if claimed is None or not -limits.max_future_s <= received_at - claimed <= limits.max_age_s:
        return received_at
    return claimed
