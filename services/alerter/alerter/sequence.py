"""Numbers that are never given twice, without waiting for the disk: reserved a block ahead."""

from __future__ import annotations

import threading
from collections.abc import Callable

BLOCK = 32


class Sequence:
    """Counts up; on disk stands the first number that may not have been given.

    `reserve(end)` must have put `end` on disk when it returns. A crash skips what was reserved and
    not given, a clean stop (`close`) nothing.
    """

    def __init__(self, start: int, reserve: Callable[[int], None], *, block: int = BLOCK) -> None:
        self._next = start
        self._reserve = reserve
        self._block = block
        self._lock = threading.Lock()
        self._end = start + block
        reserve(self._end)

    def take(self) -> int:
        """The next number; waits for the disk only if a whole block went in one breath."""
        with self._lock:
            if self._next >= self._end:
                self._extend()
            number = self._next
            self._next += 1
            return number

    def top_up(self) -> None:
        """Reserve another block once half of this one is gone; called off the hot path."""
        if self._end - self._next <= self._block // 2:
            with self._lock:
                self._extend()

    def close(self) -> None:
        """Give back what was not given."""
        with self._lock:
            self._end = self._next
            self._reserve(self._end)

    def _extend(self) -> None:
        end = max(self._next, self._end) + self._block
        self._reserve(end)
        self._end = end
