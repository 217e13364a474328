"""Painting on frames: the only module of this service that touches OpenCV."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Frame: TypeAlias = NDArray[np.uint8]
"""Shape (height, width, 3), blue-green-red."""
Points: TypeAlias = NDArray[np.float64]
"""Shape (N, 2), pixels, x to the right and y down."""
Layer: TypeAlias = NDArray[np.float32]
"""Shape (height, width), opacity from 0 to 1."""
Colour: TypeAlias = tuple[float, float, float]

_SUBPIXEL_BITS = 4
_SUBPIXELS = 1 << _SUBPIXEL_BITS

# One thread: frames are small, and the encoder needs the other cores.
cv2.setNumThreads(1)


def _fixed(points: Points) -> NDArray[np.int32]:
    return np.rint(points * _SUBPIXELS).astype(np.int32)


def fill(frame: Frame, polygon: Points, colour: Colour, *, smooth: bool = True) -> None:
    """Fill a convex polygon."""
    line = cv2.LINE_AA if smooth else cv2.LINE_8
    cv2.fillConvexPoly(frame, _fixed(polygon), colour, line, _SUBPIXEL_BITS)


class Outline:
    """Corners brought to OpenCV's sub-pixel grid once, to fill many faces from them."""

    def __init__(self, points: Points) -> None:
        self._points = _fixed(points)

    def fill(self, frame: Frame, start: int, end: int, colour: Colour) -> None:
        """Fill the convex polygon of corners `start:end`."""
        corners = self._points[start:end]
        cv2.fillConvexPoly(frame, corners, colour, cv2.LINE_AA, _SUBPIXEL_BITS)

    def fill_hull(self, frame: Frame, start: int, end: int, colour: Colour) -> None:
        """Fill the convex hull of corners `start:end`."""
        hull = cv2.convexHull(self._points[start:end])
        cv2.fillConvexPoly(frame, hull, colour, cv2.LINE_AA, _SUBPIXEL_BITS)


def line(frame: Frame, start: Points, end: Points, colour: Colour, thickness_px: int) -> None:
    """Draw a straight line."""
    first, last = _fixed(start), _fixed(end)
    ends = ((int(first[0]), int(first[1])), (int(last[0]), int(last[1])))
    cv2.line(frame, *ends, colour, thickness_px, cv2.LINE_AA, _SUBPIXEL_BITS)


def disc(frame: Frame, centre: Points, radius_px: float, colour: Colour) -> None:
    """Fill a circle."""
    x, y = _fixed(centre)
    radius = max(1, round(radius_px * _SUBPIXELS))
    cv2.circle(frame, (int(x), int(y)), radius, colour, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL_BITS)


def shade_hulls(frame: Frame, hulls: tuple[tuple[Points, float], ...]) -> None:
    """Darken convex hulls, each by its strength (0 none, 1 black), with a soft edge.

    Where they overlap, the last one counts.
    """
    height, width = frame.shape[:2]
    margin_px = 3
    every = np.concatenate([points for points, _ in hulls])
    low = np.maximum(np.floor(every.min(axis=0)).astype(int) - margin_px, 0)
    high = np.ceil(every.max(axis=0)).astype(int) + margin_px
    x0, y0, x1, y1 = low[0], low[1], min(int(high[0]), width), min(int(high[1]), height)
    if x1 <= x0 or y1 <= y0:
        return
    keep = np.full((y1 - y0, x1 - x0), 255, np.uint8)
    for points, strength in hulls:
        hull = cv2.convexHull(_fixed(points - low))
        level = round(255 * (1 - strength))
        cv2.fillConvexPoly(keep, hull, (level,), cv2.LINE_AA, _SUBPIXEL_BITS)
    cv2.blur(keep, (5, 5), keep)
    part = frame[y0:y1, x0:x1]
    cv2.multiply(part, cv2.cvtColor(keep, cv2.COLOR_GRAY2BGR), part, 1 / 255)


def expose(frame: Frame, gain: float, noise: Frame, noise_mean: float) -> Frame:
    """Brightness and sensor noise in one pass: ``frame * gain + noise - noise_mean``."""
    return np.asarray(cv2.addWeighted(frame, gain, noise, 1.0, -noise_mean), dtype=np.uint8)


def veil(frame: Frame, opacity: Layer, grey: float, *, top_left: tuple[int, int]) -> None:
    """Mix a grey into the part of `frame` under `opacity`, whose corner lies at (x, y)."""
    x0, y0 = top_left
    part = frame[y0 : y0 + opacity.shape[0], x0 : x0 + opacity.shape[1]]
    keep = cv2.convertScaleAbs(opacity, alpha=-255.0, beta=255.0)
    added = cv2.convertScaleAbs(opacity, alpha=grey)
    cv2.multiply(part, cv2.cvtColor(keep, cv2.COLOR_GRAY2BGR), part, 1 / 255)
    cv2.add(part, cv2.cvtColor(added, cv2.COLOR_GRAY2BGR), part)


def glow(frame: Frame, light: NDArray[np.float32], *, top_left: tuple[int, int]) -> None:
    """Add `light` (height, width, 3) to the part of `frame` at (x, y); it saturates at white."""
    x0, y0 = top_left
    part = frame[y0 : y0 + light.shape[0], x0 : x0 + light.shape[1]]
    cv2.add(part, cv2.convertScaleAbs(light), part)


def enlarge(layer: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Smoothly scale a layer up."""
    scaled = cv2.resize(layer, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(scaled, dtype=np.float32)


def shrink(image: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Scale an image down, each pixel the mean of those it covers."""
    scaled = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(scaled, dtype=np.float32)


def caption(frame: Frame, text: str, *, left_px: int, baseline_px: int, scale: float) -> None:
    """White text with a dark edge, as cameras print it."""
    for dx, dy, colour in ((1, 1, (0, 0, 0)), (-1, 0, (40, 40, 40)), (0, 0, (255, 255, 255))):
        place = (left_px + dx, baseline_px + dy)
        cv2.putText(frame, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)


def to_i420(frame: Frame) -> NDArray[np.uint8]:
    """Planar YUV 4:2:0 (BT.601, limited range), shape (height * 3 / 2, width): half the bytes."""
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420), dtype=np.uint8)


def decoded(jpeg: bytes, share: int) -> Frame | None:
    """A picture as it is to be shown (turned, where its EXIF says so), or None.

    Args:
        jpeg: its bytes, whose header has been judged.
        share: 1, 2, 4 or 8: the part of its sides as which it is decoded.
    """
    flags = {
        1: cv2.IMREAD_COLOR,
        2: cv2.IMREAD_REDUCED_COLOR_2,
        4: cv2.IMREAD_REDUCED_COLOR_4,
        8: cv2.IMREAD_REDUCED_COLOR_8,
    }
    try:
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flags[share])
    except cv2.error:
        return None
    return None if picture is None else np.asarray(picture, np.uint8)


def bounded(frame: Frame, most: tuple[int, int]) -> tuple[int, int]:
    """Even width and height for a picture of this shape, at most `most` (or `most` upright)."""
    height, width = frame.shape[:2]
    bounds = most if width >= height else most[::-1]
    scale = min(1.0, bounds[0] / width, bounds[1] / height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def fitted(frame: Frame, size: tuple[int, int]) -> Frame:
    """The picture in the middle of one of `size` (width and height), black around it."""
    width, height = size
    if frame.shape[:2] == (height, width):
        return frame
    scale = min(width / frame.shape[1], height / frame.shape[0])
    inner = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        frame, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    return canvas
