"""Background subtraction: what differs from the empty road stands or moves on it.

A running average of the empty road, updated only where nothing stands on it, so that a stopped
vehicle stays visible for many minutes. Shadows are told from vehicles by brightness and
chromaticity distortion (Horprasert, Harwood & Davis 1999). Where the picture always changes
(a clock in the picture, a flag, a flickering lamp) nothing is detected.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from hazardcast.vision.geometry.boxes import Bools, Boxes, Floats, Label, empty, make
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.image import Image, Plane

WIDTH_PX = 384
"""Frames are analysed at this width."""
LEARNING_S = 3.0
"""At first the median of this long is taken for the empty road; until then nothing is found."""
SAMPLE_EVERY_S = 0.25
ADAPTING_S = 12.0
"""The road follows the light with this time constant …"""
ABSORBING_S = 900.0
"""… but takes up what stands on it only with this one."""
THRESHOLD = 22
NOISE_FACTOR = 4.0
BUSY_S = 15.0
BUSY_SHARE = 0.3
"""A pixel that turns from road to no road or back in more of the frames tells nothing; a vehicle
that passes does it twice."""
CHANGE_THRESHOLD = 16
SHADOW_BRIGHTNESS = (0.45, 0.95)
SHADOW_CHROMA = 14.0
LEAST_AREA = 4e-4
"""Smallest object, share of the frame."""
LEAST_FILL = 0.25
MOST_COVERED = 0.6
"""When more than this share differs, it is another picture: learn anew."""
GHOST_AFTER_S = 2.0
GHOST_RATIO = 0.7
"""A vehicle has edges where it ends; where those of the road learned are stronger than the
picture's, it is the road that shows a vehicle."""


@dataclass
class _Road:
    """What is known of one view."""

    road: Plane
    noise: Plane
    busy: Plane
    standing_s: Plane
    """How long each pixel has differed from the road without changing."""
    last: Image
    age_s: float
    differed: Bools
    """Where the frame before differed from the road."""


@dataclass
class BackgroundModel:
    """Finds moving and stopped things of any kind (`Label.OBJECT`) in one camera's frames."""

    name: str = "background"
    _samples: deque[Image] = field(default_factory=deque)
    _first_t: float | None = None
    _last_t: float = 0.0
    _sampled_t: float = float("-inf")
    _state: _Road | None = None

    def detect(self, frame: Frame) -> Boxes:
        """The things that stand out from the empty road; none while it is being learned."""
        small = image.smoothed(image.averaged(frame.image, WIDTH_PX))
        dt_s = frame.t - self._last_t
        self._last_t = frame.t
        if self._state is None or self._state.last.shape != small.shape or dt_s < 0:
            self._learn(small, frame.t)
            return empty()
        found = self._find(self._state, small, min(dt_s, 2.0))
        scale = frame.image.shape[1] / small.shape[1]
        return Boxes(found.xyxy * np.float32(scale), found.scores, found.labels)

    def road_for(self, picture: Image) -> Image:
        """The empty road of the size of `picture`; the picture itself while it is not known."""
        if self._state is None or self._state.road.shape != picture.shape:
            return picture
        return image.rounded(self._state.road)

    def _learn(self, small: Image, t: float) -> None:
        restart = self._first_t is None or t < self._first_t or self._state is not None
        if restart or (self._samples and self._samples[0].shape != small.shape):
            self._samples.clear()
            self._first_t, self._sampled_t, self._state = t, float("-inf"), None
        assert self._first_t is not None
        if t - self._sampled_t >= SAMPLE_EVERY_S:
            self._samples.append(small)
            self._sampled_t = t
        if t - self._first_t >= LEARNING_S and len(self._samples) >= 3:
            road = np.median(np.stack(self._samples), axis=0).astype(np.float32)
            self._samples.clear()
            shape = road.shape[:2]
            self._state = _Road(
                road,
                np.full(shape, 2.0, np.float32),
                np.zeros(shape, np.float32),
                np.zeros(shape, np.float32),
                small,
                0.0,
                np.zeros(shape, bool),
            )

    def _find(self, state: _Road, small: Image, dt_s: float) -> Boxes:
        mask, solid = _foreground(state, small, dt_s)
        changed = image.differences(small, state.last) > CHANGE_THRESHOLD
        state.last = small
        if np.count_nonzero(mask) > MOST_COVERED * mask.size:
            self._state, self._first_t = None, None
            return empty()
        self._update(state, small, mask, changed, dt_s)
        return _objects(mask, solid)

    def _update(self, state: _Road, small: Image, mask: Image, changed: Bools, dt_s: float) -> None:
        covered = image.closed(mask, 7)
        difference = image.differences(small, image.rounded(state.road))
        free = image.inverted(covered)
        image.blend(state.noise, difference, _rate(dt_s, ADAPTING_S), free)
        image.blend(state.road, small, _rate(dt_s, ADAPTING_S), free)
        image.blend(state.road, small, _rate(dt_s, ABSORBING_S), covered)
        still = (covered > 0) & ~changed
        state.standing_s = np.where(still, state.standing_s + np.float32(dt_s), 0)
        self._absorb_ghosts(state, small, covered)

    def _absorb_ghosts(self, state: _Road, small: Image, covered: Image) -> None:
        """Where a vehicle stood while the road was learned and then left, the *road* shows it."""
        waiting = ((state.standing_s > GHOST_AFTER_S) & (covered > 0)).astype(np.uint8) * 255
        if not waiting.any():
            return
        now, before = image.gradients(small), image.gradients(image.rounded(state.road))
        corners, _ = image.blobs(image.opened(waiting), 16)
        for x1, y1, x2, y2 in corners.astype(int):
            place = np.s_[max(0, y1 - 2) : y2 + 2, max(0, x1 - 2) : x2 + 2]
            rim = image.rim(covered[place]) > 0
            if rim.any() and now[place][rim].mean() < GHOST_RATIO * before[place][rim].mean():
                inside = waiting[place] > 0
                state.road[place][inside] = small[place][inside]


