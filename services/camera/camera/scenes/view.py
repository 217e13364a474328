"""The fixed camera's perspective: a pinhole on a pole, looking down a road.

World coordinates are metres: x to the right across the main road, y along it away from the camera,
z up. The origin lies on the main road's centre line.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """Where the camera stands and looks; angles in degrees, yaw to the left, pitch down."""

    width: int = 960
    height: int = 540
    position_m: tuple[float, float, float] = (8.6, -9.0, 9.2)
    yaw_deg: float = 14.0
    pitch_deg: float = 15.5
    focal_widths: float = 0.80
    """Focal length in frame widths: 0.80 is a horizontal field of view of 64°."""

    @cached_property
    def focal_px(self) -> float:
        """Focal length in pixels."""
        return self.focal_widths * self.width

    @cached_property
    def rotation(self) -> Array:
        """Shape (3, 3): world axes to camera axes (right, down, forward)."""
        yaw, pitch = radians(self.yaw_deg), radians(self.pitch_deg)
        forward = np.array([-sin(yaw) * cos(pitch), cos(yaw) * cos(pitch), -sin(pitch)])
        right = np.array([cos(yaw), sin(yaw), 0.0])
        return np.stack([right, np.cross(forward, right), forward])

    def project(self, points_m: Array) -> tuple[Array, Array]:
        """World points (N, 3) → pixels (N, 2) and depths (N,) in metres along the optical axis."""
        seen = (points_m - np.asarray(self.position_m)) @ self.rotation.T
        depth = np.maximum(seen[:, 2], 1e-3)
        centre = np.array([self.width / 2, self.height / 2])
        return seen[:, :2] / depth[:, None] * self.focal_px + centre, seen[:, 2]

    def ground(self, columns: Array, rows: Array) -> tuple[Array, Array, Array]:
        """Where the rays of pixels meet the ground: x, y and distance in metres.

        Rays at or above the horizon have an infinite distance.
        """
        directions = np.stack(
            [
                (columns - self.width / 2) / self.focal_px,
                (rows - self.height / 2) / self.focal_px,
                np.ones_like(columns),
            ],
            axis=-1,
        )
        world = directions @ self.rotation
        down = -world[..., 2]
        distance = np.where(down > 1e-6, self.position_m[2] / np.maximum(down, 1e-6), np.inf)
        reach = np.minimum(distance, 1e5)
        x = self.position_m[0] + world[..., 0] * reach
        y = self.position_m[1] + world[..., 1] * reach
        return x, y, distance
