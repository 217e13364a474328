"""The traffic signal that faces the camera."""

from __future__ import annotations

import numpy as np

from camera import drawing
from camera.drawing import Colour, Frame
from camera.scenes.layout import CROSSING_HALF_M, CROSSING_Y_M, ROAD_HALF_M, SHOULDER_M
from camera.scenes.view import View

_X_M = ROAD_HALF_M + SHOULDER_M + 0.8
_Y_M = CROSSING_Y_M + CROSSING_HALF_M + 4.6
_HEAD_X_M = ROAD_HALF_M - 1.0
_TOP_M = 6.2
_LIT: dict[str, Colour] = {"red": (60, 60, 255), "yellow": (70, 210, 255), "green": (150, 255, 90)}
_UNLIT: dict[str, Colour] = {"red": (30, 28, 70), "yellow": (30, 62, 72), "green": (42, 66, 30)}
_LAMP_OFFSETS_M = {"red": -0.5, "yellow": 0.0, "green": 0.5}


def draw_mast(frame: Frame, view: View) -> None:
    """The post and its arm over the lanes (they never change)."""
    points, depth = view.project(
        np.array([[_X_M, _Y_M, 0], [_X_M, _Y_M, _TOP_M], [_HEAD_X_M - 0.9, _Y_M, _TOP_M + 0.3]])
    )
    thickness_px = max(1, round(0.16 * view.focal_px / depth[0]))
    drawing.line(frame, points[0], points[1], (84, 84, 84), thickness_px)
    drawing.line(frame, points[1], points[2], (84, 84, 84), thickness_px)


def paint(frame: Frame, view: View, lit: str) -> None:
    """The head with its three lamps."""
    z = _TOP_M + 0.05
    head = np.array(
        [[_HEAD_X_M + dx, _Y_M - 0.2, z + dz] for dx, dz in _corners(half_width_m=0.85)], float
    )
    drawing.fill(frame, view.project(head)[0], (34, 34, 32))
    for name, offset_m in _LAMP_OFFSETS_M.items():
        centre, depth = view.project(np.array([[_HEAD_X_M + offset_m, _Y_M - 0.25, z]]))
        colour = _LIT[name] if name == lit else _UNLIT[name]
        drawing.disc(frame, centre[0], 0.2 * view.focal_px / depth[0], colour)


def _corners(*, half_width_m: float) -> tuple[tuple[float, float], ...]:
    return (
        (-half_width_m, -0.32),
        (half_width_m, -0.32),
        (half_width_m, 0.32),
        (-half_width_m, 0.32),
    )
