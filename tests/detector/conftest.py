"""Synthetic traffic: boxes that move as told, without pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest
from detector.tracking.tracks import Track, Tracker
from detector.view.stationary import Dwell

from hazardcast.vision.geometry.boxes import Boxes, Label, make

Path2d = Callable[[float], tuple[float, float] | None]
"""Time → bottom centre of a vehicle, None while it is not there."""


class Traffic:
    """Vehicles on given paths, followed by a real tracker."""

    def __init__(self, *, fps: float = 8.0, width: float = 60.0, height: float = 40.0) -> None:
        self.fps, self.size = fps, (width, height)
        self.vehicles: list[tuple[Path2d, Label]] = []
        self.tracker, self.dwell = Tracker(), Dwell()
        self.jitter = np.random.default_rng(1)

    def add(self, path: Path2d, label: Label = Label.CAR) -> Traffic:
        self.vehicles.append((path, label))
        return self

    def boxes(self, t: float, noise_px: float = 0.5) -> Boxes:
        rows, labels = [], []
        for path, label in self.vehicles:
            foot = path(t)
            if foot is None:
                continue
            x, y = np.array(foot) + self.jitter.normal(0, noise_px, 2)
            width, height = self.size
            rows.append([x - width / 2, y - height, x + width / 2, y])
            labels.append(int(label))
        return make(rows, [0.8] * len(rows), labels)

    def times(self, until_s: float, start_s: float = 0.0) -> Sequence[float]:
        count = int((until_s - start_s) * self.fps)
        return [start_s + number / self.fps for number in range(count + 1)]

    def run(self, until_s: float) -> list[Track]:
        tracks: list[Track] = []
        for t in self.times(until_s):
            tracks = self.tracker.update(self.boxes(t), t)
        return tracks


def drive(
    start: Iterable[float], speed: Iterable[float], *,
    stop_at_s: float | None = None, braking_s: float = 0.1, until_s: float = 1e9,
) -> Path2d:  # fmt: skip
    """From `start` px at `speed` px/s; then slowing down evenly to rest within `braking_s`."""
    origin, velocity = np.array(list(start), float), np.array(list(speed), float)

    def path(t: float) -> tuple[float, float] | None:
        if t > until_s:
            return None
        driven_s = t
        if stop_at_s is not None and t > stop_at_s:
            slowing = min(t - stop_at_s, braking_s)
            driven_s = stop_at_s + slowing - slowing**2 / (2 * braking_s)
        x, y = origin + velocity * driven_s
        return (x, y) if -100 < x < 1380 and -100 < y < 820 else None

    return path


@pytest.fixture
def traffic() -> Callable[..., Traffic]:
    return Traffic


@pytest.fixture
def driving() -> Callable[..., Path2d]:
    return drive
