"""Jolts: the moment at which a vehicle's velocity changed most abruptly.

A driver who brakes as hard as tyres allow changes the speed by 8 m/s² (two body lengths per second
and second); a crash does as much within a tenth of the time (delta-v, SAE J211).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from detector.impact.samples import Column
from hazardcast.vision.geometry import quantiles
from hazardcast.vision.geometry.boxes import Floats

WINDOW_S = 0.35
"""Velocities are averaged over so long before and after."""
LEAST_SAMPLES = 2
"""… and over no fewer; slower cameras are given longer."""
SEARCHED_S = (1.6, 0.25)
"""A jolt is looked for from so long ago to so long ago."""
EPSILON_S = 1e-6


@dataclass(frozen=True)
class Jolt:
    """A vehicle's most abrupt change of velocity; velocities (2,) in body lengths per second."""

    t: float
    before: Floats
    after: Floats

    @property
    def change_blps(self) -> float:
        """Length of the change."""
        x, y = (self.after - self.before).tolist()
        return math.hypot(x, y)


def find(rows: Floats) -> Jolt | None:
    """The greatest jolt in a vehicle's samples (N, columns), seen from the last one."""
    times = rows[:, Column.T].copy()  # a column is slow to search
    now = float(times[-1])
    reach_s = _window_s(times) + EPSILON_S
    oldest, newest = times.searchsorted((now - SEARCHED_S[0], now - SEARCHED_S[1] + EPSILON_S))
    at = np.arange(oldest, newest)
    first = times.searchsorted(times[oldest:newest] - reach_s)
    end = times.searchsorted(times[oldest:newest] + reach_s)
    enough = (at - first >= LEAST_SAMPLES) & (end - at - 1 >= LEAST_SAMPLES)
    at, first, end = at[enough], first[enough], end[enough]
    if not len(at):
        return None
    # A sample speaks of the step that ends at its time; the one at the jolt itself is of neither.
    sums = np.zeros((len(rows) + 1, 2))
    rows[:, Column.VX : Column.VY + 1].cumsum(axis=0, out=sums[1:])
    before = (sums[at] - sums[first]) / (at - first)[:, None]
    after = (sums[end] - sums[at + 1]) / (end - at - 1)[:, None]
    change = after - before
    best = int(np.hypot(change[:, 0], change[:, 1]).argmax())
    return Jolt(float(times[at[best]]), before[best], after[best])


def _window_s(times: Floats) -> float:
    if len(times) < 2:
        return WINDOW_S
    return max(WINDOW_S, (LEAST_SAMPLES + 0.2) * quantiles.median(times[1:] - times[:-1]))
