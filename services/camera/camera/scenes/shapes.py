"""Vehicles as solids: profiles stretched across the vehicle's width, in metres.

Vehicle axes: u forwards, v to the left, w up; the origin lies on the ground under the middle.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from camera.scenes.view import Array

PAINTED, BOX, GLASS, DARK, TYRE, HEADLIGHT, TAILLIGHT, INDICATOR = range(8)
BODY, CABIN, CARGO = range(3)
Profile = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Face:
    """A flat convex polygon: corners `start:end`, counter-clockwise seen from outside."""

    start: int
    end: int
    material: int
    part: int
    """Body, cabin or cargo: cabin and cargo hide each other as a whole, both hide the body."""


@dataclass(frozen=True)
class Solid:
    """Corners (N, 3), faces in drawing order and what is known of each face."""

    length_m: float
    width_m: float
    height_m: float
    corners: Array
    faces: tuple[Face, ...]
    normals: Array
    """Outward, shape (F, 3)."""
    anchors: Array
    """A corner of each face, shape (F, 3)."""
    materials: NDArray[np.int64]
    """Shape (F,)."""
    hull: int
    """The first `hull` corners outline the lower body."""
    has_cargo: bool

    @property
    def footprint(self) -> Array:
        """The four ground corners, shape (4, 2), in (u, v)."""
        half_l, half_w = self.length_m / 2, self.width_m / 2
        return np.array(
            [[-half_l, -half_w], [half_l, -half_w], [half_l, half_w], [-half_l, half_w]]
        )


@dataclass(frozen=True)
class _Style:
    """A vehicle's profiles as (u, w): body, cabin from its rear foot to its front one, cargo."""

    length_m: float
    width_m: float
    body: Profile
    cabin: Profile
    cabin_inset_m: float
    wheels_u_m: tuple[float, ...]
    wheel_radius_m: float = 0.33
    cargo: Profile | None = None


STYLES: dict[str, _Style] = {
    "sedan": _Style(
        4.6, 1.84,
        ((-2.3, 0.28), (-2.3, 0.80), (-2.15, 0.98), (-1.45, 1.00), (0.85, 0.98), (1.95, 0.86),
         (2.28, 0.68), (2.3, 0.28)),
        ((-1.75, 0.98), (-1.0, 1.44), (0.15, 1.46), (1.0, 0.96)), 0.24, (-1.38, 1.42),
    ),
    "hatchback": _Style(
        4.0, 1.78,
        ((-2.0, 0.28), (-2.0, 0.75), (-1.92, 0.98), (0.85, 0.98), (1.7, 0.86), (1.98, 0.66),
         (2.0, 0.28)),
        ((-1.9, 0.96), (-1.5, 1.44), (0.1, 1.50), (0.95, 0.96)), 0.22, (-1.25, 1.28),
    ),
    "suv": _Style(
        4.7, 1.92,
        ((-2.35, 0.34), (-2.35, 0.9), (-2.25, 1.12), (0.95, 1.10), (2.05, 1.00), (2.33, 0.8),
         (2.35, 0.34)),
        ((-2.2, 1.1), (-1.85, 1.68), (0.15, 1.70), (1.05, 1.08)), 0.2, (-1.4, 1.45), 0.38,
    ),
    "van": _Style(
        5.2, 2.0,
        ((-2.6, 0.34), (-2.6, 1.15), (1.5, 1.15), (2.45, 0.98), (2.6, 0.75), (2.6, 0.34)),
        ((-2.58, 1.13), (-2.5, 2.2), (0.9, 2.24), (1.85, 1.12)), 0.16, (-1.65, 1.6), 0.36,
    ),
    "truck": _Style(
        7.6, 2.4,
        ((-3.8, 0.55), (-3.8, 0.9), (2.0, 0.9), (2.05, 1.3), (3.75, 1.3), (3.8, 0.4), (2.0, 0.4)),
        ((2.05, 1.28), (2.08, 2.5), (3.35, 2.5), (3.75, 1.28)), 0.14, (-2.3, 2.75), 0.48,
        ((-3.8, 0.9), (-3.8, 3.1), (1.85, 3.1), (1.85, 0.9)),
    ),
}  # fmt: skip


@cache
def solid(kind: str) -> Solid:
    """The solid of one kind of vehicle (a key of `STYLES`)."""
    style = STYLES[kind]
    build = _Builder()
    build.stretch(style.body, style.width_m / 2, style.width_m / 2, PAINTED)
    hull = len(build.corners)
    build.sill(style)
    for u in style.wheels_u_m:
        build.wheel(u, style.width_m / 2 + 0.01, style.wheel_radius_m)
    build.lamps(style)
    half = style.width_m / 2 - 0.06
    build.part = CABIN
    build.stretch(style.cabin, half, half - style.cabin_inset_m, PAINTED)
    build.glaze(style.cabin, half, half - style.cabin_inset_m)
    if style.cargo:
        build.part = CARGO
        build.stretch(style.cargo, style.width_m / 2, style.width_m / 2, BOX)
    return _finished(style, build, hull)


def _finished(style: _Style, build: _Builder, hull: int) -> Solid:
    corners = np.array(build.corners, dtype=np.float64)
    starts = [face.start for face in build.faces]
    return Solid(
        length_m=style.length_m,
        width_m=style.width_m,
        height_m=max(w for _, w in (*style.cabin, *(style.cargo or ()))),
        corners=corners,
        faces=tuple(build.faces),
        normals=np.array([_normal(corners[start : start + 3]) for start in starts]),
        anchors=corners[starts],
        materials=np.array([face.material for face in build.faces]),
        hull=hull,
        has_cargo=style.cargo is not None,
    )


