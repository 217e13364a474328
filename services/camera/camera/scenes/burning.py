"""Flames and smoke: particles whose whole life is a function of scene time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from camera import drawing
from camera.drawing import Frame
from camera.scenes.view import Array, View

_FLAME_LIFE_S, _FLAMES_PER_S = 0.75, 60
_SMOKE_LIFE_S, _PUFFS_PER_S = 7.0, 9
_SMOKE_SHRINK, _FLAME_SHRINK = 8, 2
_SMOKE_GREY = 88.0
_WIND_MPS = np.array([1.1, 0.5, 0.0])


@dataclass(frozen=True)
class Fire:
    """Something burns at `at_m` since `since_s` of scene time, `strength` from 0 to 1."""

    at_m: tuple[float, float]
    since_s: float
    strength: float

    @property
    def seat(self) -> Array:
        """Where it burns, world metres."""
        return np.array([*self.at_m, 1.0])


def paint(frame: Frame, view: View, fire: Fire, t_s: float) -> None:
    """Paint smoke, and flames before it."""
    _smoke(frame, view, fire, t_s)
    _flames(frame, view, fire, t_s)


def _births(t_s: float, since_s: float, life_s: float, rate: float) -> tuple[Array, Array]:
    """Numbers and ages of the particles that are alive."""
    first = np.ceil(max(t_s - life_s, t_s - since_s) * rate)
    numbers = np.arange(first, np.floor(t_s * rate) + 1)
    return numbers, t_s - numbers / rate


def _random(numbers: Array, salt: float) -> Array:
    """A value in [0, 1) for each particle, always the same one."""
    value = np.sin(numbers * 12.9898 + salt * 78.233) * 43758.5453
    return np.asarray(value - np.floor(value))


def _flames(frame: Frame, view: View, fire: Fire, t_s: float) -> None:
    strength, seat = fire.strength, fire.seat
    numbers, age_s = _births(t_s, t_s - fire.since_s, _FLAME_LIFE_S, _FLAMES_PER_S)
    if not len(numbers):
        return
    age = np.clip(age_s / _FLAME_LIFE_S, 0.0, 1.0)
    spread = 0.35 + 0.75 * strength
    flicker = 0.8 + 0.2 * np.sin(t_s * 23.0) * np.sin(t_s * 9.1)
    rise = (0.5 + 2.2 * strength) * age * (0.6 + 0.8 * _random(numbers, 3)) * flicker
    place = seat + np.stack(
        [
            (_random(numbers, 1) - 0.5) * 1.7 * spread * (1 - 0.6 * age) + 0.35 * rise,
            (_random(numbers, 2) - 0.5) * 2.4 * spread * (1 - 0.6 * age),
            rise,
        ],
        axis=1,
    )
    pixels, depth = view.project(place)
    radius = view.focal_px / depth * (0.16 + 0.34 * strength) * (1.1 - 0.75 * age)
    light, corner = _layer(view, pixels, radius, channels=3, shrink=_FLAME_SHRINK)
    heat = np.stack([4 + 26 * (1 - age) ** 3, 26 + 62 * (1 - age) ** 1.5, 118 - 58 * age], axis=1)
    centres = (pixels - corner) / _FLAME_SHRINK
    for point, size, colour in zip(centres, radius / _FLAME_SHRINK, heat, strict=True):
        _stamp(light, point, float(size), colour)
    x0, y0 = int(corner[0]), int(corner[1])
    drawing.glow(frame, _enlarged(frame, light, _FLAME_SHRINK, (x0, y0)), top_left=(x0, y0))


def _smoke(frame: Frame, view: View, fire: Fire, t_s: float) -> None:
    strength, seat = fire.strength, fire.seat
    numbers, age_s = _births(t_s, t_s - fire.since_s, _SMOKE_LIFE_S, _PUFFS_PER_S)
    if not len(numbers):
        return
    age = np.clip(age_s / _SMOKE_LIFE_S, 0.0, 1.0)  # rounding may put the oldest past its end
    drift = _WIND_MPS * age_s[:, None] * (0.5 + 0.5 * age[:, None])
    wobble = np.stack([np.sin(numbers * 2.4 + age_s), np.cos(numbers * 1.7 + age_s * 0.8)], axis=1)
    place = seat + drift
    place[:, :2] += wobble * (0.25 + 0.9 * age[:, None])
    place[:, 2] += 0.5 + (1.5 + 0.9 * strength) * age_s * (1 - 0.25 * age)
    pixels, depth = view.project(place)
    radius = view.focal_px / depth * (0.4 + 0.35 * strength + 2.3 * age)
    density, corner = _layer(view, pixels, radius, channels=1, shrink=_SMOKE_SHRINK)
    thickness = (0.10 + 0.42 * strength) * np.minimum(1, age * 9) * (1 - age) ** 1.3
    centres = (pixels - corner) / _SMOKE_SHRINK
    for point, size, amount in zip(centres, radius / _SMOKE_SHRINK, thickness, strict=True):
        _stamp(density, point, float(size), np.array([amount]))
    opacity = (1 - np.exp(-1.6 * density[..., 0])).astype(np.float32)
    x0, y0 = int(corner[0]), int(corner[1])
    full = _enlarged(frame, opacity, _SMOKE_SHRINK, (x0, y0))
    drawing.veil(frame, full, _SMOKE_GREY, top_left=(x0, y0))


def _enlarged(
    frame: Frame, layer: NDArray[np.float32], factor: int, top_left: tuple[int, int]
) -> NDArray[np.float32]:
    """The layer at the frame's resolution, cut where the frame ends."""
    width, height = layer.shape[1] * factor, layer.shape[0] * factor
    full = drawing.enlarge(layer, width, height)
    return full[: frame.shape[0] - top_left[1], : frame.shape[1] - top_left[0]]


def _layer(
    view: View, pixels: Array, radius: Array, *, channels: int, shrink: int
) -> tuple[NDArray[np.float32], Array]:
    """An empty layer that holds all particles, and where its corner lies in the frame."""
    low = (pixels - radius[:, None]).min(axis=0)
    high = (pixels + radius[:, None]).max(axis=0)
    size = np.array([view.width, view.height])
    corner = np.clip(np.floor(low / shrink) * shrink, 0, size - shrink)
    end = np.clip(np.ceil(high / shrink) * shrink, corner + shrink, size)
    width, height = (np.maximum(1, (end - corner) // shrink)).astype(int)
    return np.zeros((height, width, channels), np.float32), corner


def _stamp(layer: NDArray[np.float32], centre: Array, radius: float, amount: Array) -> None:
    """Add a soft round spot."""
    height, width = layer.shape[:2]
    x0, x1 = int(max(0, centre[0] - radius)), int(min(width, centre[0] + radius + 1))
    y0, y1 = int(max(0, centre[1] - radius)), int(min(height, centre[1] + radius + 1))
    if x0 >= x1 or y0 >= y1:
        return
    across = ((np.arange(x0, x1) - centre[0]) / radius) ** 2
    down = ((np.arange(y0, y1) - centre[1]) / radius) ** 2
    spot = np.maximum(0, 1 - across[None, :] - down[:, None]) ** 1.5
    layer[y0:y1, x0:x1] += (spot[..., None] * amount).astype(np.float32)
