"""The messages that travel between services, one frozen model each; all meaning is in the JSON.

Times are epoch seconds (UTC, float). Consumers ignore unknown fields.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from hazardcast import type_words
from hazardcast.catalogue import IncidentType, Severity
from hazardcast.fields import (
    NUMBER,
    CameraId,
    EventId,
    Heading,
    Latitude,
    Longitude,
    Name,
    Probability,
    Real,
    Remark,
    ReportedText,
    StationId,
    Text,
    Time,
    Whole,
    line,
)
from hazardcast.message import MAX_MESSAGE_BYTES as MAX_MESSAGE_BYTES  # noqa: PLC0414 - part of this module
from hazardcast.message import Message as Message  # noqa: PLC0414 - part of this module
from hazardcast.vocabulary import CameraState, ClipStage, GapCause, ServiceState

KNOWN_TYPES = frozenset(known.value for known in IncidentType)
Status = Literal["new", "update", "cancel", "negate"]


def _known_type(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("expected a text such as collision, fire, blockage or rollover")
    return value if value in KNOWN_TYPES else type_words.meaning(value) or IncidentType.UNKNOWN


class Incident(Message):
    """What a detector, a person or another system reports on `v2x/alert`.

    The least that is accepted is ``{"type": "collision"}``.
    """

    type: Annotated[IncidentType, BeforeValidator(_known_type)]
    reported_type: ReportedText | None = None
    """The word itself where `type` is none that is known."""
    ts: Time | None = None
    severity: Severity = Severity.HIGH
    lat: Latitude | None = None
    lon: Longitude | None = None
    road: ReportedText | None = None
    distance_m: Annotated[float, Field(ge=0, le=1_000_000), NUMBER] | None = None
    clip_hint: bool = True
    camera: CameraId | None = None
    confidence: Probability | None = None
    status: Literal["new", "update", "cancel"] = "new"
    event_id: EventId | None = None
    test: bool = False
    confirmed_at: Time | None = None
    evidence: dict[str, Any] | None = None
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


class Alert(Message):
    """An incident as broadcast: identified, versioned, with DENM's fields in snake_case."""

    event_id: EventId
    status: Status
    revision: Annotated[int, Field(ge=0), NUMBER]
    detection_time: Time
    reference_time: Time
    validity_duration_s: Annotated[int, Field(ge=0, le=86_400), NUMBER]
    cause_code: Annotated[int, Field(ge=0, le=255), NUMBER]
    sub_cause_code: Annotated[int, Field(ge=0, le=255), NUMBER]
    information_quality: Annotated[int, Field(ge=0, le=7), NUMBER]
    awareness_distance_m: Annotated[int, Field(ge=0), NUMBER]
    traffic_direction: Annotated[int, Field(ge=0, le=3), NUMBER] = 0
    event_heading_deg: Heading | None = None
    station_type: Annotated[int, Field(ge=0, le=255), NUMBER]
    confirmed_at: Time
    ts: Time
    type: IncidentType
    reported_type: Text | None = None
    severity: Severity
    lat: Latitude
    lon: Longitude
    road: Text | None = None
    distance_m: Real | None = None
    clip_hint: bool = True
    camera: CameraId | None = None
    test: bool = False

    @property
    def terminated(self) -> bool:
        """True once the event is over by word of a station (cancel or negate)."""
        return self.status in ("cancel", "negate")

    @property
    def valid_until(self) -> float:
        """Epoch seconds at which the alert expires by itself (EN 302 637-3 §8.2.1.5)."""
        return self.detection_time + self.validity_duration_s


class Heartbeat(Message):
    """A station's sign of life: totals for loss accounting and the alerts it holds active."""

    state: Literal["ok", "degraded", "stopping"]
    interval_s: Annotated[float, Field(gt=0), NUMBER]
    last_alert_seq: Annotated[int, Field(ge=0), NUMBER]
    sent_alert_datagrams: Annotated[int, Field(ge=0), NUMBER]
    sent_heartbeats: Annotated[int, Field(ge=0), NUMBER]
    active_count: Annotated[int, Field(ge=0), NUMBER]
    active_digest: Annotated[str, Field(max_length=64)]
    """First 16 hex digits of SHA-256 over the sorted lines `event_id reference_time_ms status`."""


class Datagram(Message):
    """The signed payload of one datagram (or one message of the second path)."""

    v: Annotated[Literal[1], NUMBER] = 1
    kind: Literal["alert", "heartbeat"]
    station: StationId
    epoch: Annotated[int, Field(ge=0), NUMBER]
    seq: Annotated[int, Field(ge=0), NUMBER]
    tx: Time
    tick: Annotated[int, Field(ge=0), NUMBER]
    copy_: Annotated[tuple[Whole, Whole], Field(alias="copy")] = (0, 1)
    """Which copy of how many of the same alert in the same burst or tick."""
    alert: Alert | None = None
    heartbeat: Heartbeat | None = None

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        serialize_by_alias=True,
        populate_by_name=True,
    )

    @model_validator(mode="after")
    def _carries_its_kind(self) -> Self:
        if (self.alert is None) == (self.kind == "alert"):
            raise ValueError("kind alert carries an alert, kind heartbeat none")
        if (self.heartbeat is None) == (self.kind == "heartbeat"):
            raise ValueError("kind heartbeat carries a heartbeat, kind alert none")
        return self


