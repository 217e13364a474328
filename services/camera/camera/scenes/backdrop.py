"""The still part of the view, drawn once: ground, markings, sky, houses, trees, posts."""

from __future__ import annotations

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
from camera.scenes.view import Array, View

HAZE = np.array([214.0, 205.0, 196.0])
ASPHALT = np.array([98.0, 97.0, 96.0])
SIDE_ASPHALT = np.array([104.0, 103.0, 101.0])
PAVING = np.array([150.0, 156.0, 160.0])
KERB = np.array([176.0, 180.0, 182.0])
GRASS = np.array([70.0, 112.0, 96.0])
PAINT = np.array([214.0, 216.0, 216.0])
YELLOW = np.array([80.0, 176.0, 214.0])
_TEXTURE_CELLS = 512
Mask = NDArray[np.bool_]


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
    image = _ground_and_sky(fine, random)
    frame = np.clip(image, 0, 255).astype(np.uint8)
    furniture.draw(frame, fine, random)
    small = drawing.shrink(frame.astype(np.float32), view.width, view.height)
    return np.clip(small * _vignette(view)[..., None], 0, 255).astype(np.uint8)


def _ground_and_sky(view: View, random: np.random.Generator) -> Array:
    columns, rows = np.meshgrid(np.arange(view.width) + 0.5, np.arange(view.height) + 0.5)
    x, y, distance = view.ground(columns, rows)
    image = _ground(x, y, distance, random)
    haze = (1 - np.exp(-distance / 420.0))[..., None]
    image = image * (1 - haze) + HAZE * haze
    sky = ~np.isfinite(distance)
    image[sky] = _sky(columns, rows, view, random)[sky]
    return np.asarray(image, dtype=np.float64)


def _sky(columns: Array, rows: Array, view: View, random: np.random.Generator) -> Array:
    clouds = _texture(columns / view.width * 6, rows / view.height * 26, random)
    height = np.clip(1 - rows / (0.25 * view.height), 0, 1)[..., None]
    blue = HAZE * (1 - height) + np.array([214.0, 186.0, 158.0]) * height
    return np.asarray(blue + 10 * clouds[..., None], dtype=np.float64)


def _ground(x: Array, y: Array, distance: Array, random: np.random.Generator) -> Array:
    fine, patchy = _texture(x * 9, y * 9, random), _texture(x * 0.45, y * 0.45, random)
    fine = fine * np.clip(22 / distance, 0.12, 1.0)
    image = np.empty((*x.shape, 3))
    image[:] = GRASS * (1 + 0.16 * patchy + 0.16 * fine)[..., None]
    main, side = np.abs(x), np.abs(y - CROSSING_Y_M)
    edge = ROAD_HALF_M + SHOULDER_M
    image = _paved(image, main, side, edge, fine, x, y)
    on_main, on_side = main < edge, side < CROSSING_HALF_M
    worn = _wheel_tracks(x, y, on_side & ~on_main)
    texture = (1 + 0.07 * fine + 0.05 * patchy - 0.05 * worn)[..., None]
    image = np.where(on_side[..., None], SIDE_ASPHALT * texture, image)
    image = np.where(on_main[..., None], ASPHALT * texture, image)
    return _markings(image, x, y, patchy)


def _paved(
    image: Array, main: Array, side: Array, edge: float, fine: Array, x: Array, y: Array
) -> Array:
    """Pavements with their joints, and kerbs, along both roads."""
    joints = ((x % 1.5 < 0.05) | (y % 1.5 < 0.05)) * 0.12
    paving = PAVING * (1 + 0.06 * fine - joints)[..., None]
    beside_main = main < edge + PAVEMENT_M
    beside_side = side < CROSSING_HALF_M + PAVEMENT_M
    image = np.where((beside_main | beside_side)[..., None], paving, image)
    at_kerb = (main < edge + 0.25) | (side < CROSSING_HALF_M + 0.25)
    return np.where(at_kerb[..., None], KERB * (1 + 0.05 * fine)[..., None], image)


