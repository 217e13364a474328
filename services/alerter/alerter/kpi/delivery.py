"""What receipts prove about latency and loss. Pure.

Latency is told twice and never mixed. `rtt_bound` is an upper bound that trusts no vehicle's clock:
the round trip from `tx` to the receipt's arrival, both on this station's clock, less the time that
the receipt rested in the vehicle (monotonic there), covers the way there and the way back, so it
is at least the way there. `synced` is the difference of the two wall clocks, told only where
the vehicle vouches for its own.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from hazardcast.contract.messages import Receipt, ReceptionCounters
from hazardcast.contract.promises import LATENCY_TARGET_S, MAX_CLOCK_ERROR_S

TOLERANCE_S = 0.002
"""How far a bound may fall below zero by rounding and by the steps of our own clock."""
LOSS_WINDOW_S = 60.0
MAX_VEHICLES = 1024


@dataclass(frozen=True)
class Latency:
    """What one receipt proves, in seconds."""

    rtt_bound_s: float
    """Incident confirmed → shown, at most."""
    there_and_back_s: float
    display_s: float
    synced_s: float | None = None

    @property
    def in_time(self) -> bool:
        """Whether the alert was surely shown within half a second."""
        return self.rtt_bound_s <= LATENCY_TARGET_S


def latency(receipt: Receipt, *, received_at: float) -> Latency | None:
    """The latency that a receipt proves, None if its times contradict each other.

    Args:
        receipt: as the vehicle sent it.
        received_at: its arrival, on the clock that stamped `tx`.
    """
    there_and_back_s = received_at - receipt.tx - receipt.residence_s
    to_send_s = receipt.tx - receipt.confirmed_at
    sound = 0.0 <= receipt.display_s <= receipt.residence_s + TOLERANCE_S
    if not sound or there_and_back_s < -TOLERANCE_S:
        return None
    return Latency(
        rtt_bound_s=max(0.0, to_send_s) + max(0.0, there_and_back_s) + receipt.display_s,
        there_and_back_s=max(0.0, there_and_back_s),
        display_s=receipt.display_s,
        synced_s=_synced_s(receipt),
    )


def _synced_s(receipt: Receipt) -> float | None:
    if receipt.clock_error_s is None or not 0.0 <= receipt.clock_error_s <= MAX_CLOCK_ERROR_S:
        return None
    return max(0.0, receipt.displayed_at - receipt.confirmed_at)


@dataclass(frozen=True)
class Counted:
    """How much a vehicle's counters grew."""

    datagrams_expected: int = 0
    datagrams_unique: int = 0
    ticks_expected: int = 0
    ticks_delivered: int = 0


def growth(now: ReceptionCounters, before: ReceptionCounters | None) -> Counted:
    """What came on top of `before`; counters that went back started anew at zero."""
    if before is None or now.datagrams_expected < before.datagrams_expected:
        return Counted(
            max(0, now.datagrams_expected),
            max(0, now.datagrams_unique),
            max(0, now.ticks_expected),
            max(0, now.ticks_delivered),
        )
    return Counted(
        max(0, now.datagrams_expected - before.datagrams_expected),
        max(0, now.datagrams_unique - before.datagrams_unique),
        max(0, now.ticks_expected - before.ticks_expected),
        max(0, now.ticks_delivered - before.ticks_delivered),
    )


@dataclass
class _Listener:
    counters: ReceptionCounters
    recent: deque[tuple[float, Counted]] = field(default_factory=deque)


class LossReports:
    """Each vehicle's running counters, turned into growth and into the loss of the last minute."""

    def __init__(self, *, station: int, epoch: int) -> None:
        self._station = station
        self._epoch = epoch
        self._listeners: OrderedDict[tuple[str, str | None], _Listener] = OrderedDict()

    def take(self, receipt: Receipt, at: float) -> Counted:
        """Note a receipt's counters for this station and epoch; returns their growth."""
        counters = next(
            (
                entry
                for entry in receipt.reception
                if (entry.station, entry.epoch) == (self._station, self._epoch)
            ),
            None,
        )
        if counters is None:
            return Counted()
        key = (receipt.vehicle, receipt.boot)
        listener = self._listeners.get(key)
        counted = growth(counters, listener.counters if listener else None)
        if listener is None:
            listener = self._listeners[key] = _Listener(counters)
        listener.counters = counters
        listener.recent.append((at, counted))
        self._listeners.move_to_end(key)
        if len(self._listeners) > MAX_VEHICLES:
            self._listeners.popitem(last=False)
        return counted

    def worst(self, at: float) -> float:
        """The share of datagrams that the worst vehicle lost in the last minute; 0 with no news."""
        return max((_loss(entry.recent, at) for entry in self._listeners.values()), default=0.0)


def _loss(recent: deque[tuple[float, Counted]], at: float) -> float:
    while recent and at - recent[0][0] > LOSS_WINDOW_S:
        recent.popleft()
    expected = sum(counted.datagrams_expected for _, counted in recent)
    unique = sum(counted.datagrams_unique for _, counted in recent)
    return max(0.0, 1.0 - unique / expected) if expected else 0.0
