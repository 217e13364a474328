"""Lasting conditions of a view, night and rain: told to people, and to rules that want to know.

They silence nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from hazardcast.vision.geometry.boxes import Floats
from hazardcast.vision.pixels.image import Image

LOOKED_AT_PX = 160
"""Width that is looked at; pixels are picked, not averaged: drops are a pixel wide."""
EVERY_S = 0.9
"""How often it is judged: these things last."""
SETTLING_S = 8.0
"""Time constant of what is measured; a passing cloud or lorry is no condition."""
NIGHT_LEVEL, DAY_LEVEL = 60.0, 75.0
"""Median grey level below which it is night, and above which it no longer is."""
SPECK_LEVELS = 12.0
"""A drop is brighter than the frame before and after it by this."""
RAIN_SHARE, DRY_SHARE = 0.004, 0.002
"""Share of pixels that are specks, bright over dark ones, in most of the picture."""
BLOCKS = (4, 6)


class Condition(StrEnum):
    """What lasts."""

    NIGHT = "night"
    RAIN = "rain"


def picked(image: Image) -> Image:
    """(h, w) green channel at about `LOOKED_AT_PX` width: every n-th pixel."""
    step = max(1, image.shape[1] // LOOKED_AT_PX)
    return image[::step, ::step, 1]


@dataclass
class ConditionWatch:
    """Judges one camera's picked pixels."""

    _level: float | None = None
    _specks: float = 0.0
    _last_t: float | None = None
    _pictures: deque[Image] = field(default_factory=lambda: deque(maxlen=3))
    _night: bool = False
    _rain: bool = False

    def update(self, pixels: Image, t: float) -> frozenset[Condition]:
        """The conditions with the picture (`picked`) taken at `t`."""
        if self._pictures and self._pictures[-1].shape != pixels.shape:
            self._pictures.clear()
        self._pictures.append(pixels.copy())
        if self._last_t is not None and 0 <= t - self._last_t < EVERY_S:
            return self.now
        dt_s = 0.0 if self._last_t is None else min(SETTLING_S, max(0.0, t - self._last_t))
        self._last_t = t
        weight = 1 - float(np.exp(-dt_s / SETTLING_S))
        level = float(np.median(pixels))
        self._level = level if self._level is None else self._level + weight * (level - self._level)
        if len(self._pictures) == 3:
            self._specks += weight * (
                specks(*(one.astype(np.float32) for one in self._pictures)) - self._specks
            )
        self._night = self._level < (DAY_LEVEL if self._night else NIGHT_LEVEL)
        self._rain = self._specks > (DRY_SHARE if self._rain else RAIN_SHARE)
        return self.now

    @property
    def now(self) -> frozenset[Condition]:
        """The conditions as last judged."""
        held = {Condition.NIGHT: self._night, Condition.RAIN: self._rain}
        return frozenset(condition for condition, holds in held.items() if holds)


def specks(before: Floats, at: Floats, after: Floats) -> float:
    """Share of one-frame bright specks, less the dark ones, in the less specked part of a picture.

    Rain and snow are brighter than what is behind them (Garg & Nayar 2007, doi
    10.1007/s11263-006-0028-6) and fall everywhere; sensor noise is as often dark as bright, and
    vehicles are in a part of the picture only: hence the difference, and the lower third of blocks.
    """
    bright = (at - np.maximum(before, after)) > SPECK_LEVELS
    dark = (np.minimum(before, after) - at) > SPECK_LEVELS
    surplus = bright.astype(np.float32) - dark
    rows, columns = BLOCKS
    height, width = (surplus.shape[0] // rows) * rows, (surplus.shape[1] // columns) * columns
    if not height or not width:
        return 0.0
    blocks = surplus[:height, :width].reshape(rows, height // rows, columns, width // columns)
    return float(np.quantile(blocks.mean(axis=(1, 3)), 1 / 3))