def _normal(corners: Array) -> Array:
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[1])
    return np.asarray(normal / max(float(np.linalg.norm(normal)), 1e-9))


class _Builder:
    """Collects corners and faces."""

    def __init__(self) -> None:
        self.corners: list[tuple[float, float, float]] = []
        self.faces: list[Face] = []
        self.part = BODY

    def face(self, corners: Iterable[tuple[float, float, float]], material: int) -> None:
        """One more face of its own corners."""
        first = len(self.corners)
        self.corners.extend(corners)
        self.faces.append(Face(first, len(self.corners), material, self.part))

    def stretch(self, profile: Profile, half_low: float, half_high: float, material: int) -> None:
        """The profile across the width: strips along it, then both sides.

        The half width goes from `half_low` at its lowest corner to `half_high` at its top.
        """
        low, high = min(w for _, w in profile), max(w for _, w in profile)

        def half(w: float) -> float:
            return half_low + (half_high - half_low) * (w - low) / (high - low)

        for (u0, w0), (u1, w1) in pairwise(profile):
            strip = (
                (u0, half(w0), w0), (u0, -half(w0), w0), (u1, -half(w1), w1), (u1, half(w1), w1),
            )  # fmt: skip
            self.face(strip, material)
        self.face([(u, half(w), w) for u, w in profile], material)
        self.face([(u, -half(w), w) for u, w in reversed(profile)], material)

    def sill(self, style: _Style) -> None:
        """The dark band along the bottom of both sides."""
        low, half = style.body[0][1], style.width_m / 2 + 0.005
        front = style.length_m / 2 - 0.15
        for side in (1, -1):
            band = [
                (-front, side * half, low), (-front, side * half, low + 0.12),
                (front, side * half, low + 0.12), (front, side * half, low),
            ]  # fmt: skip
            self.face(band if side > 0 else band[::-1], DARK)

    def wheel(self, u: float, half_width: float, radius: float) -> None:
        """A tyre with its hub on both sides."""
        turns = np.linspace(0, 2 * np.pi, 11)[:-1]
        for side in (1, -1):
            for size, material, out in ((radius, TYRE, 0.0), (0.55 * radius, DARK, 0.01)):
                ring = [
                    (
                        u - side * float(np.cos(a)) * size,
                        side * (half_width + out),
                        radius + float(np.sin(a)) * size,
                    )
                    for a in turns
                ]
                self.face(ring, material)

    def lamps(self, style: _Style) -> None:
        """Head and tail lamps, each with an indicator beside it."""
        half, end = style.width_m / 2, style.length_m / 2 + 0.012
        w = style.body[1][1] - 0.16
        for side in (1, -1):
            inner, middle, outer = side * half * 0.5, side * half * 0.8, side * half * 0.98
            self._lamp(end, (inner, middle), (w - 0.06, w + 0.1), HEADLIGHT)
            self._lamp(end, (middle, outer), (w - 0.06, w + 0.1), INDICATOR)
            self._lamp(-end, (inner, middle), (w - 0.06, w + 0.12), TAILLIGHT)
            self._lamp(-end, (middle, outer), (w - 0.06, w + 0.12), INDICATOR)

    def _lamp(
        self, u: float, v: tuple[float, float], w: tuple[float, float], material: int
    ) -> None:
        left, right = max(v), min(v)
        if u > 0:
            left, right = right, left
        self.face([(u, left, w[0]), (u, right, w[0]), (u, right, w[1]), (u, left, w[1])], material)

    def glaze(self, cabin: Profile, half_low: float, half_high: float) -> None:
        """Windows: front, rear and two on each side of the cabin."""
        rear_low, rear_high, front_high, front_low = cabin
        self._pane(rear_low, rear_high, half_low, half_high)
        self._pane(front_high, front_low, half_high, half_low)
        middle = 0.45 * front_high[0] + 0.55 * rear_high[0]
        for rear, front in (
            ((rear_low[0], rear_high[0]), (middle - 0.05, middle - 0.05)),
            ((middle + 0.05, middle + 0.05), (front_low[0], front_high[0])),
        ):
            self._side_panes(cabin, rear, front, half_low, half_high)

    def _pane(
        self, first: tuple[float, float], last: tuple[float, float], half0: float, half1: float
    ) -> None:
        (u0, w0), (u1, w1) = first, last
        a, b = 0.12, 0.92
        ends = [
            (u0 + (u1 - u0) * t, w0 + (w1 - w0) * t, (half0 + (half1 - half0) * t) * 0.90)
            for t in (a, b)
        ]
        (ua, wa, ha), (ub, wb, hb) = ends
        out = 0.012
        shift = out if u1 > u0 and w1 < w0 else -out
        self.face(
            [
                (ua + shift, ha, wa + out), (ua + shift, -ha, wa + out),
                (ub + shift, -hb, wb + out), (ub + shift, hb, wb + out),
            ],
            GLASS,
        )  # fmt: skip

    def _side_panes(
        self,
        cabin: Profile,
        rear: tuple[float, float],
        front: tuple[float, float],
        half_low: float,
        half_high: float,
    ) -> None:
        low, high = cabin[0][1], cabin[1][1]

        def at(ends: tuple[float, float], t: float) -> tuple[float, float, float]:
            inward = 0.10 if ends is rear else -0.10
            half = half_low + (half_high - half_low) * t + 0.012
            return (ends[0] + (ends[1] - ends[0]) * t + inward, half, low + (high - low) * t)

        pane = [at(rear, 0.14), at(rear, 0.86), at(front, 0.86), at(front, 0.14)]
        self.face(pane, GLASS)
        self.face([(u, -v, w) for u, v, w in reversed(pane)], GLASS)
