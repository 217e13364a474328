"""Traffic that reacts: vehicles follow, queue at red, and change lanes around what stands still.

The whole cycle of a scene is simulated once at a fixed step; afterwards a scene only looks up where
everybody is at a time. Car following is the Intelligent Driver Model (Treiber, Hennecke, Helbing,
"Congested traffic states in empirical observations and microscopic simulations", Phys. Rev. E 62,
2000, eq. 3).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import atan2, sqrt

from camera.drawing import Colour
from camera.scenes.layout import LANE_M, Road
from camera.scenes.painter import Vehicle
from camera.scenes.shapes import solid

STEP_S = 0.1
MAX_ACCELERATION_MPS2 = 1.6
COMFORTABLE_BRAKING_MPS2 = 2.2
HARDEST_BRAKING_MPS2 = 7.5
TIME_GAP_S = 1.3
STANDSTILL_GAP_M = 2.4
LANE_CHANGE_S = 2.6
LOOK_AHEAD_M = 55.0


@dataclass(frozen=True)
class Arrival:
    """A vehicle that enters `road` at `t_s` in `lane`."""

    key: str
    kind: str
    colour: Colour
    road: Road
    lane: int
    t_s: float
    speed_mps: float


@dataclass(frozen=True)
class Obstacle:
    """Something that blocks a lane at one moment; `rear_s_m` is the end met first."""

    road: Road
    lane: int
    rear_s_m: float
    front_s_m: float
    speed_mps: float = 0.0
    standoff_m: float = 0.0
    """Distance that drivers keep besides, so that they can still steer around."""


ObstaclesAt = Callable[[float], Iterable[Obstacle]]
RedAt = Callable[[Road, float], bool]


@dataclass
class _Driver:
    arrival: Arrival
    s_m: float = 0.0
    speed_mps: float = 0.0
    lane: int = 0
    lateral: float = 0.0
    """Fractional lane while changing."""
    changed_s: float = -1e9
    braking: bool = False
    trace: list[tuple[float, float, float, bool]] = field(default_factory=list)
    """s, fractional lane, speed, braking at every step since the arrival."""

    @cached_property
    def length_m(self) -> float:
        return solid(self.arrival.kind).length_m

    def as_obstacle(self, lane: int) -> Obstacle:
        half_m = self.length_m / 2
        return Obstacle(
            self.arrival.road, lane, self.s_m - half_m, self.s_m + half_m, self.speed_mps
        )

    def occupies(self, lane: int) -> bool:
        return lane == self.lane or abs(self.lateral - lane) < 0.75


@dataclass(frozen=True)
class Trip:
    """Everything one vehicle did, sampled every `STEP_S` from its arrival on."""

    arrival: Arrival
    first_s: float
    trace: tuple[tuple[float, float, float, bool], ...]

    def at(self, t_s: float) -> Vehicle | None:
        """The vehicle at `t_s`, or None when it is not on the road."""
        position = (t_s - self.first_s) / STEP_S
        step = int(position)
        if position < 0 or step + 1 >= len(self.trace):
            return None
        part = position - step
        (s0, lane0, v0, braking), (s1, lane1, v1, _) = self.trace[step : step + 2]
        s_m, lane = s0 + (s1 - s0) * part, lane0 + (lane1 - lane0) * part
        road = self.arrival.road
        x_m, y_m = road.place(s_m, lane)
        drift_rad = atan2((lane1 - lane0) * LANE_M, max(s1 - s0, 0.05))
        return Vehicle(
            key=self.arrival.key,
            kind=self.arrival.kind,
            colour=self.arrival.colour,
            x_m=x_m,
            y_m=y_m,
            heading_rad=road.heading_rad - drift_rad,
            speed_mps=v0 + (v1 - v0) * part,
            braking=braking,
        )


class Trips:
    """All trips of a cycle, found quickly by time."""

    def __init__(self, trips: Iterable[Trip]) -> None:
        self._trips = sorted(trips, key=lambda trip: trip.first_s)
        self._starts = [trip.first_s for trip in self._trips]
        self._longest_s = max((len(trip.trace) * STEP_S for trip in self._trips), default=0.0)

    def at(self, t_s: float) -> list[Vehicle]:
        """Every vehicle on the road at `t_s`."""
        first = bisect_right(self._starts, t_s - self._longest_s - STEP_S)
        last = bisect_right(self._starts, t_s)
        vehicles = (trip.at(t_s) for trip in self._trips[first:last])
        return [vehicle for vehicle in vehicles if vehicle is not None]


def simulate(
    arrivals: Sequence[Arrival],
    *,
    start_s: float,
    end_s: float,
    obstacles_at: ObstaclesAt,
    red_at: RedAt,
) -> Trips:
    """Let everybody drive from `start_s` to `end_s`."""
    waiting = sorted(arrivals, key=lambda arrival: arrival.t_s)
    driving: list[_Driver] = []
    done: list[_Driver] = []
    steps = round((end_s - start_s) / STEP_S)
    for step in range(steps + 2):
        t_s = start_s + step * STEP_S
        while waiting and waiting[0].t_s <= t_s:
            driving.append(_enter(waiting.pop(0), driving))
        _advance(driving, t_s, list(obstacles_at(t_s)), red_at)
        done += [driver for driver in driving if driver.s_m > driver.arrival.road.length_m]
        driving = [driver for driver in driving if driver.s_m <= driver.arrival.road.length_m]
    return Trips(
        Trip(driver.arrival, _first_step(driver.arrival.t_s, start_s), tuple(driver.trace))
        for driver in done + driving
    )


def _first_step(t_s: float, start_s: float) -> float:
    steps = (t_s - start_s) / STEP_S
    return start_s + max(0, -int(-steps // 1)) * STEP_S


def _enter(arrival: Arrival, driving: list[_Driver]) -> _Driver:
    """A driver at the start of the road, behind the one before if that one has hardly moved."""
    same = [d for d in driving if d.arrival.road is arrival.road and d.occupies(arrival.lane)]
    behind_m = min((d.s_m - d.length_m - 6.0 for d in same), default=0.0)
    speed_mps = min([arrival.speed_mps, *(d.speed_mps + 2.0 for d in same if d.s_m < 25.0)])
    lane = arrival.lane
    return _Driver(arrival, min(0.0, behind_m), speed_mps, lane, float(lane))


def _advance(driving: list[_Driver], t_s: float, obstacles: list[Obstacle], red_at: RedAt) -> None:
    """One step for everybody; who is on another road does not matter."""
    roads: dict[str, list[_Driver]] = {}
    for driver in driving:
        roads.setdefault(driver.arrival.road.name, []).append(driver)
    for drivers in roads.values():
        road = drivers[0].arrival.road
        ahead = [item for item in obstacles if item.road is road]
        red = red_at(road, t_s)
        if ahead:
            for driver in drivers:
                _consider_lane_change(driver, drivers, ahead, t_s)
        pulls = [_acceleration(driver, drivers, ahead, red=red) for driver in drivers]
        for driver, pull in zip(drivers, pulls, strict=True):
            _move(driver, pull)


def _move(driver: _Driver, pull: float) -> None:
    driver.trace.append((driver.s_m, driver.lateral, driver.speed_mps, driver.braking))
    speed_mps = max(0.0, driver.speed_mps + pull * STEP_S)
    driver.s_m += (driver.speed_mps + speed_mps) / 2 * STEP_S
    driver.speed_mps = speed_mps
    driver.braking = pull < -1.0 or (speed_mps < 0.3 and pull < 0.2)
    _drift(driver)


def _drift(driver: _Driver) -> None:
    """Sideways towards the chosen lane, no faster than the car moves forwards allows."""
    most = min(1.0 / LANE_CHANGE_S, 0.35 * driver.speed_mps / LANE_M) * STEP_S
    away = driver.lane - driver.lateral
    driver.lateral += max(-most, min(most, away))


def _acceleration(
    driver: _Driver,
    driving: list[_Driver],
    obstacles: list[Obstacle],
    *,
    red: bool,
) -> float:
    leader = _leader(driver, driver.lane, driving, obstacles)
    if abs(driver.lateral - driver.lane) > 0.3:
        old = _leader(driver, round(driver.lateral), driving, obstacles)
        old = replace(old, standoff_m=0.0) if old else None
        leader = min((x for x in (leader, old) if x), key=lambda x: x.rear_s_m, default=None)
    pull = _idm(driver, leader)
    if red:
        pull = min(pull, _idm(driver, _stop_line(driver)))
    return max(-HARDEST_BRAKING_MPS2, pull)


def _stop_line(driver: _Driver) -> Obstacle | None:
    """The stop line as an obstacle, for those who can still stop before it."""
    line_m = driver.arrival.road.stop_line_s_m + STANDSTILL_GAP_M - 0.6
    room_m = line_m - driver.s_m - driver.length_m / 2
    if room_m < driver.speed_mps**2 / (2 * 4.0) - 0.5 or room_m < 0:
        return None
    return Obstacle(driver.arrival.road, driver.lane, line_m, line_m)


def _idm(driver: _Driver, leader: Obstacle | None) -> float:
    """Acceleration of the Intelligent Driver Model, m/s²."""
    v, v0 = driver.speed_mps, driver.arrival.speed_mps
    free = 1 - (v / v0) ** 4
    if leader is None:
        return MAX_ACCELERATION_MPS2 * free
    gap_m = max(0.1, leader.rear_s_m - leader.standoff_m - driver.s_m - driver.length_m / 2)
    closing = v * (v - leader.speed_mps)
    wished_m = STANDSTILL_GAP_M + max(
        0.0,
        v * TIME_GAP_S + closing / (2 * sqrt(MAX_ACCELERATION_MPS2 * COMFORTABLE_BRAKING_MPS2)),
    )
    return MAX_ACCELERATION_MPS2 * (free - (wished_m / gap_m) ** 2)


def _leader(
    driver: _Driver, lane: int, driving: list[_Driver], obstacles: list[Obstacle]
) -> Obstacle | None:
    """The nearest thing ahead in `lane`."""
    ahead = [item for item in obstacles if item.lane == lane]
    ahead = [item for item in ahead if (item.rear_s_m + item.front_s_m) / 2 > driver.s_m]
    drivers = [other for other in driving if other.s_m > driver.s_m and other.occupies(lane)]
    if drivers:
        nearest = min(drivers, key=lambda other: other.s_m - other.length_m / 2)
        ahead.append(nearest.as_obstacle(lane))
    return min(ahead, key=lambda item: item.rear_s_m, default=None)


def _consider_lane_change(
    driver: _Driver, driving: list[_Driver], obstacles: list[Obstacle], t_s: float
) -> None:
    """Leave a lane in which something stands ahead, if the other lane has room."""
    if driver.arrival.road.lanes < 2 or t_s - driver.changed_s < LANE_CHANGE_S + 1.0:
        return
    blocking = [o for o in obstacles if o.lane == driver.lane]
    if not any(-3 < o.rear_s_m - driver.s_m < LOOK_AHEAD_M and o.speed_mps < 2 for o in blocking):
        return
    target = 1 - driver.lane
    if any(
        o.rear_s_m - driver.s_m < LOOK_AHEAD_M and o.front_s_m > driver.s_m - 8
        for o in obstacles
        if o.lane == target
    ):
        return
    if _has_room(driver, target, driving):
        driver.lane, driver.changed_s = target, t_s


def _has_room(driver: _Driver, lane: int, driving: list[_Driver]) -> bool:
    for other in driving:
        if other is driver or not other.occupies(lane):
            continue
        between_m = abs(other.s_m - driver.s_m) - (other.length_m + driver.length_m) / 2
        front, rear = (other, driver) if other.s_m > driver.s_m else (driver, other)
        closing_mps = max(0.0, rear.speed_mps - front.speed_mps)
        if between_m < 3.0 + 0.35 * rear.speed_mps + closing_mps**2 / 5.0:
            return False
    return True
