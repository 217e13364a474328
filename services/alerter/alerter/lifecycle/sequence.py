"""Numbers that are never given twice, without waiting for the disk: reserved a block ahead."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from hazardcast.machine.refusals import in_words

log = logging.getLogger(__name__)
BLOCK = 32
TAKEN_WITHIN_S = 0.05


class Sequence:
    """Counts up; on disk stands the first number that may not have been given.

    `reserve(end)` must have put `end` on disk when it returns. A crash skips what was reserved and
    not given, a clean stop (`close`) nothing. While the disk refuses, numbers are given all the
    same: after a crash the clock's floor is beyond them (`numbers.floor`).
    """

    def __init__(self, start: int, reserve: Callable[[int], None], *, block: int = BLOCK) -> None:
        self._next = start
        self._reserve = reserve
        self._block = block
        self._counting = threading.Lock()
        self._reserving = threading.Lock()
        self._end = start
        self._owed = False
        self._extend_to(start + block)

    def take(self) -> int:
        """The next number; waits for the disk, a moment, only if a block went in one breath."""
        while True:
            with self._counting:
                if self._next < self._end:
                    self._next += 1
                    return self._next - 1
                end = self._end + self._block
            self._reserve_to(end, within_s=TAKEN_WITHIN_S)

    @property
    def following(self) -> int:
        """The number that would be given next."""
        return self._next

    def top_up(self) -> None:
        """Reserve another block once half of this one is gone; called off the hot path.

        Skipped while another reserves: who does waits for the thread that this is called on.
        """
        if not self._reserving.acquire(blocking=False):
            return
        try:
            if self._owed:
                self._keep(self._end)
            if self._end - self._next <= self._block // 2:
                self._extend_to(self._end + self._block)
        finally:
            self._reserving.release()

    def at_least(self, number: int, *, waits: bool = True) -> bool:
        """Give no number below `number` from now on; whether that is so.

        Waits for the disk, if it must; without `waits` it is not done while another reserves.
        """
        with self._counting:
            if number <= self._next:
                return True
        if not self._reserving.acquire(blocking=waits):
            return False
        try:
            self._extend_to(number + self._block)
        finally:
            self._reserving.release()
        with self._counting:
            self._next = max(self._next, number)
        return True

    def close(self) -> None:
        """Give back what was not given; nothing may be taken afterwards."""
        with self._reserving, self._counting:
            self._end = self._next
            self._keep(self._end)

    def _reserve_to(self, end: int, *, within_s: float) -> None:
        """One writer at a time, so that the disk never falls back; a taker waits for it in bounds.

        While another hangs in the disk, numbers are given as while the disk refuses.
        """
        if not self._reserving.acquire(timeout=within_s):
            with self._counting:
                self._end, self._owed = max(self._end, end), True
            return
        try:
            self._extend_to(end)
        finally:
            self._reserving.release()

    def _extend_to(self, end: int) -> None:
        """To be called by who holds `_reserving`."""
        if end <= self._end:
            return
        self._keep(end)
        with self._counting:
            self._owed = self._owed or end < self._end
            self._end = max(self._end, end)

    def _keep(self, end: int) -> None:
        try:
            self._reserve(end)
        except OSError as error:
            if not self._owed:
                log.error(
                    "numbers are not kept, will be tried again", extra={"reason": in_words(error)}
                )
            self._owed = True
        else:
            self._owed = False
