"""By how much a whole picture moved: phase correlation (Kuglin & Hines 1975) with a fitted peak."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hazardcast.vision.geometry.boxes import Floats

LEAST_PEAK = 0.25
"""Of the correlation: less, and the pictures have no single movement in common."""


def shift_px(before: Floats, after: Floats) -> Floats | None:
    """(2,) x and y in pixels that the content moved from one grey picture (H, W) to the next.

    None when they have no common movement. Vehicles that cross do not count: what stands is more.
    """
    window = _window(*before.shape)
    a = np.fft.rfft2((before - before.mean()) * window)
    b = np.fft.rfft2((after - after.mean()) * window)
    cross = b * np.conj(a)
    # Pure phase is all noise on a picture with little detail: weighted by the root of the power.
    cross /= np.maximum(np.sqrt(np.abs(cross)), 1e-6)
    peaks = np.fft.irfft2(cross, s=before.shape)
    energy = float(np.sqrt(np.abs(a).sum() * np.abs(b).sum()))
    row, column = np.unravel_index(int(peaks.argmax()), peaks.shape)
    if energy <= 0 or peaks[row, column] <= 0 or _sharpness(peaks, row, column) < LEAST_PEAK:
        return None
    y = _fitted(peaks[:, column], int(row))
    x = _fitted(peaks[row, :], int(column))
    return np.array([x, y])


def _sharpness(peaks: Floats, row: np.intp, column: np.intp) -> float:
    """How far the peak rises above the best that is not beside it, share of the peak."""
    rolled = np.roll(peaks, (-int(row), -int(column)), axis=(0, 1)).copy()
    height = float(rolled[0, 0])
    for rows in (slice(0, 3), slice(-2, None)):
        for columns in (slice(0, 3), slice(-2, None)):
            rolled[rows, columns] = -np.inf
    return (height - float(rolled.max())) / max(height, 1e-9)


def _fitted(line: Floats, peak: int) -> float:
    """The top of the parabola through the peak and its neighbours, signed."""
    size = len(line)
    left, top, right = (float(line[(peak + step) % size]) for step in (-1, 0, 1))
    bend = left - 2 * top + right
    part = 0.5 * (left - right) / bend if bend < 0 else 0.0
    place = peak + part
    return place - size if place > size / 2 else place


@lru_cache(maxsize=8)
def _window(height: int, width: int) -> Floats:
    window: Floats = np.outer(np.hanning(height), np.hanning(width))
    return window
