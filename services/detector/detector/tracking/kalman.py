"""A constant-velocity Kalman filter over many boxes at once, in real time (dt from timestamps).

State per box: centre x, centre y, width, height (px) and their speeds (px/s). The four axes are
independent, so that the covariance of each is three numbers and every step is a few array
operations, however many boxes there are. Noise scales with the box, as in SORT (arXiv 1602.00763).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hazardcast.vision.geometry.boxes import Bools, Floats, Ints

MEASURED_SHARE = 0.05
"""Standard deviation of a measured coordinate, as a share of the box's size."""
ACCELERATION_SHARE = np.array([3.0, 3.0, 0.6, 0.6])
"""Standard deviation of the unknown acceleration, box sizes per s²; shapes change slowly."""
FIRST_SPEED_SHARE = np.array([3.0, 3.0, 0.3, 0.3])
"""Standard deviation of the speed of a new box, box sizes per s."""
COASTING_S = 1.0
"""The speed of an unobserved box dies down with this time constant."""


@dataclass
class Filters:
    """(N, 4) means `at`, `speed` and covariances `pp`, `pv`, `vv`."""

    at: Floats
    speed: Floats
    pp: Floats
    pv: Floats
    vv: Floats

    def __len__(self) -> int:
        return len(self.at)

    def keep(self, rows: Bools | Ints) -> None:
        """Forget all but these rows."""
        for name in ("at", "speed", "pp", "pv", "vv"):
            setattr(self, name, getattr(self, name)[rows])

    def extend(self, xyxy: Floats) -> None:
        """Begin a filter at rest for each box."""
        at = _centred(xyxy)
        sigma = MEASURED_SHARE * _sizes(at)
        first = (FIRST_SPEED_SHARE * _sizes(at)) ** 2
        new = (at, np.zeros_like(at), np.broadcast_to(sigma**2, at.shape), np.zeros_like(at), first)
        for name, rows in zip(("at", "speed", "pp", "pv", "vv"), new, strict=True):
            setattr(self, name, np.concatenate([getattr(self, name), rows]))

    def predict(self, dt_s: float, observed: Bools) -> None:
        """Move every box on by `dt_s`; those not `observed` last time lose speed."""
        dt = max(0.0, dt_s)
        coasting = np.where(observed, 1.0, np.exp(-dt / COASTING_S))[:, None]
        self.speed = self.speed * coasting
        variance = (ACCELERATION_SHARE * _sizes(self.at)) ** 2
        self.at = self.at + dt * self.speed
        self.pp = self.pp + 2 * dt * self.pv + dt**2 * self.vv + variance * dt**4 / 4
        self.pv = self.pv + dt * self.vv + variance * dt**3 / 2
        self.vv = self.vv + variance * dt**2

    def correct(self, rows: Ints, xyxy: Floats) -> None:
        """Take the boxes measured for `rows` into account."""
        measured = _centred(xyxy)
        noise = (MEASURED_SHARE * _sizes(measured)) ** 2
        total = self.pp[rows] + noise
        gain_at, gain_speed = self.pp[rows] / total, self.pv[rows] / total
        surprise = measured - self.at[rows]
        self.at[rows] += gain_at * surprise
        self.speed[rows] += gain_speed * surprise
        self.vv[rows] -= gain_speed * self.pv[rows]
        self.pv[rows] *= 1 - gain_at
        self.pp[rows] *= 1 - gain_at

    def boxes(self) -> Floats:
        """(N, 4) x1, y1, x2, y2 as estimated now."""
        half = np.maximum(self.at[:, 2:], 1.0) / 2
        return np.concatenate([self.at[:, :2] - half, self.at[:, :2] + half], axis=1)


def none() -> Filters:
    """No filters yet."""
    return Filters(*(np.zeros((0, 4)) for _ in range(5)))


def _centred(xyxy: Floats) -> Floats:
    low, high = xyxy[:, :2].astype(np.float64), xyxy[:, 2:].astype(np.float64)
    return np.concatenate([(low + high) / 2, high - low], axis=1)


def _sizes(at: Floats) -> Floats:
    """(N, 1) √(w·h), at least 4 px."""
    sizes: Floats = np.sqrt(np.maximum(at[:, 2:3] * at[:, 3:4], 16.0))
    return sizes
