"""Rows of numbers that come in at one end and go at the other, as one array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hazardcast.vision.geometry.boxes import Floats

FIRST_ROOM = 64


class Rows:
    """A table whose first column is time; appending a row costs no allocation.

    Of more than `at_most` rows the oldest are dropped.
    """

    def __init__(self, columns: int, *, at_most: int | None = None) -> None:
        self._at_most = at_most
        self._table = np.empty((FIRST_ROOM, columns))
        self._start = self._end = 0

    def __len__(self) -> int:
        return self._end - self._start

    @property
    def array(self) -> Floats:
        """(N, columns), oldest first; a view that stays as it is, do not change it."""
        return self._table[self._start : self._end]

    def append(self, row: Sequence[float]) -> None:
        """Add the newest row."""
        if len(self) == self._at_most:
            self._start += 1
        if self._end == len(self._table):
            self._move()
        self._table[self._end] = row
        self._end += 1

    def drop_before(self, t: float) -> None:
        """Forget the rows whose time is before `t`."""
        while self._start < self._end and self._table[self._start, 0] < t:
            self._start += 1

    def _move(self) -> None:
        # Into a new table: views of the old one stay as they are.
        kept = self.array
        self._table = np.empty((max(FIRST_ROOM, 2 * len(kept)), kept.shape[1]))
        self._table[: len(kept)] = kept
        self._start, self._end = 0, len(kept)
