"""Where a frame shows what looks and moves like fire.

A small network of our own judges every cell of the picture together with the picture a moment
earlier (`fire.net`): lamps, sunsets and painted steel have fire's colours, but they stand still,
move as a whole or blink, while the parts of a flame move each on their own (flicker and disorder:
Toreyin et al. 2006, Celik & Demirel 2009). Fire also stays in its place: per cell, leaky averages
say how often it looked like fire and how much of it changed from one look to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from detector.fire import net
from detector.fire.cells import CELL_PX, Presence, Region, moved_share, rate, regions
from hazardcast.vision.geometry.boxes import Floats
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.image import Image, Plane

WIDTH_PX = 384
LOOK_EVERY_S = 0.19
"""At 8 frames a second every second one is looked at."""
MEMORY_S = 1.2
LEAST_PRESENCE = 0.3
"""Of the likeliest places only; a region below it is not worth a rule's time."""
MOST_ACTIVE = 0.35
"""When more than this share of the whole picture moves, it is the camera that moves."""


@dataclass(frozen=True)
class Flame:
    """A region that looks and moves like fire, or like smoke."""

    box: Floats
    """(4,) px of the frame."""
    since_t: float
    """When it first looked so there."""
    share: float
    """Area, share of the frame."""
    presence: float
    """How likely it looks where it is likeliest, averaged over the last seconds, 0 … 1."""
    activity: float
    """How much of it changes from one look to the next, 0 … 1."""
    mass: float = 1.0
    """Cells, weighted by presence."""
    kind: Literal["flames", "smoke"] = "flames"


class FlameWatch:
    """Follows what looks like fire in one camera's frames."""

    def __init__(self) -> None:
        self._presence: Presence | None = None
        self._activity: Plane = np.zeros((0, 0), np.float32)
        self._before: Image = np.zeros((0, 0, 3), np.uint8)
        self._last_t = float("-inf")
        self._found: list[Flame] = []
        self._net = net.load("flames")

    def reset(self) -> None:
        """Forget, as after a cut."""
        self._presence, self._found, self._last_t = None, [], float("-inf")

    def update(self, frame: Frame, ignored: Image | None = None) -> list[Flame]:
        """The regions that burn now; `ignored` is a mask like the frame, 255 = do not look."""
        t, dt_s = frame.t, frame.t - self._last_t
        if 0 <= dt_s < LOOK_EVERY_S:
            return self._found
        self._last_t = t
        small = image.padded(frame.shrunk(WIDTH_PX), CELL_PX)
        before, self._before = self._before, small
        shape = small.shape[0] // CELL_PX, small.shape[1] // CELL_PX
        if self._presence is None or before.shape != small.shape or dt_s < 0:
            self._presence = Presence(shape, memory_s=MEMORY_S, begins_at=LEAST_PRESENCE / 2)
            self._activity, self._found = np.zeros(shape, np.float32), []
            return []
        self._activity += rate(dt_s, MEMORY_S) * (moved_share(small, before) - self._activity)
        likely = self._net.likelihood(small, before)
        if ignored is not None:
            likely *= image.cell_means(image.shrunk(ignored, WIDTH_PX), shape) == 0
        self._presence.add(likely, t, dt_s)
        self._found = self._flames(self._presence, frame.width / min(WIDTH_PX, frame.width))
        return self._found

    def _flames(self, presence: Presence, scale: float) -> list[Flame]:
        if self._activity.mean() > MOST_ACTIVE:
            return []
        found = regions(presence.level > LEAST_PRESENCE, least=1)
        return [_flame(region, presence, self._activity, scale) for region in found]


def _flame(region: Region, presence: Presence, activity: Plane, scale: float) -> Flame:
    return Flame(
        box=region.box * np.float32(scale),
        since_t=presence.since(region),
        share=float(region.cells.mean()),
        presence=float(presence.level[region.cells].max()),
        activity=region.mean(activity, presence.level),
        mass=float(presence.level[region.cells].sum()),
    )