def _rate(dt_s: float, constant_s: float) -> float:
    return float(1.0 - np.exp(-dt_s / constant_s))


def _foreground(state: _Road, small: Image, dt_s: float) -> tuple[Image, Image]:
    """What differs from the road, and the part of it that is no shadow."""
    road = image.rounded(state.road)
    difference = image.differences(small, road)
    threshold = np.maximum(THRESHOLD, NOISE_FACTOR * state.noise)
    differed, state.differed = state.differed, difference > threshold
    turned = (differed != state.differed).astype(np.float32)
    state.age_s += dt_s
    # A young average is a plain mean, so that it is right from the start.
    image.blend(state.busy, turned, _rate(dt_s, min(BUSY_S, state.age_s)))
    differs = (state.differed & (state.busy < BUSY_SHARE)).astype(np.uint8) * 255
    differs = image.closed(image.opened(differs), 5)
    solid = differs.copy()
    rows, columns = np.nonzero(differs)
    shadow = _shadows(small[rows, columns].astype(np.float32), state.road[rows, columns])
    solid[rows[shadow], columns[shadow]] = 0
    return differs, image.opened(solid)


def _shadows(pixels: Floats, road: Floats) -> Bools:
    """(N,) pixels (N, 3) that are their road, only darker."""
    brightness = (pixels * road).sum(1) / np.maximum((road * road).sum(1), 1.0)
    chroma = np.linalg.norm(pixels - brightness[:, None] * road, axis=1)
    low, high = SHADOW_BRIGHTNESS
    dark: Bools = (brightness > low) & (brightness < high) & (chroma < SHADOW_CHROMA)
    return dark


def _objects(differs: Image, solid: Image) -> Boxes:
    """One box for what hangs together, around its part that is no shadow.

    Windows and grey paint look like shadow too; so shadows hold an object together, but do not
    make it larger.
    """
    least_px = max(12, round(LEAST_AREA * differs.size))
    corners, filled_px = image.parts(differs, solid, least_px)
    width, height = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    fill = filled_px / np.maximum(width * height, 1)
    good = (fill >= LEAST_FILL) & (width >= 4) & (height >= 4)
    labels = np.full(int(good.sum()), int(Label.OBJECT))
    return make(corners[good], 0.5 + np.minimum(fill[good], 1.0) / 2, labels)
