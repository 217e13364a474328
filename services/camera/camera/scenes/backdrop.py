"""The still part of the view, drawn once: ground, markings, sky, what stands beside the road."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from camera import drawing
from camera.drawing import Frame
from camera.scenes import furniture
from camera.scenes.layout import (
    CROSSING_HALF_M,
    CROSSING_Y_M,
    LANE_M,
    PAVEMENT_M,
    ROAD_HALF_M,
    SHOULDER_M,
    STOP_LINE_GAP_M,
    ZEBRA_M,
)
from camera.scenes.view import View

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]

GRASS, PAVING, KERB, SIDE, MAIN = range(5)
_SURFACES = np.array(
    [[70, 112, 96], [150, 156, 160], [176, 180, 182], [104, 103, 101], [98, 97, 96]], np.float32
)
_FINE_GRAIN = np.array([0.16, 0.06, 0.05, 0.07, 0.07], np.float32)
_PATCHES = np.array([0.16, 0.02, 0.02, 0.05, 0.05], np.float32)
_HAZE = np.array([214, 205, 196], np.float32)
_ZENITH = np.array([214, 186, 158], np.float32)
_PAINT = np.array([214, 216, 216], np.float32)
_YELLOW = np.array([80, 176, 214], np.float32)
_TEXTURE_CELLS = 512
_EDGE_M = ROAD_HALF_M + SHOULDER_M
_CLEAR_M = CROSSING_HALF_M + 0.8 + ZEBRA_M + STOP_LINE_GAP_M


@dataclass(frozen=True)
class _Ground:
    """World coordinates and distance of every pixel that shows ground."""

    x: Field
    y: Field
    distance: Field

    @property
    def from_crossing(self) -> Field:
        """Distance from the side road's centre line."""
        return np.asarray(np.abs(self.y - CROSSING_Y_M), np.float32)


def draw(view: View, *, seed: int = 7) -> Frame:
    """The empty scene, shape (height, width, 3); drawn at twice the size for smooth edges."""
    fine = View(
        view.width * 2,
        view.height * 2,
        view.position_m,
        view.yaw_deg,
        view.pitch_deg,
        view.focal_widths,
    )
    random = np.random.default_rng(seed)
    frame = np.clip(_ground_and_sky(fine, random), 0, 255).astype(np.uint8)
    furniture.draw(frame, fine, random)
    small = drawing.shrink(frame.astype(np.float32), view.width, view.height)
    shaded = np.clip(small * _vignette(view)[..., None], 0, 255)
    return np.asarray(shaded, dtype=np.uint8)


def _ground_and_sky(view: View, random: np.random.Generator) -> Field:
    rows = np.arange(view.height, dtype=np.float64) + 0.5
    columns = np.arange(view.width, dtype=np.float64) + 0.5
    horizon = int(np.searchsorted(-_distance_at(view, rows), -1e4))
    grid = np.meshgrid(columns, rows[horizon:])
    x, y, distance = (part.astype(np.float32) for part in view.ground(grid[0], grid[1]))
    image = np.empty((view.height, view.width, 3), np.float32)
    image[:horizon] = _sky(view, horizon, random)
    image[horizon:] = _ground(_Ground(x, y, distance), random)
    return image


