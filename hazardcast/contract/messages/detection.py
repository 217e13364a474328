"""What the detector sees, and why it believes what it reports."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from hazardcast.contract.fields import NUMBER, CameraId, EventId, Probability, Real, Time, Whole
from hazardcast.contract.incident_types import IncidentType
from hazardcast.contract.messages.base import Message


class DetectedObject(Message):
    """One tracked object in one frame."""

    track_id: Whole
    """The object's number, the same in every frame while it is tracked."""
    label: Annotated[str, Field(max_length=32)]
    """What it is: car, truck, bus, motorcycle, person …"""
    score: Probability
    """The model's score for this box, 0 to 1."""
    box: tuple[Real, Real, Real, Real]
    """x1, y1, x2, y2 in pixels of the frame as analysed."""
    speed_mps: Annotated[float, Field(ge=0), NUMBER] | None = None
    """Over the road, m/s, where the camera's ground is known."""


class Detections(Message):
    """What the detector saw in one frame."""

    camera: CameraId
    """The camera's id."""
    ts: Time
    """When the frame was taken, epoch seconds."""
    frame_id: Whole
    """The frame's number since the connection to the camera began."""
    width: Whole
    """Width of the frame as analysed, px."""
    height: Whole
    """Height of the frame as analysed, px."""
    objects: tuple[DetectedObject, ...]
    """Every object that is tracked in the frame."""
    model: str
    """Name of the model that looked."""
    inference_ms: Real
    """Time the model took for the frame, ms."""


class Evidence(Message):
    """Why the detector believes in an incident: the picture that decided, with reasons drawn in."""

    event_id: EventId
    """As in the detector's `Incident`."""
    camera: CameraId
    """The camera's id."""
    ts: Time
    """Capture time of the picture, epoch seconds."""
    type: IncidentType
    """What happened."""
    status: Literal["new", "update"]
    """Whether the incident was reported first or changed with this picture."""
    confidence: Probability
    """The rule's confidence, 0 to 1."""
    reasons: dict[str, Any]
    """The rule's numbers; `onset` is when it began, epoch seconds."""
    box: tuple[Real, Real, Real, Real]
    """Where it is: x1, y1, x2, y2 in pixels of the frame as analysed."""
    width: Whole
    """Width of the frame as analysed, px."""
    height: Whole
    """Height of the frame as analysed, px."""
    picture: Annotated[str, Field(max_length=60_000)]
    """JPEG, base64: tracks, their ways and the place of the incident drawn in."""
