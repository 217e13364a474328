"""The receipt of one version of an alert."""

from __future__ import annotations

from typing import Literal

from hazardcast.contract.messages import Alert, Receipt, ReceptionCounters
from vehicle_agent.sighting import Sighting


def receipt(
    vehicle: str,
    alert: Alert,
    sighting: Sighting,
    *,
    result: Literal["displayed", "irrelevant"],
    dealt_at: float,
    dealt_monotonic: float,
    published_at: float,
    published_monotonic: float,
    reception: tuple[ReceptionCounters, ...],
) -> Receipt:
    """Proof that a version was shown, or found not to concern the vehicle, at `dealt_at`.

    `residence_s` and `display_s` are differences of the monotonic clock, so that the alerter can
    bound the latency without trusting the vehicle's wall clock.
    """
    datagram = sighting.datagram
    return Receipt(
        vehicle=vehicle,
        event_id=alert.event_id,
        revision=alert.revision,
        status=alert.status,
        result=result,
        station=datagram.station,
        epoch=datagram.epoch,
        seq=datagram.seq,
        copy_=datagram.copy_,
        path=sighting.path,
        tx=datagram.tx,
        confirmed_at=alert.confirmed_at,
        received_at=sighting.received_at,
        displayed_at=dealt_at,
        published_at=published_at,
        residence_s=max(0.0, published_monotonic - sighting.received_monotonic),
        display_s=max(0.0, dealt_monotonic - sighting.received_monotonic),
        clock_error_s=sighting.clock_error_s,
        reception=reception,
    )
