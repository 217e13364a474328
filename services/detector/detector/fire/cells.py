"""What is remembered per cell of 8 × 8 px: how long something has looked like this, and regions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hazardcast.vision.geometry.boxes import Bools, Floats
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.image import Image, Plane

CELL_PX = 8
CHANGE = 9
"""Change of luminance from one look to the next that counts as movement."""
NEVER = np.float64(np.inf)


def rate(dt_s: float, constant_s: float) -> np.float32:
    """How far a leaky average moves in `dt_s`; never all the way at once."""
    return np.float32(1.0 - np.exp(-min(dt_s, constant_s) / constant_s))


class Presence:
    """A leaky average of likelihoods per cell, and since when it has been high."""

    def __init__(self, shape: tuple[int, ...], *, memory_s: float, begins_at: float) -> None:
        self.level: Plane = np.zeros(shape, np.float32)
        self.since_t = np.full(shape, NEVER)
        self._memory_s, self._begins_at = memory_s, begins_at

    def add(self, likelihood: Plane, t: float, dt_s: float) -> None:
        """Take one look into account."""
        self.level += rate(dt_s, self._memory_s) * (likelihood - self.level)
        present = self.level > self._begins_at
        self.since_t = np.where(present, np.minimum(self.since_t, t), NEVER)

    def since(self, region: Region) -> float:
        """When most of the region first looked so."""
        since = self.since_t[region.cells]
        return float(np.percentile(since[np.isfinite(since)], 20))


def moved_share(now: Image, before: Image) -> Plane:
    """Per cell, the share of its pixels that changed by more than noise does."""
    moved = image.differences(image.grey(now), image.grey(before)) > CHANGE
    rows, columns = moved.shape
    return image.cell_means(moved.astype(np.float32), (rows // CELL_PX, columns // CELL_PX))


@dataclass(frozen=True)
class Region:
    """Cells that hang together."""

    box: Floats
    """(4,) px of the small picture."""
    cells: Bools
    """(rows, columns) which."""

    def mean(self, plane: Plane, weights: Plane) -> float:
        """The plane's mean over the region."""
        weight = weights[self.cells]
        return float((plane[self.cells] * weight).sum() / max(1e-6, float(weight.sum())))


def regions(mask: Bools, least: int) -> list[Region]:
    """The connected regions of at least `least` cells."""
    if np.count_nonzero(mask) < least:
        return []
    numbers, corners = image.numbered(mask.astype(np.uint8) * 255, least)
    return [Region(box * np.float32(CELL_PX), numbers == number) for number, box in corners.items()]
