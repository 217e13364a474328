"""What a vehicle answers: that it received an alert, when, and how much of all that was sent."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hazardcast.contract.fields import EventId, Name, Real, StationId, Time, Whole
from hazardcast.contract.messages.alert import Status
from hazardcast.contract.messages.base import ALIASED, Message


class ReceptionCounters(Message):
    """A vehicle's running counts for one station and epoch, against the sender's own truth."""

    station: StationId
    """The station that is counted."""
    epoch: Whole
    """Its epoch; the counts begin anew with each."""
    datagrams_expected: Whole
    """Datagrams the station has sent since it was first heard."""
    datagrams_unique: Whole
    """Of those, how many came by multicast or unicast, each counted once."""
    ticks_expected: Whole
    """Transmission groups since the station was first heard."""
    ticks_delivered: Whole
    """Of those, how many brought at least one copy by any path."""


class Receipt(Message):
    """A vehicle's proof that it received and dealt with one version of an alert."""

    vehicle: Name
    """The vehicle's name."""
    event_id: EventId
    """The alert's event."""
    revision: Whole
    """Which version of it."""
    status: Status
    """That version's status."""
    result: Literal["displayed", "irrelevant"]
    """`displayed`: shown to the driver; `irrelevant`: does not concern this vehicle."""
    station: StationId
    """Who sent it."""
    epoch: Whole
    """The station's epoch in the first copy that arrived."""
    seq: Whole
    """The number of that copy's datagram."""
    copy_: Annotated[tuple[Whole, Whole], Field(alias="copy")]
    """Which copy it was, of how many planned."""
    path: Literal["multicast", "unicast", "mqtt"]
    """The way by which it came."""
    tx: Time
    """The sender's clock when the first copy that arrived was sent (echoed)."""
    confirmed_at: Time
    """When the reporter was sure, epoch seconds (echoed from the alert)."""
    received_at: Time
    """The vehicle's clock at receipt by its kernel, epoch seconds."""
    displayed_at: Time
    """The vehicle's clock when the console line was flushed, or it was found irrelevant, epoch
    seconds."""
    published_at: Time
    """The vehicle's clock when this receipt was handed to the broker's client, epoch seconds."""
    residence_s: Real
    """Receive → this receipt, s, on the vehicle's monotonic clock: needs no synchronised clocks."""
    display_s: Real
    """Receive → console line flushed, s, on the vehicle's monotonic clock."""
    clock_error_s: Real | None = None
    """Bound on the vehicle's clock error, s; absent when it is not known to be synchronised."""
    reception: tuple[ReceptionCounters, ...] = ()
    """Running counts, an entry a station."""
    boot: Name | None = None
    """The vehicle's process, as in its status: two vehicles of one name are two."""

    model_config = ALIASED
