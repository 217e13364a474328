"""What a track remembers: one row per time it was seen, oldest first."""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np

from detector.boxes import Floats


class Column(IntEnum):
    """The columns of a history."""

    T = 0
    """Time of the frame, seconds."""
    X1 = 1
    Y1 = 2
    X2 = 3
    Y2 = 4
    VX = 5
    """Speed of the bottom centre, px/s, least squares over the last `FIT_S`."""
    VY = 6
    SIZE = 7
    """√(w·h), px."""
    SCORE = 8


KEPT_ROWS = 512
"""About a minute at 8 frames per second."""
FIT_S = 0.45


class History:
    """Rows of `Column`s; appending costs no allocation."""

    def __init__(self) -> None:
        self._rows = np.zeros((64, len(Column)))
        self._end = 0
        self._start = 0

    def __len__(self) -> int:
        return self._end - self._start

    @property
    def rows(self) -> Floats:
        """(N, columns), oldest first; a view, do not change."""
        return self._rows[self._start : self._end]

    def append(self, t: float, box: Floats, score: float) -> None:
        """Remember that the track was at `box` (4,) at time `t`."""
        self._make_room()
        row = self._rows[self._end]
        row[Column.T], row[Column.SCORE] = t, score
        row[Column.X1 : Column.Y2 + 1] = box
        width, height = row[Column.X2] - row[Column.X1], row[Column.Y2] - row[Column.Y1]
        row[Column.SIZE] = max(1.0, width * height) ** 0.5
        self._end += 1
        row[Column.VX], row[Column.VY] = self._velocity(t)

    @property
    def speed_blps(self) -> float:
        """Speed in the last row, body lengths per second."""
        row = self._rows[self._end - 1]
        return math.hypot(row[Column.VX], row[Column.VY]) / float(row[Column.SIZE])

    def _make_room(self) -> None:
        if self._end - self._start >= KEPT_ROWS:
            self._start += 1
        if self._end < len(self._rows):
            return
        kept = self.rows
        if len(kept) * 2 > len(self._rows):
            self._rows = np.concatenate([kept, np.zeros_like(kept)])
        else:
            self._rows[: len(kept)] = kept.copy()
        self._start, self._end = 0, len(kept)

    def _velocity(self, t: float) -> tuple[float, float]:
        """Least squares over the last `FIT_S`, over two rows if they are further apart."""
        first = self._end - 1
        while first > self._start and t - self._rows[first - 1, Column.T] <= FIT_S:
            first -= 1
        first = max(self._start, min(first, self._end - 2))
        if self._end - first < 2:
            return 0.0, 0.0
        return _slopes(self._rows[first : self._end])

    def since(self, t: float) -> Floats:
        """The rows at or after `t`."""
        return self.rows[np.searchsorted(self.rows[:, Column.T], t) :]

    def before(self, t: float) -> Floats:
        """The rows before `t`."""
        return self.rows[: np.searchsorted(self.rows[:, Column.T], t)]

    def box_at(self, t: float) -> Floats:
        """(4,) the box last seen at or before `t`, the first one when `t` is earlier."""
        row = max(0, int(np.searchsorted(self.rows[:, Column.T], t, side="right")) - 1)
        return self.rows[row, Column.X1 : Column.Y2 + 1]


def _slopes(rows: Floats) -> tuple[float, float]:
    # Plain floats: four or five rows are too few for array operations to pay.
    times = rows[:, Column.T].tolist()
    xs = ((rows[:, Column.X1] + rows[:, Column.X2]) / 2).tolist()
    ys = rows[:, Column.Y2].tolist()
    mean = sum(times) / len(times)
    spread = sum((t - mean) ** 2 for t in times)
    if spread <= 1e-9:
        return 0.0, 0.0
    vx = sum((t - mean) * x for t, x in zip(times, xs, strict=True)) / spread
    vy = sum((t - mean) * y for t, y in zip(times, ys, strict=True)) / spread
    return vx, vy
