"""How scripted vehicles move: closed formulas of scene time."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, hypot

from camera.drawing import Colour
from camera.scenes.layout import LANE_M, Road
from camera.scenes.painter import Vehicle
from camera.scenes.shapes import solid
from camera.scenes.traffic import Obstacle

SLIDING_MPS2 = 6.5
"""Deceleration of tyres that slide on dry asphalt (friction about 0.66)."""


@dataclass(frozen=True)
class Crash:
    """A car that drives straight, is in a collision at `impact_s`, slides, spins and stays."""

    key: str
    kind: str
    colour: Colour
    impact_s: float
    at_m: tuple[float, float]
    heading_rad: float
    before_mps: tuple[float, float]
    after_mps: tuple[float, float]
    spin_rad: float

    def at(self, t_s: float) -> Vehicle:
        """The car at `t_s`."""
        after_s = t_s - self.impact_s
        vx, vy = self.before_mps if after_s < 0 else self.after_mps
        full_mps = hypot(vx, vy)
        slid_s = min(max(after_s, 0.0), full_mps / SLIDING_MPS2)
        reach = after_s if after_s < 0 else slid_s - SLIDING_MPS2 * slid_s**2 / (2 * full_mps)
        turned = slid_s * SLIDING_MPS2 / full_mps
        return Vehicle(
            key=self.key,
            kind=self.kind,
            colour=self.colour,
            x_m=self.at_m[0] + vx * reach,
            y_m=self.at_m[1] + vy * reach,
            heading_rad=self.heading_rad + self.spin_rad * (2 * turned - turned**2),
            speed_mps=full_mps if after_s < 0 else full_mps - SLIDING_MPS2 * slid_s,
            braking=after_s > -0.35,
            hazard_lights=after_s > 4.0,
        )


@dataclass(frozen=True)
class Stop:
    """A vehicle that cruises, brakes evenly to a stop, stays, and may drive on."""

    key: str
    kind: str
    colour: Colour
    road: Road
    lane: float
    end_lane: float
    stop_s_m: float
    stopped_at_s: float
    cruise_mps: float
    braking_mps2: float
    leaves_at_s: float | None = None
    leaving_mps2: float = 1.7

    @property
    def braking_s(self) -> float:
        """How long it brakes."""
        return self.cruise_mps / self.braking_mps2

    def s_and_speed(self, t_s: float) -> tuple[float, float]:
        """Metres along the road and m/s."""
        left_s = self.stopped_at_s - t_s
        if left_s > self.braking_s:
            cruised_m = self.cruise_mps * (left_s - self.braking_s)
            return self.stop_s_m - self._braking_m - cruised_m, self.cruise_mps
        if left_s > 0:
            return self.stop_s_m - self.braking_mps2 * left_s**2 / 2, self.braking_mps2 * left_s
        if self.leaves_at_s is None or t_s < self.leaves_at_s:
            return self.stop_s_m, 0.0
        gone_s = t_s - self.leaves_at_s
        return self.stop_s_m + self.leaving_mps2 * gone_s**2 / 2, self.leaving_mps2 * gone_s

    @property
    def _braking_m(self) -> float:
        return self.cruise_mps**2 / (2 * self.braking_mps2)

    def _lane_at(self, s_m: float) -> float:
        """Drifts to `end_lane` along the braking distance."""
        start_m = self.stop_s_m - self._braking_m
        part = min(1.0, max(0.0, (s_m - start_m) / (0.9 * self._braking_m)))
        return self.lane + (self.end_lane - self.lane) * part * part * (3 - 2 * part)

    def at(self, t_s: float, *, hazard_from_s: float) -> Vehicle | None:
        """The vehicle at `t_s`, or None while it is not on the road."""
        s_m, speed_mps = self.s_and_speed(t_s)
        if not 0 <= s_m <= self.road.length_m:
            return None
        x_m, y_m = self.road.place(s_m, self._lane_at(s_m))
        ahead_m = 0.5
        sideways_m = (self._lane_at(s_m + ahead_m) - self._lane_at(s_m)) * LANE_M
        leaving = self.leaves_at_s is not None and t_s >= self.leaves_at_s
        return Vehicle(
            key=self.key,
            kind=self.kind,
            colour=self.colour,
            x_m=x_m,
            y_m=y_m,
            heading_rad=self.road.heading_rad - atan2(sideways_m, ahead_m),
            speed_mps=speed_mps,
            braking=not leaving and t_s > self.stopped_at_s - self.braking_s,
            hazard_lights=t_s > hazard_from_s and not leaving,
        )

    def obstacle(self, t_s: float, *, standoff_m: float = 0.0) -> Obstacle | None:
        """What those behind it meet; the standoff counts once it stands."""
        s_m, speed_mps = self.s_and_speed(t_s)
        if not 0 <= s_m <= self.road.length_m:
            return None
        half_m = solid(self.kind).length_m / 2
        standing = standoff_m if speed_mps < 1.0 else 0.0
        return Obstacle(
            self.road, round(self.lane), s_m - half_m, s_m + half_m, speed_mps, standing
        )
