"""The demo's figures from what the vehicles sent: latency by two methods, and reception."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from hazardcast.contract.messages import Receipt


@dataclass(frozen=True)
class HeardReceipt:
    """A receipt and when it came back to this machine (epoch seconds)."""

    receipt: Receipt
    heard_at: float

    @property
    def latency_s(self) -> float:
        """Confirmed → console line flushed, by the two ends' clocks (here one and the same)."""
        return self.receipt.displayed_at - self.receipt.confirmed_at

    @property
    def bound_s(self) -> float:
        """The same, bounded from above by one clock alone.

        From confirmation until the receipt was heard, less what the vehicle says (by its monotonic
        clock) that it did after the console line; the way back is still in it.
        """
        after_display_s = self.receipt.residence_s - self.receipt.display_s
        return self.heard_at - self.receipt.confirmed_at - after_display_s


@dataclass(frozen=True)
class Spread:
    """Median and worst of some latencies, seconds."""

    median_s: float
    worst_s: float


@dataclass(frozen=True)
class VehicleFigures:
    """What one vehicle's receipts amount to."""

    vehicle: str
    receipts: int
    latency: Spread
    bound: Spread
    ticks_expected: int
    ticks_delivered: int

    @property
    def reception(self) -> float | None:
        """Share of ticks of which at least one copy arrived; None before the first."""
        return self.ticks_delivered / self.ticks_expected if self.ticks_expected else None


def of_vehicle(vehicle: str, heard: Sequence[HeardReceipt]) -> VehicleFigures | None:
    """The figures of one vehicle, None when it sent nothing."""
    own = [one for one in heard if one.receipt.vehicle == vehicle]
    if not own:
        return None
    counters = own[-1].receipt.reception
    return VehicleFigures(
        vehicle=vehicle,
        receipts=len(own),
        latency=_spread([one.latency_s for one in own]),
        bound=_spread([one.bound_s for one in own]),
        ticks_expected=sum(counter.ticks_expected for counter in counters),
        ticks_delivered=sum(counter.ticks_delivered for counter in counters),
    )


def _spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), max(values))
