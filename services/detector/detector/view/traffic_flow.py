"""How traffic usually goes in a view, learnt from its tracks: the road and its directions.

The picture is a grid; every cell remembers how many vehicles crossed it, and in which directions
(eight of them). No zones need to be drawn. Old traffic fades, so that a lane that was moved
is learnt anew (exponential forgetting by the number of vehicles).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hazardcast.vision.geometry.boxes import Bools, Floats, Ints

COLUMNS, ROWS = 32, 18
DIRECTIONS = 8
KNOWN_AFTER = 40
"""Vehicles until the road is said to be known."""
LEAST_CROSSINGS = 2.0
"""A cell that fewer crossed is not the road, for all we know …"""
LEAST_SHARE = 0.01
"""… nor one that a smaller share of all vehicles crossed."""
FORGETS = 0.9995
"""What is left of the past with every vehicle."""
MOVING_BLPS = 0.3


@dataclass
class FlowField:
    """The usual traffic of one view of `width` × `height` pixels."""

    width: int
    height: int
    vehicles: int = 0
    _crossed: Floats = field(default_factory=lambda: np.zeros((ROWS, COLUMNS)))
    _towards: Floats = field(default_factory=lambda: np.zeros((ROWS, COLUMNS, DIRECTIONS)))

    def add(self, feet: Floats, velocities: Floats, sizes: Floats) -> None:
        """Learn one vehicle's way: (N, 2) px, (N, 2) px/s and (N,) px of its history."""
        speeds = np.hypot(*velocities.T) / np.maximum(sizes, 1.0)
        moving = (speeds >= MOVING_BLPS) & np.isfinite(speeds)
        if not moving.any():
            return
        for name in ("_crossed", "_towards"):
            setattr(self, name, getattr(self, name) * FORGETS)
        rows, columns = self._cells(feet[moving])
        bins = _bins(velocities[moving])
        for cell in set(zip(rows.tolist(), columns.tolist(), strict=True)):
            at = (rows == cell[0]) & (columns == cell[1])
            self._crossed[cell] += 1
            share = np.bincount(bins[at], minlength=DIRECTIONS) / at.sum()
            self._towards[cell] += share
        self.vehicles += 1

    @property
    def known(self) -> bool:
        """Whether enough traffic was seen to say where the road is."""
        return self.vehicles >= KNOWN_AFTER

    def road(self) -> Bools:
        """(ROWS, COLUMNS) bool: cells that are road, as far as is known."""
        least = max(LEAST_CROSSINGS, LEAST_SHARE * min(self.vehicles, 1 / (1 - FORGETS)))
        road: Bools = self._crossed >= least
        return road

    def on_road(self, foot: Floats) -> bool | None:
        """Whether vehicles usually pass at this pixel or beside it; None while nobody knows."""
        if not self.known:
            return None
        (row,), (column,) = self._cells(np.asarray(foot, float)[None])
        beside = self.road()[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        return bool(beside.any())

    def heading(self, foot: Floats) -> Floats | None:
        """(2,) unit vector of where most who pass here or beside it go; None: nobody knows."""
        (row,), (column,) = self._cells(np.asarray(foot, float)[None])
        beside = np.s_[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        towards = self._towards[beside].sum(axis=(0, 1))
        if towards.sum() < LEAST_CROSSINGS:
            return None
        best = int(towards.argmax())
        near = np.arange(best - 1, best + 2)
        angles = near * 2 * np.pi / DIRECTIONS
        way = towards[near % DIRECTIONS] @ np.stack([np.cos(angles), np.sin(angles)], axis=1)
        heading: Floats = way / np.hypot(*way)
        return heading

    def _cells(self, feet: Floats) -> tuple[Ints, Ints]:
        columns = np.clip((feet[:, 0] / self.width * COLUMNS).astype(int), 0, COLUMNS - 1)
        rows = np.clip((feet[:, 1] / self.height * ROWS).astype(int), 0, ROWS - 1)
        return rows, columns


def _bins(velocities: Floats) -> Ints:
    angles = np.arctan2(velocities[:, 1], velocities[:, 0])
    bins: Ints = np.round(angles / (2 * np.pi / DIRECTIONS)).astype(int) % DIRECTIONS
    return bins
