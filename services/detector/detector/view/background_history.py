"""Glimpses of a view, kept for a minute: did a place look otherwise before something stood there?

Boxes of a parked car jitter as if it had just driven up, and a network may see a car only once it
stands. Pixels settle it: two backgrounds, one from before and one from since, tell what was left at
a place (Porikli 2007, "Detection of temporarily static regions"). Medians drop who passes by.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from hazardcast.vision.geometry.boxes import Floats
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.image import Image

WIDTH_PX = 192
PERIOD_S = 0.5
KEPT_S = 60.0
BEFORE_S = (25.0, 2.5)
"""How the place looked before: from so long to so long before it was taken …"""
AFTER_S = 1.0
"""… and since: from so long after it."""
LEAST_GLIMPSES = 3
NOW_S = 3.0
LATELY_S, APART_S = 1.5, 0.7
"""How it looks now, and how it looked so long before a vehicle jolted, which was elsewhere then."""
SAME_LIKENESS, SAME_SHARE = 0.85, 0.7
"""A place has settled once this share of all later glimpses look as it does now."""


class Glimpses:
    """Small grey pictures of one camera."""

    def __init__(self) -> None:
        self._kept: deque[tuple[float, Image]] = deque(maxlen=int(KEPT_S / PERIOD_S))
        self._newest: Image | None = None
        self._scale = 1.0

    def reset(self) -> None:
        """Forget, as after a cut."""
        self._kept.clear()
        self._newest = None

    def update(self, frame: Frame) -> None:
        """Look at the frame; keep a glimpse of it if the last one is old enough."""
        small = image.grey(frame.shrunk(WIDTH_PX))
        if self._newest is not None and self._newest.shape != small.shape:
            self._kept.clear()  # a picture of another form shows another view
        self._newest, self._scale = small, small.shape[1] / frame.width
        if not self._kept or frame.t - self._kept[-1][0] >= PERIOD_S:
            self._kept.append((frame.t, small))

    def likeness(self, box: Floats, since_t: float) -> float | None:
        """Correlation of how `box` (4,) px looked before `since_t` and looks since.

        About 1 where the same thing always stood; None when it was not seen for long enough.
        """
        before = self._median(box, since_t - BEFORE_S[0], since_t - BEFORE_S[1])
        after = self._median(box, since_t + AFTER_S, float("inf"))
        if before is None or after is None:
            return None
        return float(_correlations(before[None], after)[0])

    def likeness_to_past(self, box: Floats, t: float) -> float | None:
        """The best correlation of how `box` (4,) px looks now with how it ever looked before `t`.

        About 1 where what stands there stood there already, hidden meanwhile or not; None when
        nothing is known from before.
        """
        newest = self._kept[-1][0] if self._kept else 0.0
        return self._best(self._median(box, newest - LATELY_S, newest), box, t)

    def likeness_at_once(self, box: Floats, t: float) -> float | None:
        """As `likeness_to_past`, by the newest picture alone: `box` may have been left since."""
        now = None if self._newest is None else self._cut(self._newest, box)
        return self._best(now, box, t)

    def _best(self, now: Floats | None, box: Floats, t: float) -> float | None:
        past = [self._cut(small, box) for at, small in self._kept if at <= t - APART_S]
        if now is None or not past:
            return None
        return float(_correlations(np.stack(past), now).max())

    def settled_t(self, box: Floats, since_t: float) -> float | None:
        """Since when, at or after `since_t`, `box` (4,) px looks as it does now."""
        newest = self._kept[-1][0] if self._kept else 0.0
        now = self._median(box, newest - NOW_S, newest)
        later = [(t, self._cut(small, box)) for t, small in self._kept if t >= since_t]
        if now is None or not later:
            return None
        same = _correlations(np.stack([cut for _, cut in later]), now) >= SAME_LIKENESS
        shares = np.cumsum(same[::-1])[::-1] / np.arange(len(same), 0, -1)
        settled = np.flatnonzero(same & (shares >= SAME_SHARE))
        return later[settled[0]][0] if len(settled) else None

    def _median(self, box: Floats, start_t: float, end_t: float) -> Floats | None:
        seen = [self._cut(small, box) for t, small in self._kept if start_t <= t <= end_t]
        return np.median(seen, axis=0) if len(seen) >= LEAST_GLIMPSES else None

    def _cut(self, small: Image, box: Floats) -> Image:
        height, width = small.shape
        x1, y1, x2, y2 = (round(value) for value in (box * self._scale).tolist())
        x1, y1 = max(0, min(x1, width - 3)), max(0, min(y1, height - 3))
        return small[y1 : max(y2, y1 + 3), x1 : max(x2, x1 + 3)]


def _correlations(pictures: Floats, picture: Floats) -> Floats:
    """(N,) of each of `pictures` (N, H, W) with `picture`; what shows nothing is like its like."""
    many = pictures.reshape(len(pictures), -1).astype(np.float32)
    one = picture.reshape(-1).astype(np.float32)
    many -= many.mean(axis=1, keepdims=True)
    one -= one.mean()
    of_many, of_one = np.einsum("ij,ij->i", many, many), one @ one
    both_flat = ((of_many == 0) & (of_one == 0)).astype(np.float32)
    strengths = np.sqrt(of_many * of_one)
    found: Floats = np.divide(many @ one, strengths, out=both_flat, where=strengths > 0)
    return found
