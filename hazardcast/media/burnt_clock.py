"""A wall clock burnt into the picture for machines to read: the measure of end-to-end latency.

The strip along the top edge of the frame is one row of 80 equal cells, black or white:

    white black | 44 bits: epoch milliseconds | 32 bits: CRC-32 of them | black white

A cell is 1/80 of the frame's width wide and the strip 1/60 of it high, so that the clock survives
scaling; at 960 pixels a cell is 12 × 16. A reading needs every cell to be clearly black or white,
all four guard cells and the checksum to fit: a random strip passes with a chance below 2⁻³⁶, and a
picture without a clock practically never gets so far as the checksum. 44 bits last until 2527.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

CELLS = 80
TIME_BITS = 44
CHECK_BITS = 32
STRIP_HEIGHT_WIDTHS = 1 / 60
"""Height of the strip in frame widths."""
BLACK, WHITE = 16, 235
CLEARLY_BLACK, CLEARLY_WHITE = 96, 160
SMALLEST_WIDTH_PX = 320

_FIRST_GUARD, _LAST_GUARD = (1, 0), (0, 1)
Frame = NDArray[np.uint8]


def strip_height_px(width_px: int) -> int:
    """Rows that the strip covers in a frame of this width."""
    return max(1, round(width_px * STRIP_HEIGHT_WIDTHS))


def burn(frame: Frame, wall_ms: int) -> None:
    """Write epoch milliseconds into the top rows of `frame`, in place.

    Args:
        frame: shape (height, width, 3) or (height, width), uint8, at least 320 wide.
        wall_ms: from 0 to 2⁴⁴ - 1.

    Raises:
        ValueError: the time does not fit, or the frame is too narrow to be read again.
    """
    width = frame.shape[1]
    if width < SMALLEST_WIDTH_PX:
        raise ValueError(f"a frame {width} wide cannot carry the clock, {SMALLEST_WIDTH_PX} can")
    levels = np.where(_cells(wall_ms), WHITE, BLACK).astype(np.uint8)
    row = levels[np.arange(width) * CELLS // width]
    frame[: strip_height_px(width)] = row if frame.ndim == 2 else row[:, None]


def read(frame: Frame) -> int | None:
    """The epoch milliseconds burnt into `frame`, or None when they cannot be read for certain.

    Args:
        frame: as for `burn`, at any size since.
    """
    if frame.ndim not in (2, 3) or frame.shape[1] < CELLS:
        return None
    means = _cell_means(frame)
    if np.any((means > CLEARLY_BLACK) & (means < CLEARLY_WHITE)):
        return None
    bits = means >= CLEARLY_WHITE
    if tuple(bits[:2]) != _FIRST_GUARD or tuple(bits[-2:]) != _LAST_GUARD:
        return None
    wall_ms = _number(bits[2 : 2 + TIME_BITS])
    return wall_ms if _number(bits[2 + TIME_BITS : -2]) == _checksum(wall_ms) else None


def _cells(wall_ms: int) -> NDArray[np.bool_]:
    if not 0 <= wall_ms < 1 << TIME_BITS:
        raise ValueError(f"{wall_ms} ms does not fit into {TIME_BITS} bits")
    text = f"{wall_ms:0{TIME_BITS}b}{_checksum(wall_ms):0{CHECK_BITS}b}"
    return np.array([*_FIRST_GUARD, *map(int, text), *_LAST_GUARD], dtype=np.bool_)


def _checksum(wall_ms: int) -> int:
    return zlib.crc32(wall_ms.to_bytes(6, "big"))


def _number(bits: NDArray[np.bool_]) -> int:
    return int("".join("1" if bit else "0" for bit in bits), 2)


def _cell_means(frame: Frame) -> NDArray[np.float64]:
    """Mean brightness of the middle half of every cell, away from blurred edges; shape (80,)."""
    height = strip_height_px(frame.shape[1])
    rows = frame[height // 4 : max(height // 4 + 1, height - height // 4)]
    profile = rows.mean(axis=(0, 2) if rows.ndim == 3 else 0)
    width = frame.shape[1]
    sums = np.concatenate([[0.0], np.cumsum(profile)])
    starts = np.round((np.arange(CELLS) + 0.25) * width / CELLS).astype(int)
    ends = np.maximum(starts + 1, np.round((np.arange(CELLS) + 0.75) * width / CELLS).astype(int))
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts))
