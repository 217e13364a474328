"""What anyone may report on `v2x/alert`, by `POST /alert` or as a file."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from hazardcast.contract import type_words
from hazardcast.contract.fields import (
    NUMBER,
    CameraId,
    EventId,
    Latitude,
    Longitude,
    Probability,
    ReportedText,
    Time,
    line,
)
from hazardcast.contract.incident_types import IncidentType, Severity
from hazardcast.contract.messages.base import Message

KNOWN_TYPES = frozenset(known.value for known in IncidentType)


def _known_type(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("expected a text such as collision, fire, blockage or rollover")
    return value if value in KNOWN_TYPES else type_words.meaning(value) or IncidentType.UNKNOWN


class Incident(Message):
    """What a detector, a person or another system reports on `v2x/alert`.

    The least that is accepted is ``{"type": "collision"}``.
    """

    type: Annotated[IncidentType, BeforeValidator(_known_type)]
    """What happened; a word that stands for a type is read as that type, any other text as
    `unknown`."""
    reported_type: ReportedText | None = None
    """The word itself where `type` is none that is known."""
    ts: Time | None = None
    """When it happened: epoch seconds or milliseconds, numeric text, or RFC 3339 with a zone. The
    time of receipt when left out."""
    severity: Severity = Severity.HIGH
    """How bad it is; sets the alert's validity and awareness distance."""
    lat: Latitude | None = None
    """Latitude, WGS 84, degrees; only together with `lon`. The camera's, else the site's, when left
    out."""
    lon: Longitude | None = None
    """Longitude, WGS 84, degrees; only together with `lat`."""
    road: ReportedText | None = None
    """Name of the road, as vehicles show it; the camera's, else the site's, when left out."""
    distance_m: Annotated[float, Field(ge=0, le=1_000_000), NUMBER] | None = None
    """Distance to the event along the road, m, as vehicles show it ("500 m ahead"); the camera's
    when left out."""
    clip_hint: bool = True
    """Whether video around the event is to be kept."""
    camera: CameraId | None = None
    """Id of the camera that saw it, as in `cameras.yaml`."""
    confidence: Probability | None = None
    """Probability that the event is real; absent where the reporter does not say."""
    status: Literal["new", "update", "cancel"] = "new"
    """`new`: it happened; `update`: changes what was reported under `event_id`; `cancel`: withdraws
    it."""
    event_id: EventId | None = None
    """The reporter's own id of the event, by which it is updated and cancelled; or the alert's."""
    test: bool = False
    """A rehearsal: told as such, and never joined with a real event."""
    confirmed_at: Time | None = None
    """When the reporter was sure, epoch seconds: latency counts from here. The time of receipt when
    left out."""
    evidence: dict[str, Any] | None = None
    """The numbers on which a detector's rule decided; free in form, not broadcast."""
    report_id: ReportedText | None = None
    """The reporter's own name for this report; one that has it is answered on `v2x/warnings`."""

    @model_validator(mode="before")
    @classmethod
    def _keep_reported_type(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        reported = data.get("type")
        if not isinstance(reported, str) or reported in KNOWN_TYPES:
            return data
        if type_words.meaning(reported) is not None:
            return data
        return {**data, "reported_type": line(reported) or None}

    @model_validator(mode="after")
    def _position_is_whole(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon must be given together")
        return self
