"""What each message means as an event. Pure.

`dedup` is equal for two deliveries of one word: QoS 1 says things twice, a journal says them again,
and what is retained is said at every connection.
"""

from __future__ import annotations

import hashlib
from typing import Any

from console.store.events import Category, Level, NewEvent
from hazardcast.contract.messages import (
    Alert,
    CameraStatus,
    Decided,
    Incident,
    Message,
    RealtimeEvent,
    ServiceStatus,
    Verdict,
)
from hazardcast.contract.vocabulary import CameraState, ClipStage, ServiceState

DELIVERED_AGAIN_WITHIN_S = 900.0
VERDICT = "verdict "
"""How the status of a verdict's event begins."""
WELL = frozenset({CameraState.LIVE, CameraState.CONNECTING, CameraState.WAITING, CameraState.ENDED})


def plain(message: Message) -> dict[str, Any]:
    """The message as it is said: absent fields left out."""
    return message.model_dump(mode="json", exclude_none=True)


def alert(word: Alert, *, confidence: float | None = None) -> NewEvent:
    """A version of an alert; a rehearsal endangers nobody."""
    return NewEvent(
        dedup=f"alert|{word.event_id}|{word.revision}",
        ts=word.reference_time,
        kind="alert",
        level="info" if word.test or word.terminated else "danger",
        source="alerter",
        camera=word.camera,
        event_id=word.event_id,
        revision=word.revision,
        type=word.type,
        severity=word.severity,
        status=word.status,
        confidence=confidence,
        lat=word.lat,
        lon=word.lon,
        summary=_sentence(word.type, word.severity, word.status, word.road),
        body=plain(word),
    )


def _sentence(*parts: str | None) -> str:
    return " · ".join(part for part in parts if part)


def incident(word: Incident, *, received_at: float, again: bool) -> NewEvent:
    """A report; one without a time of its own is another one each time that it is said anew."""
    body = plain(word)
    body.pop("evidence", None)
    name = f"incident|{_digest(word)}"
    dated = word.ts is not None or word.report_id is not None
    return NewEvent(
        dedup=name if dated else f"{name}|{received_at:.3f}",
        unless_within_s=DELIVERED_AGAIN_WITHIN_S if again and not dated else None,
        ts=received_at if word.ts is None else word.ts,
        kind="incident",
        level="info" if word.test else "warning",
        source="detector" if word.camera else "report",
        camera=word.camera,
        event_id=word.event_id,
        type=word.type,
        severity=word.severity,
        status=word.status,
        confidence=word.confidence,
        lat=word.lat,
        lon=word.lon,
        summary=_sentence(word.reported_type or word.type, word.severity, word.status),
        body=body,
    )


def _digest(word: Message) -> str:
    return hashlib.sha256(word.encode().encode("utf-8", "replace")).hexdigest()[:32]


def clip(
    event_id: str, camera: str, state: ClipStage, *, start_ms: int, at: float, body: dict[str, Any]
) -> NewEvent:
    """A clip that came to another stage."""
    return NewEvent(
        dedup=f"clip|{event_id}|{camera}|{start_ms}|{state}|{round(at * 1000)}",
        ts=at,
        kind="clip",
        level="warning" if state in (ClipStage.PARTIAL, ClipStage.FAILED) else "info",
        source="clipper",
        camera=camera,
        event_id=event_id,
        status=state,
        summary=f"clip {state}",
        body=body,
    )


def camera(word: CameraStatus, *, service: str, at: float, before: str | None) -> NewEvent:
    """A camera that is another way than before, for one service."""
    return NewEvent(
        dedup=f"camera|{service}|{word.camera}|{word.state}|{round(at * 1000)}",
        ts=at,
        kind="camera",
        category="development",
        level="info" if word.state in WELL else "warning",
        source=service,
        camera=word.camera,
        status=word.state,
        summary=f"{service}: {word.state}" + (f", {word.detail}" if word.detail else ""),
        body={"before": before, **plain(word)},
    )


def service(word: ServiceStatus, *, at: float, before: str | None) -> NewEvent:
    """A service that came or went."""
    return NewEvent(
        dedup=f"service|{word.service}|{word.instance}|{word.state}|{round(at * 1000)}",
        ts=at,
        kind="service",
        category="development",
        level="warning" if word.state == ServiceState.OFFLINE else "info",
        source=word.service,
        status=word.state,
        summary=f"{word.service} {word.instance}: {word.state}",
        body={"before": before, "instance": word.instance, "version": word.version},
    )


def settled(word: Decided) -> NewEvent:
    """What came of something that waited, without a person's word."""
    return NewEvent(
        dedup=f"decided|{word.event_id}|{word.action}|{word.revision}|{round(word.ts * 1000)}",
        ts=word.ts,
        kind="decision",
        source="alerter",
        camera=word.camera,
        event_id=word.event_id,
        revision=word.revision,
        type=word.type,
        status=word.action,
        summary=_sentence(word.action, word.effect, word.detail),
        body=plain(word),
    )


def verdict(word: Verdict) -> NewEvent:
    """A person's word whether it was so."""
    return NewEvent(
        dedup=f"verdict|{word.event_id}|{round(word.ts * 1000)}|{word.by}",
        ts=word.ts,
        kind="decision",
        source="console",
        camera=word.camera,
        event_id=word.event_id,
        type=word.type,
        status=f"{VERDICT}{word.verdict}",
        summary=_sentence(f"{word.by}: {word.verdict}", word.reason),
        body=plain(word),
    )


def observation(word: RealtimeEvent) -> NewEvent:
    """What somebody who looked says: an observation, whatever it calls itself."""
    category: Category = word.category
    level: Level = word.level
    return NewEvent(
        dedup=f"observation|{_digest(word)}",
        ts=word.ts,
        kind="observation",
        category=category,
        level=level,
        source=word.source,
        camera=word.camera,
        event_id=word.event_id,
        type=word.type,
        severity=word.severity,
        status=word.status,
        confidence=word.confidence,
        lat=word.lat,
        lon=word.lon,
        summary=word.summary or "observation",
        body=word.body,
    )