def _wheel_tracks(x: Array, y: Array, on_side: Mask) -> Array:
    """1 where tyres have polished the lane (two bands in each), 0 between."""
    across = np.where(on_side, y - CROSSING_Y_M, x)
    in_lane = np.abs((across % LANE_M) - LANE_M / 2)
    return np.exp(-(((in_lane - 0.75) / 0.35) ** 2))


def _markings(image: Array, x: Array, y: Array, patchy: Array) -> Array:
    wear = np.clip(0.80 + 0.12 * patchy, 0, 1)
    for mask, colour in (
        (_lane_lines(x, y) | _stop_lines(x, y) | _zebras(x, y), PAINT),
        (_centre_lines(x, y), YELLOW),
    ):
        weight = (mask * wear)[..., None]
        image = image * (1 - weight) + colour * weight
    return image


def _clear_of_crossing(y: Array) -> Mask:
    reach = CROSSING_HALF_M + 0.8 + ZEBRA_M + STOP_LINE_GAP_M
    return np.asarray(np.abs(y - CROSSING_Y_M) > reach)


def _lane_lines(x: Array, y: Array) -> Mask:
    dashed = (np.abs(np.abs(x) - LANE_M) < 0.08) & (y % 8.0 < 3.2)
    edge = np.abs(np.abs(x) - ROAD_HALF_M) < 0.08
    side = (np.abs(y - CROSSING_Y_M) < 0.08) & (np.abs(x) > ROAD_HALF_M + SHOULDER_M + 1.6)
    return np.asarray(((dashed | edge) & _clear_of_crossing(y)) | side)


def _centre_lines(x: Array, y: Array) -> Mask:
    return np.asarray((np.abs(np.abs(x) - 0.16) < 0.07) & _clear_of_crossing(y))


def _stop_lines(x: Array, y: Array) -> Mask:
    gap = np.abs(y - CROSSING_Y_M) - (CROSSING_HALF_M + 0.8 + ZEBRA_M + STOP_LINE_GAP_M)
    approaching = (x > 0) == (y < CROSSING_Y_M)
    main = (gap > -0.45) & (gap < 0.0) & approaching & (np.abs(x) < ROAD_HALF_M)
    reach = np.abs(x) - (ROAD_HALF_M + SHOULDER_M + 1.0)
    entering = (x < 0) == (y < CROSSING_Y_M)
    side = (reach > 0) & (reach < 0.45) & entering & (np.abs(y - CROSSING_Y_M) < LANE_M)
    return np.asarray(main | side)


def _zebras(x: Array, y: Array) -> Mask:
    depth = np.abs(y - CROSSING_Y_M) - (CROSSING_HALF_M + 0.8)
    on_road = np.abs(x) < ROAD_HALF_M + SHOULDER_M - 0.3
    return np.asarray((depth > 0) & (depth < ZEBRA_M) & on_road & (x % 1.0 < 0.5))


def _texture(u: Array, v: Array, random: np.random.Generator) -> Array:
    """Smooth random values of about unit spread at (u, v); repeats after 512 cells."""
    cells = random.standard_normal((_TEXTURE_CELLS, _TEXTURE_CELLS))
    low_u, low_v = np.floor(u), np.floor(v)
    part_u, part_v = u - low_u, v - low_v
    i, j = low_u.astype(np.int64), low_v.astype(np.int64)

    def cell(di: int, dj: int) -> Array:
        return np.asarray(cells[(j + dj) % _TEXTURE_CELLS, (i + di) % _TEXTURE_CELLS])

    upper = cell(0, 0) * (1 - part_u) + cell(1, 0) * part_u
    lower = cell(0, 1) * (1 - part_u) + cell(1, 1) * part_u
    return np.asarray(upper * (1 - part_v) + lower * part_v)


def _vignette(view: View) -> NDArray[np.float32]:
    columns, rows = np.meshgrid(np.linspace(-1, 1, view.width), np.linspace(-1, 1, view.height))
    return (1 - 0.10 * (columns**2 + rows**2) / 2).astype(np.float32)
