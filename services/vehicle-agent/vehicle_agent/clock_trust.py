"""Whether this vehicle's clock is right enough to tell a fresh datagram from a late one.

Two witnesses. The kernel, when a time daemon disciplines it, bounds the error itself. Otherwise
authentic datagrams witness: `received - tx` is the transmission delay plus the difference of the
two clocks. A delay is never negative and nobody can sign for the future, so a transmit time ahead
of our clock proves that the clocks differ, as a later number with an earlier transmit time proves
that the station's was set. One that merely lies behind may be a replay and proves nothing. While
the clock is in doubt alerts are shown but never acted upon.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hazardcast.receiving.datagram_verifier import MAX_AGE_S, MAX_FUTURE_S, Number

MAX_KERNEL_BOUND_S = 1.0
"""A clock whose bound is wider is no judge of a freshness of 2 s."""
PLAUSIBLE_FROM_S = -0.05
PLAUSIBLE_TO_S = 0.5
MAX_SILENCE_S = 35.0
"""A witness is forgotten with the link: three heartbeats and a half."""
STEP_S = 0.1
"""Wall clock against monotonic clock: more than slewing (500 ppm) can do, so it was set."""
LATE_FOR_S = 10.0
"""Late by the same for so long, and never timely between: the clocks differ. A shorter stretch that
comes late is a replay, as one that is replayed again and again is: it comes ever later."""


@dataclass(frozen=True)
class ClockState:
    """What is known of the clock."""

    source: Literal["kernel", "station", "none"]
    error_s: float | None
    """Bound on the error; None when the clock may be anything."""
    offset_s: float | None
    """Last `received - tx` of an authentic datagram: clock difference plus delay."""

    @property
    def disagrees(self) -> bool:
        """The clock is known to be right, and yet the last datagram looked late or early."""
        if self.error_s is None or self.offset_s is None:
            return False
        return not -MAX_FUTURE_S - self.error_s <= self.offset_s <= MAX_AGE_S + self.error_s


class ClockTrust:
    """Gathers witnesses and gives the bound to judge by."""

    def __init__(self) -> None:
        self._kernel_bound_s: float | None = None
        self._offset_s: float | None = None
        self._plausible_at: float | None = None
        self._wall_minus_monotonic = 0.0
        self._late_since: tuple[float, float] | None = None
        self._newest: dict[int, tuple[int, int, float]] = {}

    def kernel_says(self, bound_s: float | None) -> None:
        """The kernel's bound on its clock's error; None when no time daemon disciplines it."""
        usable = bound_s is not None and bound_s <= MAX_KERNEL_BOUND_S
        self._kernel_bound_s = bound_s if usable else None

    def witness(
        self, tx: float, *, now: float, monotonic: float, number: Number | None = None
    ) -> None:
        """An authentic datagram sent at `tx` by its station's clock arrived at `now` by ours."""
        self._offset_s = offset_s = now - tx
        if number and self._was_set_back(number, tx):
            self._plausible_at = None
        if PLAUSIBLE_FROM_S <= offset_s <= PLAUSIBLE_TO_S:
            self._plausible_at = monotonic
            self._wall_minus_monotonic = now - monotonic
            self._late_since = None
        elif offset_s < -PLAUSIBLE_TO_S:
            self._plausible_at = None
        elif offset_s > MAX_AGE_S + PLAUSIBLE_TO_S:
            self._note_late(offset_s, monotonic)

    def _was_set_back(self, number: Number, tx: float) -> bool:
        """Whether a station's clock went back between two datagrams of one epoch."""
        station, epoch, seq = number
        newest_epoch, newest_seq, newest_tx = self._newest.get(station, (0, 0, tx))
        if (epoch, seq) <= (newest_epoch, newest_seq):
            return False
        self._newest[station] = (epoch, seq, tx)
        return epoch == newest_epoch and tx < newest_tx - PLAUSIBLE_TO_S

    def _note_late(self, offset_s: float, monotonic: float) -> None:
        since, first_s = self._late_since or (monotonic, offset_s)
        if abs(offset_s - first_s) > PLAUSIBLE_TO_S:
            since, first_s = monotonic, offset_s
        self._late_since = (since, first_s)
        if monotonic - since >= LATE_FOR_S:
            self._plausible_at = None

    def error_s(self, *, now: float, monotonic: float) -> float | None:
        """Bound on the clock's error, to judge freshness by; None: do not judge."""
        return self.state(now=now, monotonic=monotonic).error_s

    def state(self, *, now: float, monotonic: float) -> ClockState:
        """What is known of the clock now."""
        if self._kernel_bound_s is not None:
            return ClockState("kernel", self._kernel_bound_s, self._offset_s)
        if self._witnessed(now, monotonic):
            return ClockState("station", PLAUSIBLE_TO_S, self._offset_s)
        return ClockState("none", None, self._offset_s)

    def _witnessed(self, now: float, monotonic: float) -> bool:
        if self._plausible_at is None or monotonic - self._plausible_at > MAX_SILENCE_S:
            return False
        return abs(now - monotonic - self._wall_minus_monotonic) <= STEP_S
