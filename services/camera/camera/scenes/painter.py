"""Paints vehicles: shadow, shaded faces, lamps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from math import cos, degrees, radians, sin

import numpy as np
from numpy.typing import NDArray

from camera import drawing
from camera.drawing import Colour, Frame
from camera.scenes import shapes
from camera.scenes.furniture import SUN
from camera.scenes.shapes import Solid, solid
from camera.scenes.view import Array, View

_NEAREST_M = 1.5
_SMALL_M = 75.0
"""Beyond this, tyres and sills are smaller than a pixel."""
_HAZE_STEP_M = 6.0
_SUN_SLOPE = SUN / SUN[2]
_HAZE = np.array([214.0, 205.0, 196.0])
_MATERIALS = np.zeros((8, 3))
for _material, _base in (
    (shapes.GLASS, (62, 54, 46)),
    (shapes.DARK, (44, 42, 40)),
    (shapes.TYRE, (26, 25, 24)),
    (shapes.BOX, (206, 208, 206)),
    (shapes.HEADLIGHT, (236, 240, 240)),
    (shapes.TAILLIGHT, (36, 30, 120)),
    (shapes.INDICATOR, (58, 110, 160)),
):
    _MATERIALS[_material] = _base
_BRAKING = np.array([70.0, 50.0, 255.0])
_BLINKING = np.array([60.0, 190.0, 255.0])


@dataclass(frozen=True)
class Vehicle:
    """A vehicle at one moment: where it is and what its lamps show.

    The heading is counter-clockwise from the x axis; x and y name the middle of the vehicle.
    """

    key: str
    kind: str
    colour: Colour
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float = 0.0
    braking: bool = False
    hazard_lights: bool = False

    @property
    def solid(self) -> Solid:
        """Its shape."""
        return solid(self.kind)

    def to_world(self, points_m: Array) -> Array:
        """Points in vehicle axes (N, 3) → world axes."""
        return np.asarray(points_m @ _turn(self.heading_rad) + [self.x_m, self.y_m, 0.0])

    @property
    def footprint(self) -> Array:
        """Its corners on the ground, shape (4, 2), world metres."""
        flat = np.hstack([self.solid.footprint, np.zeros((4, 1))])
        return self.to_world(flat)[:, :2]


def paint(frame: Frame, view: View, vehicles: list[Vehicle], t_s: float) -> None:
    """Paint all vehicles that the camera sees, the farthest first."""
    seen = [item for item in _projected(view, vehicles) if _visible(view, item[1], item[2])]
    seen.sort(key=lambda item: -float(item[2].mean()))
    for vehicle, _, depth in seen:
        if depth.mean() < _SMALL_M * 1.5:
            _shadow(frame, view, vehicle)
    for vehicle, pixels, depth in seen:
        _body(frame, view, vehicle, (pixels, float(depth.mean())), t_s)


def _projected(view: View, vehicles: list[Vehicle]) -> list[tuple[Vehicle, Array, Array]]:
    """Every vehicle with the pixels and depths of its corners."""
    if not vehicles:
        return []
    corners = [vehicle.to_world(vehicle.solid.corners) for vehicle in vehicles]
    pixels, depth = view.project(np.concatenate(corners))
    ends = np.cumsum([len(one) for one in corners])[:-1]
    return list(zip(vehicles, np.split(pixels, ends), np.split(depth, ends), strict=True))


def box(view: View, vehicle: Vehicle) -> tuple[float, float, float, float] | None:
    """x1, y1, x2, y2 in pixels of a vehicle, or None when it is out of view."""
    _, pixels, depth = _projected(view, [vehicle])[0]
    if not _visible(view, pixels, depth):
        return None
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _visible(view: View, pixels: Array, depth: Array) -> bool:
    if depth.min() < _NEAREST_M:
        return False
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    return bool(high[0] > 0 and high[1] > 0 and low[0] < view.width and low[1] < view.height)


def _shadow(frame: Frame, view: View, vehicle: Vehicle) -> None:
    """What the sun casts, and the darker ground right under the vehicle."""
    corners = vehicle.to_world(_shadow_casters(vehicle.kind))
    cast = corners - _SUN_SLOPE * corners[:, 2:]
    pixels, depth = view.project(cast)
    if depth.min() > 1.0:
        drawing.shade_hulls(frame, ((pixels[:8], 0.48), (pixels[8:], 0.66)))


@cache
def _shadow_casters(kind: str) -> Array:
    """Corners of sill and roof, then of the ground under the vehicle; shape (12, 3)."""
    shape = solid(kind)
    foot, under = np.full((4, 1), 0.12), np.zeros((4, 1))
    roof = np.full((4, 1), shape.height_m * 0.92)
    return np.vstack(
        [
            np.hstack([shape.footprint, foot]),
            np.hstack([shape.footprint * [0.72, 0.86], roof]),
            np.hstack([shape.footprint, under]),
        ]
    )


def _body(
    frame: Frame, view: View, vehicle: Vehicle, where: tuple[Array, float], t_s: float
) -> None:
    shape, (pixels, depth_m) = vehicle.solid, where
    blinking = vehicle.hazard_lights and t_s % 0.8 < 0.4
    heading_deg, haze_steps = round(degrees(vehicle.heading_rad)), round(depth_m / _HAZE_STEP_M)
    colours = _colours(
        vehicle.kind, vehicle.colour, heading_deg, haze_steps, (vehicle.braking, blinking)
    )
    visible = _facing(view, vehicle)
    if depth_m > _SMALL_M:
        visible &= ~np.isin(shape.materials, (shapes.DARK, shapes.TYRE, shapes.HEADLIGHT))
    outline = drawing.Outline(pixels)
    blue, green, red = (0.5 * value for value in vehicle.colour)
    outline.fill_hull(frame, 0, shape.hull, (blue, green, red))
    for index in _drawing_order(view, vehicle, np.flatnonzero(visible)):
        face = shape.faces[index]
        outline.fill(frame, face.start, face.end, colours[index])


def _turn(heading_rad: float) -> Array:
    """Shape (3, 3): vehicle axes → world axes, for row vectors."""
    c, s = cos(heading_rad), sin(heading_rad)
    return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])


def _facing(view: View, vehicle: Vehicle) -> NDArray[np.bool_]:
    """Which faces the camera sees from outside, shape (F,)."""
    eye = (np.asarray(view.position_m) - [vehicle.x_m, vehicle.y_m, 0.0]) @ _turn(
        vehicle.heading_rad
    ).T
    shape = vehicle.solid
    return np.asarray(((eye - shape.anchors) * shape.normals).sum(axis=1) > 0)


def _drawing_order(view: View, vehicle: Vehicle, faces: NDArray[np.intp]) -> list[int]:
    """The body first, then of cabin and cargo the farther one."""
    order: list[int] = faces.tolist()
    if vehicle.solid.has_cargo:
        ahead = view.rotation[2, :2] @ (cos(vehicle.heading_rad), sin(vehicle.heading_rad))
        last = shapes.CABIN if ahead < 0 else shapes.CARGO
        rank = {shapes.BODY: 0, shapes.CABIN: 1, shapes.CARGO: 1, last: 2}
        order.sort(key=lambda index: rank[vehicle.solid.faces[index].part])
    return order


@lru_cache(maxsize=8192)
def _colours(
    kind: str, paint: Colour, heading_deg: int, haze_steps: int, lamps: tuple[bool, bool]
) -> list[Colour]:
    """Each face's colour: its material in sunlight, seen through haze."""
    shape, (braking, blinking) = solid(kind), lamps
    base = _MATERIALS.copy()
    base[shapes.PAINTED] = paint
    if braking:
        base[shapes.TAILLIGHT] = _BRAKING
    if blinking:
        base[shapes.INDICATOR] = _BLINKING
    normals = shape.normals @ _turn(radians(heading_deg))
    light = 0.52 + 0.30 * np.maximum(normals @ SUN, 0) + 0.26 * np.maximum(normals[:, 2], 0)
    light[shape.materials >= shapes.HEADLIGHT] = 1.0
    light[shape.materials == shapes.BOX] *= 0.95
    haze = 1 - np.exp(-haze_steps * _HAZE_STEP_M / 420.0)
    lit = base[shape.materials] * light[:, None] * (1 - haze) + _HAZE * haze
    colours: list[Colour] = np.clip(lit, 0, 255).tolist()
    return colours
