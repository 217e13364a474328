"""What happens in each drawn scene: who arrives, who is scripted, what blocks which lane.

Times are seconds of scene time within one cycle; `impact_s` is the onset of the incident.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Literal, Protocol

from camera.scenes import burning
from camera.scenes.arrivals import Slot
from camera.scenes.layout import (
    AWAY,
    CROSSING_Y_M,
    EASTBOUND,
    MAIN_ROADS,
    SIDE_ROADS,
    TOWARDS,
    Road,
)
from camera.scenes.litter import Litter
from camera.scenes.motion import Crash, Stop
from camera.scenes.painter import Vehicle
from camera.scenes.traffic import Obstacle

Lamp = Literal["green", "yellow", "red"]
CLEARED_AT = 0.8
"""Share of the period after which the incident is over."""
STANDOFF_M = 7.0
_STOP_Y_M = CROSSING_Y_M - 13.0
"""Where the vehicles of the fire and of the blockage stop: on this side of the crossing."""


class Story(Protocol):
    """One scene's plot."""

    @property
    def incident(self) -> bool:
        """Whether there is an incident at all."""
        ...

    @property
    def busy_roads(self) -> tuple[Road, ...]:
        """The roads that have traffic."""
        ...

    def slots(self) -> list[Slot]:
        """Stretches of road that the ordinary traffic must leave free."""
        ...

    def actors(self, t_s: float) -> list[Vehicle]:
        """The scripted vehicles."""
        ...

    def obstacles(self, t_s: float) -> list[Obstacle]:
        """What the ordinary traffic meets."""
        ...

    def lamp(self, road: Road, t_s: float) -> Lamp:
        """What the signal shows to `road`."""
        ...

    def fire(self, t_s: float) -> burning.Fire | None:
        """What burns, if anything does."""
        ...

    def litter(self, t_s: float) -> Litter | None:
        """What lies on the road."""
        ...


@dataclass(frozen=True)
class Normal:
    """Free flow; the signals stay green for the main road."""

    impact_s: float
    period_s: float
    incident = False
    busy_roads: tuple[Road, ...] = MAIN_ROADS

    @property
    def cleared_s(self) -> float:
        """When the incident is over."""
        return CLEARED_AT * self.period_s

    def slots(self) -> list[Slot]:
        """Nothing is kept free."""
        return []

    def actors(self, t_s: float) -> list[Vehicle]:  # noqa: ARG002 - others need it
        """Nobody is scripted."""
        return []

    def obstacles(self, t_s: float) -> list[Obstacle]:  # noqa: ARG002 - as above
        """Nothing stands in the way."""
        return []

    def lamp(self, road: Road, t_s: float) -> Lamp:  # noqa: ARG002 - as above
        """Green for the main road."""
        return "green" if road in MAIN_ROADS else "red"

    def fire(self, t_s: float) -> burning.Fire | None:  # noqa: ARG002 - as above
        """Nothing burns."""
        return None

    def litter(self, t_s: float) -> Litter | None:  # noqa: ARG002 - as above
        """The road is clean."""
        return None


@dataclass(frozen=True)
class Queue(Normal):
    """Red lights: cars queue, the side road goes, then they go too; nothing is wrong."""

    busy_roads: tuple[Road, ...] = (*MAIN_ROADS, *SIDE_ROADS)
    red_s = 36.0
    yellow_s = 3.0
    side_green_s = (7.0, 27.0)

    @property
    def cycle_s(self) -> float:
        """About 75 s, so that the period holds whole signal cycles."""
        return self.period_s / max(1, round(self.period_s / 75.0))

    def lamp(self, road: Road, t_s: float) -> Lamp:
        """Red for the main road during the first part of each signal cycle."""
        phase_s = (t_s - self.impact_s) % self.cycle_s
        if road in MAIN_ROADS:
            if phase_s >= min(self.red_s, self.cycle_s / 2):
                return "green"
            return "yellow" if phase_s < self.yellow_s else "red"
        opens_s, closes_s = self.side_green_s
        if opens_s <= phase_s < closes_s:
            return "green"
        return "yellow" if closes_s <= phase_s < closes_s + self.yellow_s else "red"


