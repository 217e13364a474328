"""Glass and plastic on the road after a crash."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from camera import drawing
from camera.drawing import Frame
from camera.scenes.view import View

_PIECES = 46
_FLYING_S = 0.7
_SHADES = ((200.0, 206.0, 206.0), (38.0, 36.0, 36.0), (60.0, 56.0, 150.0), (150.0, 152.0, 150.0))


@dataclass(frozen=True)
class Litter:
    """Pieces that fly apart from `at_m` (x, y in metres) at `since_s` of scene time."""

    at_m: tuple[float, float]
    since_s: float


def paint(frame: Frame, view: View, litter: Litter, t_s: float) -> None:
    """Small dots that slide outwards and stay."""
    random = np.random.default_rng(3)
    spread = random.normal((1.1, -1.6), (1.7, 1.9), (_PIECES, 2))
    flown = min(1.0, max(0.0, (t_s - litter.since_s) / _FLYING_S))
    place = np.zeros((_PIECES, 3))
    place[:, :2] = np.asarray(litter.at_m) + spread * (2 * flown - flown**2)
    pixels, depth = view.project(place)
    for number, point in enumerate(pixels):
        radius_px = (0.05 + 0.05 * (number % 3)) * view.focal_px / depth[number]
        drawing.disc(frame, point, radius_px, _SHADES[number % len(_SHADES)])
