"""From the picture to the road: metres and metres per second, where the camera's view is known.

Either four points of the road are given with their places in metres (a plane homography: Hartley &
Zisserman, Multiple View Geometry, ch. 4), or the view is learnt from how large cars look at each
height of the picture (Hoiem, Efros & Hebert, "Putting Objects in Perspective", 2008): on a flat
road seen by a camera held level, size grows linearly below the horizon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.geometry.boxes import Floats

CAR_HEIGHT_M = 1.5
FOCAL_SHARE = 1.0
"""Focal length as a share of the picture's width where nothing says better (about 53° across)."""
LEAST_CARS = 60
LEAST_SPREAD = 0.15
"""Cars must have been seen over this share of the picture's height."""
MOST_REMEMBERED = 2000
FITS = 6
"""Rounds of refitting without what lies far off."""


@dataclass(frozen=True)
class Ground:
    """The road's plane as one camera sees it."""

    matrix: Floats
    """(3, 3) homography: pixel (x, y, 1) → place (m, m, 1) up to scale."""
    estimated: bool = False
    """Learnt from sizes: speeds are right to about a third."""

    def metres(self, points_px: Floats) -> Floats:
        """(N, 2) places on the road, metres, of (N, 2) pixels."""
        points = np.column_stack([points_px, np.ones(len(points_px))]) @ self.matrix.T
        scale = points[:, 2:]
        places: Floats = points[:, :2] / np.where(np.abs(scale) < 1e-12, np.nan, scale)
        return places

    def velocity_mps(self, foot_px: Floats, velocity_px: Floats) -> Floats:
        """(2,) metres per second of what stands at `foot_px` and moves at `velocity_px` px/s."""
        x, y, w = self.matrix @ np.array([foot_px[0], foot_px[1], 1.0])
        turned = self.matrix[:, :2] @ np.asarray(velocity_px, float)
        moved: Floats = (turned[:2] * w - np.array([x, y]) * turned[2]) / w**2
        return moved

    def speed_mps(self, foot_px: Floats, velocity_px: Floats) -> float:
        """Speed over the road; NaN above the horizon."""
        if self.matrix[2] @ np.array([foot_px[0], foot_px[1], 1.0]) <= 1e-12:
            return float("nan")
        return float(np.hypot(*self.velocity_mps(foot_px, velocity_px)))


Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class GroundPoints:
    """Four points of the road as a site gives them: fractions of the picture, and metres."""

    picture: Points
    metres: Points

    def ground(self, width: int, height: int) -> Ground:
        """The ground in pixels.

        Raises:
            ConfigError: the points give no plane.
        """
        return from_points([(x * width, y * height) for x, y in self.picture], self.metres)


def from_points(picture: Points, metres: Points) -> Ground:
    """The ground through four points: pixels and the same points' places in metres.

    Raises:
        ConfigError: not four of each, or three of them lie on one line.
    """
    if len(picture) != 4 or len(metres) != 4:
        raise ConfigError(
            "ground: needs four points of the picture and their four places in metres"
        )
    if _flat(picture) or _flat(metres):
        raise ConfigError("ground: three of the four points lie on one line")
    rows = []
    for (x, y), (u, v) in zip(picture, metres, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, -u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, -v])
    matrix = np.linalg.svd(np.array(rows, float))[2][-1].reshape(3, 3)
    middle = np.append(np.mean(picture, axis=0), 1.0)
    return Ground(matrix * np.sign(matrix[2] @ middle))


def _flat(points: Points) -> bool:
    """Whether three of the points lie on one line, to a hundredth of their extent."""
    all_of = np.array(points, float)
    extent = float(np.ptp(all_of, axis=0).max())
    for left_out in range(4):
        a, b, c = np.delete(all_of, left_out, axis=0)
        twice_area = abs((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
        if twice_area <= 0.01 * extent**2:
            return True
    return False


@dataclass
class SizeMap:
    """Learns the ground from the boxes of cars; `ground` is None until enough were seen."""

    width: int
    height: int
    ground: Ground | None = None
    _seen: list[tuple[float, float]] = field(default_factory=list)
    _count: int = 0

    def add(self, box: Floats) -> None:
        """Take one car's box (4,) into account; once or twice a car is enough."""
        x1, y1, x2, y2 = (float(side) for side in box)
        if x1 <= 2 or x2 >= self.width - 2 or y2 >= self.height - 2 or y2 - y1 < 4:
            return  # cut off by the picture's edge
        entry = (y2, y2 - y1)
        if len(self._seen) < MOST_REMEMBERED:
            self._seen.append(entry)
        else:
            self._seen[self._count % MOST_REMEMBERED] = entry
        self._count += 1
        if self._count >= LEAST_CARS and self._count % LEAST_CARS == 0:
            self.ground = self._fit() or self.ground

    def _fit(self) -> Ground | None:
        feet, heights = np.array(self._seen).T
        if np.ptp(np.quantile(feet, (0.05, 0.95))) < LEAST_SPREAD * self.height:
            return None
        keep = np.ones(len(feet), bool)
        slope, start = 0.0, 0.0
        for _ in range(FITS):
            slope, start = np.polyfit(feet[keep], heights[keep], 1)
            off = np.abs(heights - (slope * feet + start)) / np.maximum(heights, 1.0)
            keep = off <= max(0.1, 2.5 * float(np.median(off)))
            if keep.sum() < LEAST_CARS / 2:
                return None
        horizon = -start / slope if slope > 1e-3 else np.inf
        if not horizon < float(np.quantile(feet, 0.05)):
            return None
        return level_view(CAR_HEIGHT_M / slope, horizon, self.width)


def level_view(
    camera_height_m: float, horizon_px: float, width_px: float, *, focal_px: float | None = None
) -> Ground:
    """The ground of a camera held level: x to the right, y away from it, metres."""
    focal = focal_px or FOCAL_SHARE * width_px
    matrix = np.array(
        [
            [camera_height_m, 0.0, -camera_height_m * width_px / 2],
            [0.0, 0.0, camera_height_m * focal],
            [0.0, 1.0, -horizon_px],
        ]
    )
    return Ground(matrix, estimated=True)
