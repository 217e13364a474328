"""What happened, as an event store keeps it and an operator reads it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from hazardcast.contract.fields import (
    NUMBER,
    CameraId,
    EventId,
    Latitude,
    Longitude,
    Name,
    Probability,
    Remark,
    Time,
)
from hazardcast.contract.incident_types import IncidentType, Severity
from hazardcast.contract.messages.base import Message


class RealtimeEvent(Message):
    """One thing that was said: an incident, an alert, a clip, a decision, an observation."""

    seq: Annotated[int, Field(ge=0), NUMBER] | None = None
    """The store's running number; absent before it is stored."""
    ts: Time
    """When it happened, epoch seconds."""
    at_iso: Annotated[str, Field(max_length=40)] | None = None
    """The same in the site's time zone, RFC 3339; the store writes it."""
    site: Name | None = None
    """Which site; the store's own when left out."""
    source: Name
    """Who says so: the service or provider."""
    category: Literal["safety", "development"] = "safety"
    """`safety`: of people on the road; `development`: of how an area develops."""
    level: Literal["danger", "warning", "info"] = "info"
    """How much it matters; alerts are `danger`."""
    kind: Literal["incident", "alert", "clip", "camera", "service", "decision", "observation"]
    """Of what it tells."""
    camera: CameraId | None = None
    """The camera that it concerns."""
    event_id: EventId | None = None
    """The event that it concerns."""
    revision: Annotated[int, Field(ge=0), NUMBER] | None = None
    """The version of the alert."""
    type: IncidentType | None = None
    """What happened."""
    severity: Severity | None = None
    """How bad it is."""
    status: Annotated[str, Field(max_length=32)] | None = None
    """Of an alert `new`, `update` …, of a clip its stage, of a camera or a service its state."""
    confidence: Probability | None = None
    """How sure whoever says it is, 0 to 1."""
    lat: Latitude | None = None
    """Latitude, WGS 84, degrees."""
    lon: Longitude | None = None
    """Longitude, WGS 84, degrees."""
    summary: Remark | None = None
    """One sentence for people."""
    body: dict[str, Any] = Field(default_factory=dict)
    """The rest, free in form."""
