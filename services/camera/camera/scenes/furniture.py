"""What stands beside the road: houses, trees, lamp posts, signal masts."""

from __future__ import annotations

import numpy as np

from camera import drawing
from camera.drawing import Colour, Frame
from camera.scenes import signals
from camera.scenes.layout import CROSSING_Y_M, ROAD_HALF_M, SHOULDER_M
from camera.scenes.view import Array, View

_KERB_M = ROAD_HALF_M + SHOULDER_M
SUN = np.array([-0.55, -0.50, 0.80]) / np.linalg.norm([-0.55, -0.50, 0.80])
"""Direction towards the sun, world axes."""

# y counts from the crossing here: x0, x1, y0, y1, height, colour
_HOUSES: tuple[tuple[float, float, float, float, float, Colour], ...] = (
    (-46, -30, 70, 100, 17, (150, 160, 172)),
    (20, 36, 66, 94, 15, (170, 166, 158)),
    (-42, -24, 36, 62, 12, (140, 152, 176)),
    (18, 38, 32, 56, 13, (156, 164, 166)),
    (-44, -22, 10, 30, 10, (158, 170, 180)),
    (19, 40, 10, 24, 9, (132, 146, 168)),
)
_TREES: tuple[tuple[float, float, float], ...] = (
    (-15.5, 110, 8), (15.5, 108, 8), (-15.5, 82, 7), (15.5, 78, 8), (-15.5, 62, 7),
    (15.5, 58, 7), (-15.5, 44, 7), (15.5, 41, 6), (-15.6, 28, 7), (15.6, 26, 6),
    (-16.0, 14, 6),
)  # fmt: skip
_LAMPS_Y_M = (-12.5, 16.0, 48.0, 80.0)


def draw(frame: Frame, view: View, random: np.random.Generator) -> None:
    """Paint everything, the farthest first."""
    _skyline(frame, view, random)
    at = CROSSING_Y_M
    things: list[tuple[float, str, tuple[float, ...]]] = [
        *(
            (at + y0, "house", (x0, x1, at + y0, at + y1, h, *c))
            for x0, x1, y0, y1, h, c in _HOUSES
        ),
        *((at + y, "tree", (x, at + y, height)) for x, y, height in _TREES),
        *((at + y, "lamp", (-_KERB_M - 0.7, at + y)) for y in _LAMPS_Y_M),
    ]
    painters = {"house": _house, "tree": _tree, "lamp": _lamp}
    for _, kind, numbers in sorted(things, key=lambda thing: -thing[0]):
        painters[kind](frame, view, random, numbers)
    signals.draw_mast(frame, view)


def _skyline(frame: Frame, view: View, random: np.random.Generator) -> None:
    """Hazy blocks and woods at the horizon."""
    for x in np.arange(-420, 420, 16):
        height_m, shade = random.uniform(5, 26), random.uniform(-6, 6)
        colour = (198 + shade, 192 + shade, 184 + shade)
        foot = [[x, 330, 0], [x + 17, 330, 0], [x + 17, 330, height_m], [x, 330, height_m]]
        drawing.fill(frame, view.project(np.array(foot, float))[0], colour)
    for x in np.arange(-260, 260, 7):
        centre = np.array([[x, 240.0, random.uniform(0.5, 3.0)]])
        tone = random.uniform(-8, 8)
        radius_px = view.focal_px * random.uniform(3.0, 5.5) / 250
        drawing.disc(
            frame, view.project(centre)[0][0], radius_px, (150 + tone, 166 + tone, 156 + tone)
        )


def _hazed(colour: Colour, distance_m: float) -> Colour:
    share = 1 - np.exp(-distance_m / 420.0)
    blue, green, red = (
        value * (1 - share) + haze * share
        for value, haze in zip(colour, (214, 205, 196), strict=True)
    )
    return (blue, green, red)


def _house(
    frame: Frame, view: View, random: np.random.Generator, numbers: tuple[float, ...]
) -> None:
    x0, x1, y0, y1, height, *colour = numbers
    front = np.array([[x0, y0, 0], [x1, y0, 0], [x1, y0, height], [x0, y0, height]])
    side_x = x1 if x1 < 0 else x0
    side = np.array([[side_x, y0, 0], [side_x, y1, 0], [side_x, y1, height], [side_x, y0, height]])
    for wall, light in ((side, 0.78 if x1 < 0 else 1.02), (front, 0.94)):
        blue, green, red = (value * light for value in colour)
        drawing.fill(frame, view.project(wall)[0], _hazed((blue, green, red), y0))
        _windows(frame, view, random, wall)


def _windows(frame: Frame, view: View, random: np.random.Generator, wall: Array) -> None:
    """A grid of windows on a wall given by its four corners (foot, foot, top, top)."""
    along, up = wall[1] - wall[0], wall[3] - wall[0]
    columns, floors = int(np.linalg.norm(along) / 2.6), int(np.linalg.norm(up) / 3.0)
    for floor in range(floors):
        for column in range(columns):
            u, v = (column + 0.3) / columns, (floor + 0.32) / floors
            du, dv = 0.42 / columns, 0.45 / floors
            corners = [
                wall[0] + along * a + up * b
                for a, b in ((u, v), (u + du, v), (u + du, v + dv), (u, v + dv))
            ]
            tone = random.uniform(70, 125)
            colour = _hazed((tone * 1.08, tone, tone * 0.92), float(wall[0][1]))
            drawing.fill(frame, view.project(np.array(corners))[0], colour)


def _tree(
    frame: Frame, view: View, random: np.random.Generator, numbers: tuple[float, ...]
) -> None:
    x, y, height = numbers
    foot = np.array([x, y, 0.0])
    centre = np.array([x, y, 0.62 * height])
    shadow = centre - SUN / SUN[2] * centre[2]
    ring = [
        [np.cos(a) * 0.34 * height, np.sin(a) * 0.34 * height, 0] for a in np.linspace(0, 6.1, 14)
    ]
    drawing.shade_hulls(frame, ((view.project(shadow + np.array(ring))[0], 0.36),))
    ends, depth = view.project(np.array([foot, centre]))
    scale = view.focal_px / depth[0]
    drawing.line(frame, ends[0], ends[1], _hazed((52, 62, 72), y), max(1, int(0.3 * scale)))
    for _ in range(90):
        offset = np.clip(random.normal(0, 0.15, 3), -0.27, 0.27) * height
        lit = 0.5 + 0.5 * float(np.dot(offset, SUN)) / (0.2 * height)
        tone = np.clip(0.62 + 0.5 * lit, 0.45, 1.25) * random.uniform(0.9, 1.1)
        point = view.project((centre + offset)[None])[0][0]
        radius_px = scale * height * random.uniform(0.05, 0.10)
        drawing.disc(frame, point, radius_px, _hazed((50 * tone, 92 * tone, 76 * tone), y))


def _lamp(
    frame: Frame, view: View, random: np.random.Generator, numbers: tuple[float, ...]
) -> None:
    x, y = numbers
    tone = random.uniform(95, 110)
    points, depth = view.project(np.array([[x, y, 0], [x, y, 8.0], [x + 2.6, y, 8.5]], float))
    thickness_px = max(1, int(0.14 * view.focal_px / depth[0]))
    colour = _hazed((tone, tone, tone), y)
    drawing.line(frame, points[0], points[1], colour, thickness_px)
    drawing.line(frame, points[1], points[2], colour, thickness_px)