@dataclass(frozen=True)
class Collision(Normal):
    """A car runs the red light from the left and is struck by one that comes towards the camera."""

    incident = True

    @property
    def struck(self) -> Crash:
        """The car that ran the light: hit behind its middle, it spins and slides to the right."""
        return Crash(
            key="struck", kind="hatchback", colour=(196, 120, 40), impact_s=self.impact_s,
            at_m=(-1.0, EASTBOUND.place(0, 0)[1]), heading_rad=0.0, before_mps=(9.6, 0.0),
            after_mps=(4.9, -5.4), spin_rad=1.15,
        )  # fmt: skip

    @property
    def striking(self) -> Crash:
        """The car with the right of way."""
        return Crash(
            key="striking", kind="sedan", colour=(44, 38, 170), impact_s=self.impact_s,
            at_m=(TOWARDS.place(0, 0)[0], CROSSING_Y_M + 1.2), heading_rad=-pi / 2,
            before_mps=(0.0, -12.6), after_mps=(2.0, -4.2), spin_rad=0.62,
        )  # fmt: skip

    def slots(self) -> list[Slot]:
        """The crossing is free of others around the impact, and nobody is close to the two cars."""
        t = self.impact_s
        return [
            Slot(TOWARDS, 0, TOWARDS.s_of(0, CROSSING_Y_M + 1.2), t - 4.5, t + 3.6),
            Slot(TOWARDS, 1, TOWARDS.s_of(0, CROSSING_Y_M - 1.0), t - 3.2, t + 2.0),
            Slot(AWAY, 0, AWAY.s_of(0, CROSSING_Y_M - 4.0), t - 2.6, t + 3.2),
            Slot(AWAY, 1, AWAY.s_of(0, CROSSING_Y_M - 3.0), t - 2.2, t + 2.4),
        ]

    def actors(self, t_s: float) -> list[Vehicle]:
        """The two cars, until the wreck is removed."""
        if t_s >= self.cleared_s:
            return []
        crashed = (crash.at(t_s) for crash in (self.struck, self.striking))
        return [vehicle for vehicle in crashed if abs(vehicle.x_m) < 70 and vehicle.y_m < 150]

    def litter(self, t_s: float) -> Litter | None:
        """Glass and plastic around the place of the impact."""
        if not self.impact_s <= t_s < self.cleared_s:
            return None
        return Litter((self.striking.at_m[0], EASTBOUND.place(0, 0)[1]), self.impact_s)

    def obstacles(self, t_s: float) -> list[Obstacle]:
        """The coming car for those behind it, then both wrecks."""
        if t_s >= self.cleared_s:
            return []
        striking = self.striking.at(t_s)
        s_m = TOWARDS.s_of(0, striking.y_m)
        speed_mps = striking.speed_mps if t_s < self.impact_s else 0.0
        standoff_m = 0.0 if t_s < self.impact_s else STANDOFF_M
        obstacles = [Obstacle(TOWARDS, 0, s_m - 2.3, s_m + 3.0, speed_mps, standoff_m)]
        if t_s >= self.impact_s:
            s_m = AWAY.s_of(0, self.struck.at(1e9).y_m)
            obstacles.append(Obstacle(AWAY, 0, s_m - 3.0, s_m + 6.0, 0.0, STANDOFF_M))
        return obstacles


@dataclass(frozen=True)
class Burning(Normal):
    """A van pulls over on the left, stops, and a little later its bonnet burns."""

    incident = True
    stopped_before_s = 5.0

    @property
    def van(self) -> Stop:
        """The van that will burn."""
        return Stop(
            key="van", kind="van", colour=(222, 224, 222), road=TOWARDS, lane=1.0, end_lane=1.92,
            stop_s_m=TOWARDS.s_of(0, _STOP_Y_M), stopped_at_s=self.impact_s - self.stopped_before_s,
            cruise_mps=12.0, braking_mps2=2.2,
        )  # fmt: skip

    def slots(self) -> list[Slot]:
        """Nobody is right before or behind the van while it brakes."""
        at_s = self.impact_s - self.stopped_before_s
        return [Slot(TOWARDS, 1, TOWARDS.s_of(0, _STOP_Y_M), at_s - 8.5, at_s + 0.5)]

    def actors(self, t_s: float) -> list[Vehicle]:
        """The van, until it is towed away."""
        van = self.van.at(t_s, hazard_from_s=self.impact_s - self.stopped_before_s - 2)
        return [van] if van and t_s < self.cleared_s else []

    def obstacles(self, t_s: float) -> list[Obstacle]:
        """The van while it still brakes in its lane."""
        found = self.van.obstacle(t_s)
        still_in_lane = t_s < self.impact_s - self.stopped_before_s - 1.5
        return [found] if found and still_in_lane else []

    def fire(self, t_s: float) -> burning.Fire | None:
        """Grows for 30 s from the onset; burns out before the van is removed."""
        burning_s = t_s - self.impact_s
        left_s = self.cleared_s - t_s
        if burning_s < 0 or left_s < 0:
            return None
        strength = min(1.0, 0.25 + 0.75 * burning_s / 30.0, left_s / 15.0)
        bonnet_m = TOWARDS.place(self.van.stop_s_m + 1.6, self.van.end_lane)
        return burning.Fire(bonnet_m, self.impact_s, strength)


@dataclass(frozen=True)
class Blockage(Normal):
    """A car breaks down in its lane, the others flow past it; later it drives on."""

    incident = True

    @property
    def car(self) -> Stop:
        """The car that breaks down."""
        return Stop(
            key="stopped", kind="suv", colour=(52, 142, 214), road=TOWARDS, lane=0.0, end_lane=0.0,
            stop_s_m=TOWARDS.s_of(0, _STOP_Y_M), stopped_at_s=self.impact_s,
            cruise_mps=12.0, braking_mps2=2.6, leaves_at_s=self.cleared_s,
        )  # fmt: skip

    def slots(self) -> list[Slot]:
        """Nobody is right before the car or close behind it."""
        at_s = self.impact_s
        return [Slot(TOWARDS, 0, TOWARDS.s_of(0, _STOP_Y_M), at_s - 7.0, at_s + 0.5)]

    def actors(self, t_s: float) -> list[Vehicle]:
        """The car."""
        car = self.car.at(t_s, hazard_from_s=self.impact_s + 2.0)
        return [car] if car else []

    def obstacles(self, t_s: float) -> list[Obstacle]:
        """The car, which others keep well behind once it stands."""
        found = self.car.obstacle(t_s, standoff_m=STANDOFF_M)
        return [found] if found else []


STORIES: dict[str, type[Normal]] = {
    "normal": Normal,
    "queue": Queue,
    "collision": Collision,
    "fire": Burning,
    "blockage": Blockage,
}