def _distance_at(view: View, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of the ground along the rows; the horizon is level, as the camera does not roll."""
    return np.minimum(view.ground(np.full_like(rows, view.width / 2), rows)[2], 1e6)


def _sky(view: View, rows: int, random: np.random.Generator) -> Field:
    columns, row = np.meshgrid(
        np.arange(view.width, dtype=np.float32), np.arange(rows, dtype=np.float32)
    )
    clouds = _texture(columns * (6 / view.width), row * (26 / view.height), random)
    height = np.clip(1 - row / (0.25 * view.height), 0, 1)[..., None]
    return np.asarray(_HAZE * (1 - height) + _ZENITH * height + 10 * clouds[..., None], np.float32)


def _ground(ground: _Ground, random: np.random.Generator) -> Field:
    x, y, distance = ground.x, ground.y, ground.distance
    fine = _texture(x * 9, y * 9, random) * np.clip(22 / distance, 0.12, 1.0)
    patchy = _texture(x * 0.45, y * 0.45, random)
    surface = _surface(ground)
    shade = 1 + _FINE_GRAIN[surface] * fine + _PATCHES[surface] * patchy
    shade -= 0.05 * _wheel_tracks(ground) * (surface >= SIDE)
    shade -= 0.12 * ((x % 1.5 < 0.05) | (y % 1.5 < 0.05)) * (surface == PAVING)
    image = _SURFACES[surface] * shade[..., None].astype(np.float32)
    wear = np.clip(0.80 + 0.12 * patchy, 0, 1)
    _mix(image, (_lane_lines(ground) | _stop_lines(ground) | _zebras(ground)) * wear, _PAINT)
    _mix(image, _centre_lines(ground) * wear, _YELLOW)
    _mix(image, 1 - np.exp(-distance / 420.0), _HAZE)
    return image


def _mix(image: Field, weight: Field, colour: Field) -> None:
    """Paint `colour` over `image` where `weight` (0 to 1) says so, in place."""
    where = weight > 0
    part = weight[where][:, None].astype(np.float32)
    image[where] = image[where] * (1 - part) + colour * part


def _surface(ground: _Ground) -> NDArray[np.uint8]:
    """What lies where."""
    main, side = np.abs(ground.x), ground.from_crossing
    surface = np.full(main.shape, GRASS, np.uint8)
    surface[(main < _EDGE_M + PAVEMENT_M) | (side < CROSSING_HALF_M + PAVEMENT_M)] = PAVING
    surface[(main < _EDGE_M + 0.25) | (side < CROSSING_HALF_M + 0.25)] = KERB
    surface[side < CROSSING_HALF_M] = SIDE
    surface[main < _EDGE_M] = MAIN
    return surface


def _wheel_tracks(ground: _Ground) -> Field:
    """1 where tyres have polished the lane (two bands in each), 0 between."""
    on_main = np.abs(ground.x) < _EDGE_M
    across = np.where(on_main, ground.x, ground.y - np.float32(CROSSING_Y_M))
    in_lane = np.abs((across % LANE_M) - LANE_M / 2)
    return np.asarray(np.exp(-(((in_lane - 0.75) / 0.35) ** 2)), np.float32)


def _lane_lines(ground: _Ground) -> Mask:
    x, y = np.abs(ground.x), ground.y
    dashed = (np.abs(x - LANE_M) < 0.08) & (y % 8.0 < 3.2)
    edge = np.abs(x - ROAD_HALF_M) < 0.08
    side = (ground.from_crossing < 0.08) & (x > _EDGE_M + 1.6)
    return np.asarray(((dashed | edge) & (ground.from_crossing > _CLEAR_M)) | side)


def _centre_lines(ground: _Ground) -> Mask:
    double = np.abs(np.abs(ground.x) - 0.16) < 0.07
    return np.asarray(double & (ground.from_crossing > _CLEAR_M))


def _stop_lines(ground: _Ground) -> Mask:
    x, side = ground.x, ground.from_crossing
    near_side = ground.y < CROSSING_Y_M
    gap = side - _CLEAR_M
    main = (gap > -0.45) & (gap < 0.0) & ((x > 0) == near_side) & (np.abs(x) < ROAD_HALF_M)
    reach = np.abs(x) - (_EDGE_M + 1.0)
    entering = (x < 0) == near_side
    return np.asarray(main | ((reach > 0) & (reach < 0.45) & entering & (side < LANE_M)))


def _zebras(ground: _Ground) -> Mask:
    depth = ground.from_crossing - (CROSSING_HALF_M + 0.8)
    on_road = np.abs(ground.x) < _EDGE_M - 0.3
    return np.asarray((depth > 0) & (depth < ZEBRA_M) & on_road & (ground.x % 1.0 < 0.5))


def _texture(u: Field, v: Field, random: np.random.Generator) -> Field:
    """Smooth random values of about unit spread at (u, v); repeats after 512 cells."""
    cells = random.standard_normal((_TEXTURE_CELLS, _TEXTURE_CELLS)).astype(np.float32).ravel()
    low_u, low_v = np.floor(u), np.floor(v)
    part_u, part_v = u - low_u, v - low_v
    last = _TEXTURE_CELLS - 1
    i, j = low_u.astype(np.int32) & last, low_v.astype(np.int32) & last
    right, top, bottom = (i + 1) & last, j * _TEXTURE_CELLS, ((j + 1) & last) * _TEXTURE_CELLS
    upper = cells[top + i] * (1 - part_u) + cells[top + right] * part_u
    lower = cells[bottom + i] * (1 - part_u) + cells[bottom + right] * part_u
    return np.asarray(upper * (1 - part_v) + lower * part_v, np.float32)


def _vignette(view: View) -> Field:
    columns, rows = np.meshgrid(np.linspace(-1, 1, view.width), np.linspace(-1, 1, view.height))
    return np.asarray(1 - 0.10 * (columns**2 + rows**2) / 2, np.float32)
