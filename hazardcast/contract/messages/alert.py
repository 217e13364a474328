"""An alert as it is broadcast, and the datagram that carries it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hazardcast.contract.fields import (
    NUMBER,
    CameraId,
    EventId,
    Heading,
    Latitude,
    Longitude,
    Real,
    StationId,
    Text,
    Time,
    Whole,
)
from hazardcast.contract.incident_types import IncidentType, Severity
from hazardcast.contract.messages.base import ALIASED, Message

Status = Literal["new", "update", "cancel", "negate"]


class Alert(Message):
    """An incident as broadcast: identified, versioned, with DENM's fields in snake_case."""

    event_id: EventId
    """The event's name, `{station}-{number}`; never given twice by a station."""
    status: Status
    """`new`, `update`, `cancel` (it is over) or `negate` (it never was)."""
    revision: Annotated[int, Field(ge=0), NUMBER]
    """Number of this version: 0 is the first, each later one is 1 more."""
    detection_time: Time
    """When the event began, epoch seconds (DENM detectionTime); the validity counts from here."""
    reference_time: Time
    """When this version was made, epoch seconds (DENM referenceTime); of two versions the later
    one holds."""
    validity_duration_s: Annotated[int, Field(ge=0, le=86_400), NUMBER]
    """How long the alert holds, s from `detection_time` (DENM validityDuration)."""
    cause_code: Annotated[int, Field(ge=0, le=255), NUMBER]
    """DENM causeCode, as in TS 102 894-2: 2 accident, 94 stationary vehicle, 5 impassability, 10
    obstacle on the road."""
    sub_cause_code: Annotated[int, Field(ge=0, le=255), NUMBER]
    """DENM subCauseCode within `cause_code`; 0: not told."""
    information_quality: Annotated[int, Field(ge=0, le=7), NUMBER]
    """How sure it is, 1 (least) to 7 (most), from the reporter's confidence; 0: not told."""
    awareness_distance_m: Annotated[int, Field(ge=0), NUMBER]
    """Within this distance of the event vehicles are concerned, m (DENM awarenessDistance)."""
    traffic_direction: Annotated[int, Field(ge=0, le=3), NUMBER] = 0
    """Whose traffic is concerned, relative to `event_heading_deg`: 0 all, 1 that which still comes
    to the event (upstream), 2 that which has passed it (downstream), 3 the opposite."""
    event_heading_deg: Heading | None = None
    """Which way the traffic at the event goes, degrees clockwise from true north; absent: not
    known."""
    station_type: Annotated[int, Field(ge=0, le=255), NUMBER]
    """What the station is, as in TS 102 894-2; 15: a roadside unit."""
    confirmed_at: Time
    """When the reporter was sure of this version, epoch seconds: latency counts from here."""
    ts: Time
    """When it happened, as the report has it, epoch seconds."""
    type: IncidentType
    """What happened."""
    reported_type: Text | None = None
    """The reporter's own word where `type` is `unknown`."""
    severity: Severity
    """How bad it is."""
    lat: Latitude
    """Latitude of the event, WGS 84, degrees."""
    lon: Longitude
    """Longitude of the event, WGS 84, degrees."""
    road: Text | None = None
    """Name of the road."""
    distance_m: Real | None = None
    """Distance to the event along the road as the site states it, m; for show, not for reckoning:
    use `lat` and `lon`."""
    clip_hint: bool = True
    """Whether video around the event is kept."""
    camera: CameraId | None = None
    """Id of the camera that saw it."""
    test: bool = False
    """A rehearsal: show it as such, and do not act on it."""

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
    """`ok`; `degraded`: the self-test fails; `stopping`: the last word before a clean stop."""
    interval_s: Annotated[float, Field(gt=0), NUMBER]
    """Usual time from one heartbeat to the next, s."""
    last_alert_seq: Annotated[int, Field(ge=0), NUMBER]
    """`seq` of the newest alert datagram of this epoch; 0: none yet."""
    sent_alert_datagrams: Annotated[int, Field(ge=0), NUMBER]
    """Alert datagrams sent in this epoch, copies included."""
    sent_heartbeats: Annotated[int, Field(ge=0), NUMBER]
    """Heartbeats sent in this epoch, this one included."""
    active_count: Annotated[int, Field(ge=0), NUMBER]
    """Alerts in force now."""
    active_digest: Annotated[str, Field(max_length=64)]
    """First 16 hex digits of SHA-256 over the sorted lines `event_id reference_time_ms status`."""
    confirm: tuple[CameraId, ...] | None = None
    """Cameras whose less sure reports wait for a person; the first of them where they are many."""
    shadow: tuple[CameraId, ...] | None = None
    """Cameras of which nothing is broadcast, for some type at least; likewise."""
    withholding_count: Annotated[int, Field(ge=0), NUMBER] | None = None
    """How many cameras these two are in all, named or not; absent: none."""


class Datagram(Message):
    """The signed payload of one datagram (or one message of the second path)."""

    v: Annotated[Literal[1], NUMBER] = 1
    """Version of this layout."""
    kind: Literal["alert", "heartbeat"]
    """Which of the two it carries."""
    station: StationId
    """The sender's `site.station_id`; the trust store binds it to the key that signs."""
    epoch: Annotated[int, Field(ge=0), NUMBER]
    """Grows at every start of the station; a lower one than was heard is old."""
    seq: Annotated[int, Field(ge=0), NUMBER]
    """1, 2, 3 … within an epoch, 1 more for every datagram of whichever kind."""
    tx: Time
    """The station's clock when the datagram was sealed, epoch seconds: its age is judged by it."""
    tick: Annotated[int, Field(ge=0), NUMBER]
    """Number of the transmission group; all copies of one group share it. A heartbeat repeats the
    newest."""
    copy_: Annotated[tuple[Whole, Whole], Field(alias="copy")] = (0, 1)
    """Which copy of how many of the same alert in the same burst or tick."""
    alert: Alert | None = None
    """The alert; only with `kind` `alert`."""
    heartbeat: Heartbeat | None = None
    """The heartbeat; only with `kind` `heartbeat`."""

    model_config = ALIASED

    @model_validator(mode="after")
    def _carries_its_kind(self) -> Self:
        if (self.alert is None) == (self.kind == "alert"):
            raise ValueError("kind alert carries an alert, kind heartbeat none")
        if (self.heartbeat is None) == (self.kind == "heartbeat"):
            raise ValueError("kind heartbeat carries a heartbeat, kind alert none")
        return self
