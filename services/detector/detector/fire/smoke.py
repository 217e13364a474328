"""Where a frame shows smoke: a veil over what is behind it that was not there before.

A small network of our own compares the picture with the empty background (`fire.net`): smoke
veils it, takes its edges and colours (Toreyin, Dedeoglu & Cetin 2005), while vehicles replace it,
shadows only darken it, and fog veils all of it. The background is followed one grey level at a
time, as the approximate median does (McFarlane & Schofield 1995), so traffic leaves no trace in it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from detector.fire import net
from detector.fire.cells import CELL_PX, Presence, Region, moved_share, rate, regions
from detector.fire.flames import Flame
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.image import Image, Plane

WIDTH_PX = 256
LOOK_EVERY_S = 0.45
LEARNING_S = 3.0
"""The median of this long is the first background; until then there is nothing to compare with."""
MEMORY_S = 2.0
LEAST_PRESENCE = 0.5
LEAST_CELLS = 4
MOST_SHARE = 0.45
"""What veils more of the picture is fog, a dirty lens, or another exposure."""


class SmokeWatch:
    """Follows what looks like smoke in one camera's frames."""

    def __init__(self) -> None:
        self._net = net.load("smoke")
        self.reset()

    def reset(self) -> None:
        """Forget, as after a cut."""
        self._samples: deque[Image] = deque()
        self._background: Image | None = None
        self._presence: Presence | None = None
        self._activity: Plane = np.zeros((0, 0), np.float32)
        self._before: Image | None = None
        self._first_t = self._last_t = float("-inf")
        self._found: list[Flame] = []

    def update(self, frame: Frame, ignored: Image | None = None) -> list[Flame]:
        """The regions that smoke now; `ignored` is a mask like the frame, 255 = do not look."""
        t, dt_s = frame.t, frame.t - self._last_t
        if 0 <= dt_s < LOOK_EVERY_S:
            return self._found
        small = image.smoothed(image.padded(frame.shrunk(WIDTH_PX), CELL_PX))
        if dt_s < 0 or self._before is None or self._before.shape != small.shape:
            self.reset()
            self._first_t, self._before = t, small
        before, self._before, self._last_t = self._before, small, t
        if self._background is None:
            self._learn(small, t)
            return []
        self._background = _followed(self._background, small)
        scale = np.float32(frame.width / min(WIDTH_PX, frame.width))
        found = self._look(small, before, t, dt_s, ignored)
        self._found = [replace(one, box=one.box * scale) for one in found]
        return self._found

    def _learn(self, small: Image, t: float) -> None:
        self._samples.append(small)
        if t - self._first_t >= LEARNING_S and len(self._samples) >= 3:
            self._background = np.median(np.stack(self._samples), axis=0).astype(np.uint8)
            self._samples.clear()
            shape = small.shape[0] // CELL_PX, small.shape[1] // CELL_PX
            self._presence = Presence(shape, memory_s=MEMORY_S, begins_at=LEAST_PRESENCE / 2)
            self._activity = np.zeros(shape, np.float32)

    def _look(
        self, small: Image, before: Image, t: float, dt_s: float, ignored: Image | None
    ) -> list[Flame]:
        presence = self._presence
        assert presence is not None
        assert self._background is not None
        self._activity += rate(dt_s, MEMORY_S) * (moved_share(small, before) - self._activity)
        likely = self._net.likelihood(small, image.smoothed(self._background))
        if ignored is not None:
            likely *= image.cell_means(image.shrunk(ignored, WIDTH_PX), likely.shape) == 0
        presence.add(likely, t, dt_s)
        veiled = presence.level > LEAST_PRESENCE
        if veiled.mean() > MOST_SHARE:
            return []
        return [_smoke(region, presence, self._activity) for region in regions(veiled, LEAST_CELLS)]


def _followed(background: Image, small: Image) -> Image:
    """The background moved by one grey level towards the picture."""
    step = (small > background).astype(np.int8) - (small < background)
    return (background + step).astype(np.uint8)


def _smoke(region: Region, presence: Presence, activity: Plane) -> Flame:
    return Flame(
        box=region.box,
        since_t=presence.since(region),
        share=float(region.cells.mean()),
        presence=float(presence.level[region.cells].max()),
        activity=region.mean(activity, presence.level),
        mass=float(presence.level[region.cells].sum()),
        kind="smoke",
    )
