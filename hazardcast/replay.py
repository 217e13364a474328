"""Which datagrams of a station were taken already: a window against replay that counts loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

WINDOW = 1024
_ALL = (1 << WINDOW) - 1
NOTHING = -1


@dataclass
class Window:
    """Sliding bitmap over the sequence numbers of one epoch, as RFC 4303 §3.4.3 keeps it."""

    epoch: int
    base: int
    """First sequence number heard in this epoch: what came before is not ours to miss."""
    highest: int
    bits: int = 1
    unique: int = 1
    floor: int = NOTHING
    """Up to here everything counts as taken: it was before a restart of this receiver."""

    @classmethod
    def resumed(cls, epoch: int, highest: int) -> Self:
        """The window after a restart: nothing heard yet, nothing up to `highest` taken again."""
        return cls(epoch, base=highest + 1, highest=highest, bits=0, unique=0, floor=highest)

    def seen(self, seq: int) -> bool:
        """Whether `seq` was taken already, or is too old to tell."""
        if self.forgotten(seq):
            return True
        behind = self.highest - seq
        return behind >= 0 and bool(self.bits >> behind & 1)

    def forgotten(self, seq: int) -> bool:
        """Whether `seq` is so old that only a replay can bring it."""
        return seq <= self.floor or self.highest - seq >= WINDOW

    def take(self, seq: int) -> None:
        """Mark `seq` as taken."""
        if not self.unique:
            self.base = seq
        ahead = seq - self.highest
        if ahead > 0:
            self.bits = (self.bits << ahead if ahead < WINDOW else 0) & _ALL | 1
            self.highest = seq
        else:
            self.bits |= 1 << -ahead
        self.unique += 1
        self.base = min(self.base, seq)

    @property
    def expected(self) -> int:
        """How many datagrams the station sent since the first one heard (RFC 3550 A.3)."""
        return self.highest - self.base + 1 if self.unique else 0
