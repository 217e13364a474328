"""Which datagrams of a station were taken already: a window against replay that counts loss."""

from __future__ import annotations

from typing import Self

from hazardcast.receiving.sliding_bitmap import SlidingBitmap

NOTHING = -1


class Window:
    """The sequence numbers of one epoch.

    Args:
        epoch: the station's epoch.
        first: the first number heard in it, which is taken: what came before is not ours to miss.
    """

    def __init__(self, epoch: int, first: int) -> None:
        self.epoch = epoch
        self.unique = 0
        """How many were taken."""
        self._base = first
        self._floor = NOTHING
        """Up to here everything counts as taken: it was before a restart of this receiver."""
        self._taken = SlidingBitmap(first)
        self.take(first)

    @classmethod
    def resumed(cls, epoch: int, highest: int) -> Self:
        """The window after a restart: nothing heard yet, nothing up to `highest` taken again."""
        window = cls(epoch, highest)
        window.unique, window._floor = 0, highest
        return window

    @property
    def highest(self) -> int:
        """The highest number taken."""
        return self._taken.highest

    def seen(self, seq: int) -> bool:
        """Whether `seq` was taken already, or is too old to tell."""
        return self.forgotten(seq) or self._taken.marked(seq)

    def forgotten(self, seq: int) -> bool:
        """Whether `seq` is so old that only a replay can bring it."""
        return seq <= self._floor or self._taken.forgotten(seq)

    def take(self, seq: int) -> None:
        """Mark `seq` as taken."""
        self._base = min(self._base, seq) if self.unique else seq
        self._taken.mark(seq)
        self.unique += 1

    @property
    def expected(self) -> int:
        """How many datagrams the station sent since the first one heard (RFC 3550 A.3)."""
        return self.highest - self._base + 1 if self.unique else 0
