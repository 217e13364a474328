"""What was heard during the run: vehicles' receipts, the sender's own datagrams, the clip. Pure.

What was published is known again by its `confirmed_at`, which the alerter passes on unchanged.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from hazardcast.contract.errors import DecodeError
from hazardcast.contract.messages import (
    Alert,
    ClipState,
    Datagram,
    Receipt,
    ReceptionCounters,
    ServiceStatus,
)
from hazardcast.contract.promises import MAX_CLOCK_ERROR_S


@dataclass(frozen=True)
class Published:
    """A version that this run caused, and when."""

    confirmed_at: float
    ending: bool = False


@dataclass(frozen=True)
class Shown:
    """What one receipt says of the way from confirmation to console."""

    bound_s: float
    """At most this long, by this machine's clock and the vehicle's monotonic one."""
    one_way_s: float | None
    """By the two ends' wall clocks; None where they are not known to agree."""
    error_s: float


@dataclass(frozen=True)
class Reception:
    """What one vehicle heard between two of its receipts."""

    ticks_expected: int
    ticks_delivered: int
    datagrams_expected: int
    datagrams_unique: int


@dataclass
class Evidence:
    """The run's memory; filled by the bus's thread, read when all is over."""

    published: dict[float, Published] = field(default_factory=dict)
    alerts: dict[float, Alert] = field(default_factory=dict)
    receipts: dict[tuple[str, float], tuple[Receipt, float]] = field(default_factory=dict)
    statuses: dict[tuple[str, str], ServiceStatus] = field(default_factory=dict)
    clips: dict[str, ClipState] = field(default_factory=dict)
    ticks: dict[float, int] = field(default_factory=dict)
    """The sender's own number of the group that first said a version."""
    ticks_sent: set[tuple[int, int, int]] = field(default_factory=set)
    """(station, epoch, tick) of every group about an alert."""
    station_offsets_s: list[tuple[float, float]] = field(default_factory=list)
    """Between these two the station's clock lies against this machine's, one pair a version."""

    def status(self, status: ServiceStatus) -> None:
        """A service says how it is."""
        self.statuses[status.service, status.instance] = status

    def online(self, service: str) -> list[str]:
        """The instances of a service that are there."""
        found = list(self.statuses.values())
        return sorted(s.instance for s in found if s.service == service and s.online)

    def alert(self, alert: Alert, heard_at: float) -> None:
        """An alert is on the air; ours tells by its time of version the station's clock."""
        if alert.confirmed_at in self.published and alert.confirmed_at not in self.alerts:
            self.alerts[alert.confirmed_at] = alert
            since_s = alert.reference_time - heard_at
            self.station_offsets_s.append((since_s, alert.reference_time - alert.confirmed_at))

    def receipt(self, receipt: Receipt, heard_at: float) -> None:
        """A vehicle proves that it dealt with a version; the first proof counts."""
        self.receipts.setdefault((receipt.vehicle, receipt.confirmed_at), (receipt, heard_at))

    def clip(self, state: ClipState) -> None:
        """The clipper says how far it is."""
        self.clips[state.event_id] = state

    def datagram(self, text: str) -> None:
        """The sender's own word on the second path: the first copy of each group."""
        datagram = _read(text)
        if datagram is None or datagram.alert is None:
            return
        self.ticks_sent.add((datagram.station, datagram.epoch, datagram.tick))
        self.ticks.setdefault(datagram.alert.confirmed_at, datagram.tick)

    def station_error_s(self) -> float:
        """How far this machine's clock may be from the station's."""
        if not self.station_offsets_s:
            return 0.0
        low = max(pair[0] for pair in self.station_offsets_s)
        high = min(pair[1] for pair in self.station_offsets_s)
        return max(abs(low), abs(high))

    def shown(self, vehicle: str, published: Published) -> Shown | None:
        """What a vehicle's receipt for a version proves, None when there is none or not shown."""
        found = self.receipts.get((vehicle, published.confirmed_at))
        if found is None or found[0].result != "displayed":
            return None
        receipt, heard_at = found
        after_display_s = receipt.residence_s - receipt.display_s
        error_s = receipt.clock_error_s
        synced = error_s is not None and 0.0 <= error_s <= MAX_CLOCK_ERROR_S
        return Shown(
            bound_s=heard_at - receipt.confirmed_at - after_display_s,
            one_way_s=receipt.displayed_at - receipt.confirmed_at if synced else None,
            error_s=(error_s or 0.0) + self.station_error_s(),
        )

    def irrelevant(self, vehicle: str, published: Published) -> bool:
        """Whether the vehicle heard the version and found that it does not concern it."""
        found = self.receipts.get((vehicle, published.confirmed_at))
        return found is not None and found[0].result == "irrelevant"

    def reception(self, vehicle: str, first: Published, last: Published) -> Reception | None:
        """What the vehicle counted between its receipts for two versions."""
        pair = [self.receipts.get((vehicle, one.confirmed_at)) for one in (first, last)]
        if pair[0] is None or pair[1] is None:
            return None
        receipt = pair[1][0]
        before = _counters(pair[0][0], receipt.station, receipt.epoch)
        after = _counters(receipt, receipt.station, receipt.epoch)
        if before is None or after is None:
            return None
        return Reception(
            after.ticks_expected - before.ticks_expected,
            after.ticks_delivered - before.ticks_delivered,
            after.datagrams_expected - before.datagrams_expected,
            after.datagrams_unique - before.datagrams_unique,
        )

    def ticks_between(self, first: Published, last: Published) -> int | None:
        """How many groups the sender says it sent after one version up to another."""
        begin, end = self.ticks.get(first.confirmed_at), self.ticks.get(last.confirmed_at)
        if begin is None or end is None:
            return None
        return len({tick for _, _, tick in self.ticks_sent if begin < tick <= end})


def _counters(receipt: Receipt, station: int, epoch: int) -> ReceptionCounters | None:
    found = (one for one in receipt.reception if (one.station, one.epoch) == (station, epoch))
    return next(found, None)


def _read(text: str) -> Datagram | None:
    """The payload of a JWS, unverified: it is counted, not believed."""
    parts = text.split(".")
    try:
        return Datagram.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, DecodeError):
        return None
