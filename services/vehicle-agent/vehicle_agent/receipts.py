"""The receipt of one version of an alert."""

from __future__ import annotations

from typing import Literal, NamedTuple

from hazardcast.contract.messages import Receipt
from vehicle_agent.announcement import Announcement


class Reading(NamedTuple):
    """Both clocks of the vehicle, read at once; seconds."""

    wall: float
    monotonic: float


def receipt(
    vehicle: str,
    announcement: Announcement,
    *,
    result: Literal["displayed", "irrelevant"],
    dealt: Reading,
    published: Reading,
) -> Receipt | None:
    """Proof that a version was shown, or found not to concern the vehicle, at `dealt`.

    None for an end that no datagram brought.

    `residence_s` and `display_s` are differences of the monotonic clock, so that the alerter can
    bound the latency without trusting the vehicle's wall clock.
    """
    alert, sighting = announcement.alert, announcement.sighting
    if sighting is None:
        return None
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
        displayed_at=dealt.wall,
        published_at=published.wall,
        residence_s=max(0.0, published.monotonic - sighting.received_monotonic),
        display_s=max(0.0, dealt.monotonic - sighting.received_monotonic),
        clock_error_s=sighting.clock_error_s,
        reception=announcement.reception,
    )
