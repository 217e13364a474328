"""What a track remembers: one row per time it was seen, oldest first."""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np

from hazardcast.vision.geometry.boxes import Floats
from hazardcast.vision.geometry.row_buffer import Rows


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
    """Rows of `Column`s, the newest last."""

    def __init__(self) -> None:
        self._rows = Rows(len(Column), at_most=KEPT_ROWS)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def rows(self) -> Floats:
        """(N, columns), oldest first; a view, do not change."""
        return self._rows.array

    def append(self, t: float, box: Floats, score: float) -> None:
        """Remember that the track was at `box` (4,) at time `t`."""
        x1, y1, x2, y2 = box.tolist()
        size = math.sqrt(max(1.0, (x2 - x1) * (y2 - y1)))
        self._rows.append((t, x1, y1, x2, y2, 0.0, 0.0, size, score))
        rows = self._rows.array
        rows[-1, Column.VX : Column.VY + 1] = _velocity(rows)

    @property
    def speed_blps(self) -> float:
        """Speed in the last row, body lengths per second."""
        row = self.rows[-1]
        return math.hypot(row[Column.VX], row[Column.VY]) / float(row[Column.SIZE])

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


def _velocity(rows: Floats) -> tuple[float, float]:
    """Least squares over the last `FIT_S`, over two rows if they are further apart."""
    recent = np.searchsorted(rows[:, Column.T], rows[-1, Column.T] - FIT_S)
    first = max(0, min(int(recent), len(rows) - 2))
    return _slopes(rows[first:]) if len(rows) - first >= 2 else (0.0, 0.0)


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
