"""Which of the newest numbers of a growing sequence were marked, after RFC 4303 §3.4.3. Pure."""

from __future__ import annotations

WINDOW = 1024
"""How many numbers back can be told apart."""
_ALL = (1 << WINDOW) - 1


class SlidingBitmap:
    """Marks of the numbers from `highest` down to `WINDOW` below it."""

    __slots__ = ("_bits", "highest")

    def __init__(self, highest: int) -> None:
        self.highest = highest
        """The highest number reached, marked or not."""
        self._bits = 0

    def forgotten(self, number: int) -> bool:
        """Whether `number` is so far back that nothing tells any more."""
        return self.highest - number >= WINDOW

    def marked(self, number: int) -> bool:
        """Whether `number` was marked and is not forgotten."""
        behind = self.highest - number
        return behind >= 0 and bool(self._bits >> behind & 1)

    def reach(self, number: int) -> None:
        """The sequence goes up to `number` at least."""
        ahead = number - self.highest
        if ahead > 0:
            self._bits = self._bits << ahead & _ALL if ahead < WINDOW else 0
            self.highest = number

    def mark(self, number: int) -> bool:
        """Mark `number`; returns whether that is news: neither marked before nor forgotten."""
        behind = self.highest - number
        if behind < 0:
            self.reach(number)
            behind = 0
        if behind >= WINDOW or self._bits >> behind & 1:
            return False
        self._bits |= 1 << behind
        return True
