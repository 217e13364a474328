"""When to have the kernel throw things away, because reading them would cost too much. Pure."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import IntEnum

from hazardcast.receiving import bpf

FLOOD_PER_S = 2_000
"""No station and no pair of paths brings so much to refuse: a station sends at most half of it."""
HOLD_S = 10.0
PROVEN_KEPT = 16


class Sieve(IntEnum):
    """What the kernel lets through."""

    ANYTHING = 0
    TRUSTED_KEYS = 1
    """What begins as datagrams of the trusted keys do."""
    PROVEN_SOURCES = 2
    """Of that, what comes from an address that a true datagram came from before."""


@dataclass
class FloodGate:
    """Closes when more than `FLOOD_PER_S` must be refused; opens `HOLD_S` later to look again.

    A flood that gets through the first sieve, because it begins like a true datagram, brings on the
    second. Then whoever would drown an alert has to forge the station's own address.
    """

    _since: float = 0.0
    _refused: int = 0
    _closed_at: float = 0.0
    _sources: OrderedDict[str, None] = field(default_factory=OrderedDict)
    sieve: Sieve = Sieve.ANYTHING

    def believed(self, source: str) -> None:
        """A true datagram came from this address."""
        self._sources[source] = None
        self._sources.move_to_end(source)
        if len(self._sources) > PROVEN_KEPT:
            self._sources.popitem(last=False)

    def closes(self, monotonic: float, *, lookalike: bool, dropped: int = 0) -> bool:
        """Count a refusal; True when the kernel is to be given `program` now.

        Args:
            monotonic: when it was refused, s.
            lookalike: it began as a datagram of a trusted key does.
            dropped: how many the kernel had to drop since the one before. They count too: a slow
                machine in a flood gets to see but few.
        """
        if monotonic - self._since >= 1.0:
            self._since, self._refused = monotonic, 0
        self._refused += 1 + dropped
        wanted = Sieve.PROVEN_SOURCES if lookalike and self._sources else Sieve.TRUSTED_KEYS
        if self._refused < FLOOD_PER_S or wanted <= self.sieve:
            return False
        self._refused, self._closed_at, self.sieve = 0, monotonic, wanted
        return True

    def program(self, beginnings: tuple[bytes, ...]) -> bytes:
        """What the kernel is to let through, by how datagrams of the trusted keys begin."""
        proven = self.sieve is Sieve.PROVEN_SOURCES
        return bpf.only(beginnings, sources=self._sources if proven else None)

    def opens(self, monotonic: float) -> bool:
        """Whether the gate is to be opened now."""
        if self.sieve is Sieve.ANYTHING or monotonic - self._closed_at < HOLD_S:
            return False
        self.sieve, self._refused = Sieve.ANYTHING, 0
        return True
