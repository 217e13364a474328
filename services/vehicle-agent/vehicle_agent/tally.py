"""How much of what a station sent has arrived: per station and epoch, by its own numbers.

Counted after RFC 3550 A.3: expected = highest - base + 1, so that a late arrival corrects the
count by itself. What was sent before the vehicle listened is not its loss.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from hazardcast.contract.messages import Datagram, ReceptionCounters
from hazardcast.receiving.sliding_bitmap import SlidingBitmap
from vehicle_agent.sighting import RADIO_PATHS, Path

AHEAD_KEPT = 256


class Tally:
    """Which numbers of a growing sequence arrived."""

    def __init__(self) -> None:
        self.delivered = 0
        """How many arrived, each counted once."""
        self._base = 0
        self._arrived: SlidingBitmap | None = None

    def hear_of(self, number: int) -> None:
        """`number` was sent; whether it arrives is another matter."""
        if self._arrived is None:
            self._base, self._arrived = number + 1, SlidingBitmap(number)
        else:
            self._arrived.reach(number)

    def deliver(self, number: int) -> None:
        """`number` arrived, for the first or another time."""
        if self._arrived is None:
            self._base, self._arrived = number, SlidingBitmap(number)
        if self._arrived.mark(number):
            self.delivered += 1
            self._base = min(self._base, number)

    @property
    def expected(self) -> int:
        """How many there should be."""
        return 0 if self._arrived is None else self._arrived.highest - self._base + 1


@dataclass
class _Station:
    epoch: int
    datagrams: Tally = field(default_factory=Tally)
    ticks: Tally = field(default_factory=Tally)


class Tallies:
    """The counts of every station.

    Ticks count by whichever path brought them first: they are what the vehicle got. Datagrams
    count by radio (multicast, unicast) alone: the second path carries one copy of each group, and
    the station chooses its number of copies by what the radio loses.
    """

    def __init__(self) -> None:
        self._stations: dict[int, _Station] = {}
        self._ahead: OrderedDict[bytes, Datagram] = OrderedDict()

    def count(self, datagram: Datagram, path: Path, text: bytes = b"") -> None:
        """Take one authentic datagram into account; `text` is what it was read from."""
        if path not in RADIO_PATHS:
            self._ahead[text] = datagram
            if len(self._ahead) > AHEAD_KEPT:
                self._ahead.popitem(last=False)
        self._count(datagram, path)

    def count_again(self, text: bytes, path: Path) -> None:
        """A duplicate arrived. The radio is not to blame if the second path was quicker.

        The very same bytes were found authentic before; anything else is not counted.
        """
        if path in RADIO_PATHS and (datagram := self._ahead.pop(text, None)):
            self._count(datagram, path)

    def _count(self, datagram: Datagram, path: Path) -> None:
        counts = self._stations.get(datagram.station)
        if counts is None or datagram.epoch > counts.epoch:
            counts = self._stations[datagram.station] = _Station(datagram.epoch)
        if path in RADIO_PATHS:
            counts.datagrams.deliver(datagram.seq)
        elif counts.datagrams.delivered:
            counts.datagrams.hear_of(datagram.seq)
        if datagram.kind == "alert":
            counts.ticks.deliver(datagram.tick)
        else:
            counts.ticks.hear_of(datagram.tick)

    def counters(self) -> tuple[ReceptionCounters, ...]:
        """Running counts, one entry a station."""
        return tuple(
            ReceptionCounters(
                station=station,
                epoch=counts.epoch,
                datagrams_expected=counts.datagrams.expected,
                datagrams_unique=counts.datagrams.delivered,
                ticks_expected=counts.ticks.expected,
                ticks_delivered=counts.ticks.delivered,
            )
            for station, counts in self._stations.items()
        )
