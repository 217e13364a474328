"""Who enters the road when: the same in every cycle, so that a scene repeats without a jump."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from camera.drawing import Colour
from camera.scenes.layout import SIDE_ROADS, Road
from camera.scenes.traffic import Arrival

WARM_UP_S = 80.0
"""Traffic before the start of a cycle, so that the road is populated at its first moment."""
_PALETTE: tuple[Colour, ...] = (
    (226, 228, 228), (196, 198, 200), (150, 150, 152), (78, 76, 74), (40, 38, 38),
    (48, 42, 150), (130, 84, 44), (92, 62, 36), (70, 96, 56), (150, 176, 196),
)  # fmt: skip
_PALETTE_WEIGHTS = np.array([22, 18, 14, 12, 12, 6, 6, 4, 3, 3]) / 100
_KINDS = ("sedan", "hatchback", "suv", "van", "truck")
_KIND_WEIGHTS = np.array([34, 28, 22, 10, 6]) / 100
_LANE_SPEED_MPS = (13.2, 11.8)
_MEAN_HEADWAY_S, _LEAST_HEADWAY_S = 6.2, 2.6
_SIDE_HEADWAY_S = 17.0


@dataclass(frozen=True)
class Slot:
    """Nobody of the ordinary traffic passes `s_m` in this lane between the two times."""

    road: Road
    lane: int
    s_m: float
    from_s: float
    until_s: float

    def holds(self, arrival: Arrival) -> bool:
        """Whether this vehicle would come through, driving freely."""
        if arrival.road is not self.road or arrival.lane != self.lane:
            return False
        passes_s = arrival.t_s + self.s_m / arrival.speed_mps
        return self.from_s <= passes_s <= self.until_s


def schedule(
    roads: tuple[Road, ...], slots: list[Slot], *, period_s: float, seed: int
) -> list[Arrival]:
    """Everybody who arrives from `WARM_UP_S` before the cycle until its end."""
    found: list[Arrival] = []
    for road_number, road in enumerate(roads):
        for lane in range(road.lanes):
            random = np.random.default_rng((seed, road_number, lane))
            found += _lane(road, lane, period_s, random)
    return [arrival for arrival in found if not any(slot.holds(arrival) for slot in slots)]


def _lane(road: Road, lane: int, period_s: float, random: np.random.Generator) -> list[Arrival]:
    mean_s = _SIDE_HEADWAY_S if road in SIDE_ROADS else _MEAN_HEADWAY_S
    arrivals: list[Arrival] = []
    t_s = float(random.uniform(0, mean_s))
    while t_s < period_s - _LEAST_HEADWAY_S:
        arrival = _arrival(road, lane, t_s, random)
        arrivals.append(arrival)
        arrivals += _before(arrival, period_s)
        t_s += _LEAST_HEADWAY_S + float(random.exponential(mean_s - _LEAST_HEADWAY_S))
    return arrivals


def _arrival(road: Road, lane: int, t_s: float, random: np.random.Generator) -> Arrival:
    kind = str(random.choice(_KINDS, p=_KIND_WEIGHTS))
    colour = _PALETTE[int(random.choice(len(_PALETTE), p=_PALETTE_WEIGHTS))]
    speed_mps = _LANE_SPEED_MPS[lane] * float(random.uniform(0.97, 1.04))
    key = f"{road.name}-{lane}-{t_s:.2f}"
    return Arrival(key, kind, colour, road, lane, t_s, speed_mps)


def _before(arrival: Arrival, period_s: float) -> list[Arrival]:
    """The same vehicle in the cycles before, as far as the warm-up reaches back."""
    cycles = ceil((WARM_UP_S + arrival.t_s) / period_s)
    times_s = [arrival.t_s - cycle * period_s for cycle in range(1, cycles + 1)]
    return [replace(arrival, t_s=t_s) for t_s in times_s if t_s >= -WARM_UP_S]