class DetectedObject(Message):
    """One tracked object in one frame."""

    track_id: Whole
    label: Annotated[str, Field(max_length=32)]
    score: Probability
    box: tuple[Real, Real, Real, Real]
    """x1, y1, x2, y2 in pixels of the frame as analysed."""
    speed_mps: Annotated[float, Field(ge=0), NUMBER] | None = None
    """Over the road, where the camera's ground is known."""


class Detections(Message):
    """What the detector saw in one frame."""

    camera: CameraId
    ts: Time
    frame_id: Whole
    width: Whole
    height: Whole
    objects: tuple[DetectedObject, ...]
    model: str
    inference_ms: Real


class Evidence(Message):
    """Why the detector believes in an incident: the picture that decided, with reasons drawn in."""

    event_id: EventId
    """As in the detector's `Incident`."""
    camera: CameraId
    ts: Time
    """Capture time of the picture."""
    type: IncidentType
    status: Literal["new", "update"]
    confidence: Probability
    reasons: dict[str, Any]
    """The rule's numbers."""
    box: tuple[Real, Real, Real, Real]
    """Where it is: x1, y1, x2, y2 in pixels of the frame as analysed."""
    width: Whole
    height: Whole
    picture: Annotated[str, Field(max_length=60_000)]
    """JPEG, base64: tracks, their ways and the place of the incident drawn in."""


class ClipRequest(Message):
    """Please keep the video of `camera` from `pre_s` before `ts` to `post_s` after it."""

    event_id: EventId
    camera: CameraId
    ts: Time
    pre_s: Annotated[float, Field(ge=0, le=3600), NUMBER] = 300.0
    post_s: Annotated[float, Field(ge=0, le=3600), NUMBER] = 300.0
    reason: Remark = "requested"
    hold: bool | None = None
    """Keep the clip whatever retention says, until someone removes the file `{clip}.hold`."""
    alert: Alert | None = None


class Gap(Message):
    """A stretch of a clip's window with no video, and why."""

    start: Time
    end: Time
    cause: GapCause


class Window(Message):
    """A stretch of wall-clock time."""

    start: Time
    end: Time


class OtherClip(Message):
    """A clip of the same event from another camera, as it stood when this was said."""

    camera: CameraId
    state: ClipStage
    requested: Window
    coverage: Probability
    path: str | None = None
    gaps: tuple[Gap, ...] = ()


class ClipState(Message):
    """How far a requested clip is; retained, so that late askers learn it too."""

    event_id: EventId
    camera: CameraId
    state: ClipStage
    requested: Window
    updated_at: Time
    delivered: Window | None = None
    coverage: Probability = 0.0
    """Share of the requested window for which there is video (so far)."""
    gaps: tuple[Gap, ...] = ()
    path: str | None = None
    detail: str | None = None
    others: tuple[OtherClip, ...] | None = None
    """The event's other clips: one topic tells one event, so the retained word tells them all."""


class ReceptionCounters(Message):
    """A vehicle's running counts for one station and epoch, against the sender's own truth."""

    station: StationId
    epoch: Whole
    datagrams_expected: Whole
    datagrams_unique: Whole
    ticks_expected: Whole
    ticks_delivered: Whole


class Receipt(Message):
    """A vehicle's proof that it received and dealt with one version of an alert."""

    vehicle: Name
    event_id: EventId
    revision: Whole
    status: Status
    result: Literal["displayed", "irrelevant"]
    station: StationId
    epoch: Whole
    seq: Whole
    copy_: Annotated[tuple[Whole, Whole], Field(alias="copy")]
    path: Literal["multicast", "unicast", "mqtt"]
    tx: Time
    """The sender's clock when the first copy that arrived was sent (echoed)."""
    confirmed_at: Time
    received_at: Time
    displayed_at: Time
    published_at: Time
    residence_s: Real
    """Receive → this receipt, on the vehicle's monotonic clock: needs no synchronised clocks."""
    display_s: Real
    """Receive → console line flushed, on the vehicle's monotonic clock."""
    clock_error_s: Real | None = None
    """Bound on the vehicle's clock error; None when it is not known to be synchronised."""
    reception: tuple[ReceptionCounters, ...] = ()
    boot: Name | None = None
    """The vehicle's process, as in its status: two vehicles of one name are two."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        serialize_by_alias=True,
        populate_by_name=True,
    )


class CameraStatus(Message):
    """How fresh one camera is for the service that reports it."""

    camera: CameraId
    state: CameraState
    last_frame_at: Time | None = None
    detail: Remark | None = None


class ServiceStatus(Message):
    """A service's word about itself; `offline` is its last will, `stopped` a clean stop."""

    service: Name
    instance: Name
    state: ServiceState
    version: str
    ts: Time
    cameras: tuple[CameraStatus, ...] = ()
    detail: dict[str, Any] = Field(default_factory=dict)

    @property
    def online(self) -> bool:
        """Whether the service is there."""
        return self.state == ServiceState.ONLINE


class SelfTest(Message):
    """A word from the alerter to itself; that it comes back shows the way through the broker."""

    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{16,64}$")]
    ts: Time
