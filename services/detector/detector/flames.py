"""Where a frame shows what looks and moves like fire.

Colour alone finds brake lamps, sunsets and yellow paint. What fire has besides: it stays in its
place, fills it most of the time, and never keeps still. Per pixel two leaky averages say how often
it had the colour (after Chen, Wu & Chiou 2004) and how often it changed; their product, over a
connected region, is the region's strength.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detector import image
from detector.boxes import Bools, Floats
from detector.image import Image, Plane

WIDTH_PX = 240
MEMORY_S = 1.5
LEAST_RED = 170
LEAST_RED_OVER_BLUE = 60
CHANGE = 9.0
"""Change of luminance from one analysed frame to the next that counts as movement."""
LEAST_PRESENCE, LEAST_ACTIVITY = 0.25, 0.3
LEAST_STRENGTH = 0.26
LEAST_SHARE = 2.5e-4
"""Smallest region, share of the frame."""
JOINED_PX = 9
"""Tongues closer than this (in the small picture) are one fire."""
MOST_ACTIVE = 0.35
"""When more than this share of the whole picture moves, it is the camera that moves."""
NEVER = np.float64(np.inf)


@dataclass(frozen=True)
class Flame:
    """A region that looks and moves like fire."""

    box: Floats
    """(4,) px of the frame."""
    since_t: float
    """When the colour first came there."""
    share: float
    """Area, share of the frame."""
    presence: float
    activity: float

    @property
    def strength(self) -> float:
        """Presence × activity: fire on real footage reaches 0.3 to 0.6, lamps in traffic 0.25."""
        return self.presence * self.activity


@dataclass
class _Memory:
    presence: Plane
    activity: Plane
    since: Any
    """(H, W) float64: when the present colour came, infinite where there is none."""
    luminance: Plane


class FlameWatch:
    """Follows fire-coloured regions in one camera's frames."""

    def __init__(self) -> None:
        self._memory: _Memory | None = None
        self._last_t = 0.0

    def reset(self) -> None:
        """Forget, as after a cut."""
        self._memory = None

    def update(self, frame: Image, t: float, ignored: Image | None = None) -> list[Flame]:
        """The regions that burn now; `ignored` is a mask like the frame, 255 = do not look."""
        small = image.shrunk(frame, WIDTH_PX)
        dt_s, self._last_t = t - self._last_t, t
        luminance = image.grey(small).astype(np.float32)
        memory = self._memory
        if memory is None or memory.luminance.shape != luminance.shape or dt_s <= 0:
            self._memory = _begin(luminance)
            return []
        rate = 1.0 - np.exp(-min(dt_s, MEMORY_S) / MEMORY_S)
        coloured = fire_coloured(small)
        changed = np.abs(luminance - memory.luminance) > CHANGE
        memory.presence += np.float32(rate) * (coloured - memory.presence)
        memory.activity += np.float32(rate) * (changed - memory.activity)
        memory.luminance = luminance
        present = memory.presence > 0.1
        memory.since = np.where(present, np.minimum(memory.since, t), NEVER)
        if memory.activity.mean() > MOST_ACTIVE:
            return []
        return self._regions(memory, frame.shape[1] / small.shape[1], ignored)

    def _regions(self, memory: _Memory, scale: float, ignored: Image | None) -> list[Flame]:
        burning = (memory.presence > LEAST_PRESENCE) & (memory.activity > LEAST_ACTIVITY)
        if not burning.any():
            return []
        if ignored is not None:
            burning &= image.shrunk(ignored, WIDTH_PX) == 0
        mask = image.closed(burning.astype(np.uint8) * 255, JOINED_PX)
        corners, _ = image.blobs(mask, max(6, round(LEAST_SHARE * mask.size)))
        flames = (_flame(memory, burning, box.astype(int), scale) for box in corners)
        return [flame for flame in flames if flame and flame.strength >= LEAST_STRENGTH]


def fire_coloured(small: Image) -> Bools:
    """(H, W) R ≥ G > B, bright red, far from grey."""
    blue, green, red = (small[..., channel].astype(np.int16) for channel in range(3))
    coloured: Bools = (
        (red >= LEAST_RED) & (red >= green) & (green > blue) & (red - blue >= LEAST_RED_OVER_BLUE)
    )
    return coloured


def _begin(luminance: Plane) -> _Memory:
    nothing = np.zeros_like(luminance)
    return _Memory(nothing, nothing.copy(), np.full(luminance.shape, NEVER), luminance)


def _flame(memory: _Memory, burning: Bools, box: Any, scale: float) -> Flame | None:
    x1, y1, x2, y2 = box
    place = np.s_[y1:y2, x1:x2]
    inside = burning[place]
    area = int(inside.sum())
    if not area:
        return None
    since = memory.since[place][inside]
    since = since[np.isfinite(since)]
    if not len(since):
        return None
    return Flame(
        box=box * np.float32(scale),
        since_t=float(np.percentile(since, 20)),
        share=area / burning.size,
        presence=float(memory.presence[place][inside].mean()),
        activity=float(memory.activity[place][inside].mean()),
    )
