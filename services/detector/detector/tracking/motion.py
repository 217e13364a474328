"""What a track's history says about its motion: how it came to rest, where it was, how it turned.

Lengths are in body lengths (√(w·h) of the box), as no map of the ground is known; times in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detector.tracking.history import Column, History
from hazardcast.vision.geometry.boxes import Floats

REST_BLPS = 0.2
"""At rest: slower than this over `REST_WINDOW_S`."""
REST_WINDOW_S = 0.7
APPROACH_S = 1.2
"""How far back before braking the approach is looked at."""
BRAKING_FROM = 0.7
"""Braking counts from this share of the approach speed."""
LEAST_WAY_BL, LEAST_TIME_S = 0.15, 0.25
"""Nothing shorter can be told from boxes fitted over several frames."""
LOOK_BACK_S = 2.5
"""How long coming to rest may take to be called a stop."""


@dataclass(frozen=True)
class Stop:
    """A vehicle that moved and then stood."""

    braking_t: float
    """When it last had most (70 %) of its approach speed: about the onset."""
    rest_t: float
    """Since when it has stood."""
    until_t: float
    """Last time it was seen standing."""
    approach_blps: float
    """Speed before, from net displacement."""
    braking_bl: float
    """Way from there to rest, body lengths."""
    travelled_bl: float
    """Net displacement during the approach, body lengths."""
    straightness: float
    """Net displacement over path length of the approach: 1 straight, small for jitter."""
    jump: float
    """Longest step of the approach, share of the whole; a large one is another vehicle's box."""
    heading: tuple[float, float]
    """Unit vector of the approach (x, y in the picture)."""
    size_px: float
    score: float
    """Mean detection score from the approach to now."""

    @property
    def braking_s(self) -> float:
        """How long it took to stop; a crash takes well under a second, a driver more."""
        return self.rest_t - self.braking_t

    @property
    def deceleration_blps2(self) -> float:
        """Over braking, body lengths per s²; a driver in a hurry reaches 1.5 to 2.

        v² / 2d from the way, at most twice v / t from the time: each alone is fooled, by a box that
        drifts to rest or by one that jumps.
        """
        speed = BRAKING_FROM * self.approach_blps
        by_way = speed**2 / (2 * max(self.braking_bl, LEAST_WAY_BL))
        by_time = 2 * speed / max(self.braking_s, LEAST_TIME_S)
        return min(by_way, by_time)

    @property
    def held_s(self) -> float:
        """How long it has stood."""
        return self.until_t - self.rest_t


def feet(rows: Floats) -> Floats:
    """(N, 2) bottom centres of history rows."""
    return np.stack([(rows[:, Column.X1] + rows[:, Column.X2]) / 2, rows[:, Column.Y2]], axis=1)


def speeds_blps(rows: Floats) -> Floats:
    """(N,) body lengths per second."""
    return np.hypot(rows[:, Column.VX], rows[:, Column.VY]) / rows[:, Column.SIZE]


def resting_since(rows: Floats) -> int | None:
    """The first row of the rest that lasts to the end, None when it moves or is too young."""
    times = rows[:, Column.T]
    if len(rows) < 3 or times[-1] - times[0] < REST_WINDOW_S:
        return None
    centre, size = _middle(rows[-5:])
    bound = REST_BLPS * size
    x = (rows[:, Column.X1] + rows[:, Column.X2]) / 2 - centre[0]
    away = np.flatnonzero((np.abs(x) > bound) | (np.abs(rows[:, Column.Y2] - centre[1]) > bound))
    first = int(away[-1]) + 1 if len(away) else 0
    if first >= len(rows) or times[-1] - times[first] < REST_WINDOW_S:
        return None
    return first


def _middle(rows: Floats) -> tuple[tuple[float, float], float]:
    """Median bottom centre and size of a few rows; plain Python is faster for so few."""
    middle = len(rows) // 2
    x = sorted((rows[:, Column.X1] + rows[:, Column.X2]).tolist())[middle] / 2
    y = sorted(rows[:, Column.Y2].tolist())[middle]
    return (x, y), sorted(rows[:, Column.SIZE].tolist())[middle]


def last_stop(history: History) -> Stop | None:
    """How the vehicle came to its present rest, None when it moves or was never seen moving."""
    rows = history.rows
    if len(rows) < 6:
        return None
    first = resting_since(rows)
    if first is None or first == 0:
        return None
    rest_t = float(rows[first, Column.T])
    before = rows[: first + 1]
    before = before[before[:, Column.T] >= rest_t - LOOK_BACK_S]
    if len(before) < 4:
        return None
    return _stop(rows, before, rest_t)


def _stop(rows: Floats, before: Floats, rest_t: float) -> Stop | None:
    speeds = speeds_blps(before)
    fast = np.flatnonzero(speeds >= BRAKING_FROM * speeds.max())
    braking_t = float(before[fast[-1], Column.T])
    history = rows[(rows[:, Column.T] <= braking_t) & (rows[:, Column.T] >= braking_t - APPROACH_S)]
    if len(history) < 3:
        return None
    size = float(np.median(history[:, Column.SIZE]))
    path = feet(history)
    net = path[-1] - path[0]
    rest = np.median(feet(rows[rows[:, Column.T] >= rest_t]), axis=0)
    length = float(np.hypot(*net))
    steps = np.hypot(*np.diff(path, axis=0).T)
    elapsed = float(history[-1, Column.T] - history[0, Column.T])
    seen = rows[rows[:, Column.T] >= history[0, Column.T]]
    return Stop(
        braking_t=braking_t,
        rest_t=rest_t,
        until_t=float(rows[-1, Column.T]),
        approach_blps=length / size / max(elapsed, 1e-3),
        braking_bl=float(np.hypot(*(rest - path[-1]))) / size,
        travelled_bl=length / size,
        straightness=length / max(float(steps.sum()), 1e-6),
        jump=float(steps.max()) / max(length, 1e-6),
        heading=(float(net[0]) / max(length, 1e-6), float(net[1]) / max(length, 1e-6)),
        size_px=float(np.median(rows[-5:, Column.SIZE])),
        score=float(seen[:, Column.SCORE].mean()),
    )
