"""The drawn junction: a four-lane road crossed by a two-lane one; traffic keeps to the right."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2

import numpy as np

LANE_M = 3.4
ROAD_HALF_M = 2 * LANE_M
SHOULDER_M = 2.6
"""Paved strip outside the outer lanes."""
PAVEMENT_M = 3.0
CROSSING_Y_M = 26.0
"""Centre line of the side road."""
CROSSING_HALF_M = LANE_M + 0.4
ZEBRA_M = 2.6
STOP_LINE_GAP_M = 1.2


@dataclass(frozen=True)
class Road:
    """One direction of travel: lanes are numbered from the centre line outwards."""

    name: str
    origin_m: tuple[float, float]
    """Where s = 0 lies, on the centre line that separates the directions."""
    direction: tuple[float, float]
    lanes: int
    length_m: float
    stop_line_s_m: float

    @property
    def heading_rad(self) -> float:
        """Direction of travel, counter-clockwise from the x axis."""
        return atan2(self.direction[1], self.direction[0])

    def place(self, s_m: float, lane: float) -> tuple[float, float]:
        """The world position `s_m` along the road in (fractional) lane `lane`."""
        along, right = self.direction, (self.direction[1], -self.direction[0])
        offset_m = (lane + 0.5) * LANE_M
        return (
            self.origin_m[0] + along[0] * s_m + right[0] * offset_m,
            self.origin_m[1] + along[1] * s_m + right[1] * offset_m,
        )

    def s_of(self, x_m: float, y_m: float) -> float:
        """How far along the road a world position lies."""
        return float(
            np.dot(np.subtract((x_m, y_m), self.origin_m), np.asarray(self.direction, float))
        )


_BEFORE_CROSSING_M = CROSSING_HALF_M + 0.8 + ZEBRA_M + STOP_LINE_GAP_M

AWAY = Road("away", (0.0, -22.0), (0.0, 1.0), 2, 180.0, CROSSING_Y_M + 22.0 - _BEFORE_CROSSING_M)
TOWARDS = Road(
    "towards", (0.0, 150.0), (0.0, -1.0), 2, 172.0, 150.0 - CROSSING_Y_M - _BEFORE_CROSSING_M
)
EASTBOUND = Road(
    "eastbound", (-62.0, CROSSING_Y_M), (1.0, 0.0), 1, 110.0, 62.0 - ROAD_HALF_M - SHOULDER_M - 1.0
)
WESTBOUND = Road(
    "westbound", (48.0, CROSSING_Y_M), (-1.0, 0.0), 1, 110.0, 48.0 - ROAD_HALF_M - SHOULDER_M - 1.0
)
MAIN_ROADS = (AWAY, TOWARDS)
SIDE_ROADS = (EASTBOUND, WESTBOUND)
