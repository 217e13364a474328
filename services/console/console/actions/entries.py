"""What the console's own log keeps of an act, before it is said. Pure."""

from __future__ import annotations

from collections.abc import Callable

from console.store.decisions import Decision as Entry
from hazardcast.contract.messages import ClipRequest, Decision, Incident

Keep = Callable[[Entry], None]
"""Keeps an entry; never raises: a database that is away holds up no act."""


def of_decision(decision: Decision, camera: str | None) -> Entry:
    """A decision on an event."""
    return Entry(
        id=decision.decision_id or "", ts=decision.ts, by=decision.by, action=decision.action,
        event_id=decision.event_id, camera=camera, if_revision=decision.if_revision,
        reason=decision.reason, note=decision.note,
    )  # fmt: skip


def of_incident(by: str, incident: Incident, camera: str | None, identity: str) -> Entry:
    """A report of one's own."""
    told = incident.model_dump(mode="json", exclude_none=True)
    ts = incident.ts or 0.0
    return Entry(id=identity, ts=ts, by=by, action="raise", camera=camera, body={"incident": told})


def of_clip(by: str, request: ClipRequest, ts: float, identity: str) -> Entry:
    """A clip that was asked for, or is to stay."""
    return Entry(
        id=identity, ts=ts, by=by, action="hold" if request.hold else "clip",
        event_id=request.event_id, camera=request.camera, reason=request.reason,
        body={"ts": request.ts, "pre_s": request.pre_s, "post_s": request.post_s},
    )  # fmt: skip
