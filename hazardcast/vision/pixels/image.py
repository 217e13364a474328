"""Edge to OpenCV's image operations: everything that looks at pixels goes through here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hazardcast.vision.geometry.boxes import Floats

Image = NDArray[Any]
"""uint8, (H, W, 3) BGR or (H, W) grey."""
Plane = NDArray[Any]
"""float32."""


def shrunk(image: Image, width: int) -> Image:
    """The image at `width` px (never larger than it is), aspect kept.

    Halved as often as it goes, the rest by interpolation: as good as OpenCV's averaging over areas
    and ten times as fast, as that is quick for whole factors only.
    """
    have_h, have_w = image.shape[:2]
    if have_w <= width:
        return image
    height = max(2, round(have_h * width / have_w))
    step = max(1, have_w // (4 * width))  # keeps a 4K frame as cheap as a small one
    smaller = image[::step, ::step]
    while smaller.shape[1] >= 2 * width:
        smaller = _halved(smaller)
    return cv2.resize(smaller, (width, height), interpolation=cv2.INTER_LINEAR)


def averaged(image: Image, width: int) -> Image:
    """As `shrunk`, each pixel the mean of its area: for those who compare pixel with pixel."""
    have_h, have_w = image.shape[:2]
    if have_w <= width:
        return image
    height = max(2, round(have_h * width / have_w))
    # Whole-number decimation before the filter keeps a 4K frame as cheap as a small one.
    step = max(1, have_w // (2 * width))
    return cv2.resize(image[::step, ::step], (width, height), interpolation=cv2.INTER_AREA)


def _halved(image: Image) -> Image:
    height, width = image.shape[0] // 2, image.shape[1] // 2
    even = image[: 2 * height, : 2 * width]
    return cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)


def letterboxed(image: Image, canvas: Image) -> float:
    """Draw `image` into the top left of `canvas`, aspect kept; returns the scale used."""
    height, width = image.shape[:2]
    scale = min(canvas.shape[1] / width, canvas.shape[0] / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    cv2.resize(image, size, dst=canvas[: size[1], : size[0]], interpolation=cv2.INTER_LINEAR)
    return float(scale)


def stretched(image: Image, canvas: Image) -> None:
    """Draw `image` over the whole of `canvas`."""
    cv2.resize(
        image, (canvas.shape[1], canvas.shape[0]), dst=canvas, interpolation=cv2.INTER_LINEAR
    )


def planes(canvas: Image, tensor: Plane, *, factors: Floats, offsets: Floats, rgb: bool) -> None:
    """Write `pixel · factor + offset` per channel into `tensor` (1, 3, H, W); bytes as they are."""
    for channel in range(3):
        source = canvas[:, :, 2 - channel if rgb else channel]
        if tensor.dtype == np.uint8:
            tensor[0, channel] = source
            continue
        np.multiply(source, factors[channel], out=tensor[0, channel], dtype=np.float32)
        if offsets[channel]:
            tensor[0, channel] += offsets[channel]


def grey(image: Image) -> Image:
    """(H, W) luminance."""
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)


def channels(image: Image) -> list[Image]:
    """(H, W) each."""
    return list(cv2.split(image))


def differences(image: Image, other: Image) -> Image:
    """Per pixel, the largest absolute difference of any channel."""
    difference = cv2.absdiff(image, other)
    if difference.ndim == 2:
        return difference
    # Plane by plane: numpy's maximum over three neighbours takes a hundred times as long.
    blue, green, red = cv2.split(difference)
    return cv2.max(cv2.max(blue, green), red)


def blend(into: Plane, image: Image, rate: float, mask: Image | None = None) -> None:
    """Move `into` towards `image` by `rate` where `mask` is set (everywhere without one)."""
    cv2.accumulateWeighted(image, into, rate, mask)


def rounded(plane: Plane) -> Image:
    """The plane as 8-bit values."""
    return cv2.convertScaleAbs(plane)


def smoothed(image: Image) -> Image:
    """3 × 3 mean: takes the edge off compression noise."""
    return cv2.blur(image, (3, 3))


def opened(mask: Image, size: int = 3) -> Image:
    """Specks smaller than `size` px removed."""
    return cv2.morphologyEx(mask, cv2.MORPH_OPEN, _kernel(size))


def closed(mask: Image, size: int = 5) -> Image:
    """Gaps smaller than `size` px filled."""
    return cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _kernel(size))


def _kernel(size: int) -> Any:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


def blobs(mask: Image, least_px: int) -> tuple[Floats, Floats]:
    """Boxes (N, 4) and areas (N,) px² of the connected regions of at least `least_px`."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count <= 1:
        return np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    found: Floats = stats[1:].astype(np.float32)
    found = found[found[:, cv2.CC_STAT_AREA] >= least_px]
    corners = np.concatenate([found[:, :2], found[:, :2] + found[:, 2:4]], axis=1)
    return corners, found[:, 4]


def numbered(mask: Image, least_px: int) -> tuple[Plane, dict[int, Floats]]:
    """(H, W) number of the connected region of each pixel, and the box of each large enough."""
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    found = {}
    for number in range(1, count):
        x, y, width, height, area = stats[number].tolist()
        if area >= least_px:
            found[number] = np.array([x, y, x + width, y + height], np.float32)
    return numbers, found


def parts(mask: Image, core: Image, least_px: int) -> tuple[Floats, Floats]:
    """For each connected region of `mask`: box and area of its pixels that are in `core`.

    Regions with fewer than `least_px` of them are left out.
    """
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    rows, columns = np.nonzero(core)
    owner = np.asarray(labels)[rows, columns].astype(np.intp)
    area = np.bincount(owner, minlength=count).astype(np.float32)
    low = np.full((count, 2), np.inf, np.float32)
    high = np.full((count, 2), -np.inf, np.float32)
    points = np.stack([columns, rows], axis=1).astype(np.float32)
    np.minimum.at(low, owner, points)
    np.maximum.at(high, owner, points + 1)
    keep = area >= least_px
    keep[0] = False
    return np.concatenate([low, high], axis=1)[keep], area[keep]


def padded(image: Image, multiple: int) -> Image:
    """The image with its last row and column repeated until its sides are multiples."""
    height, width = image.shape[:2]
    down, right = -height % multiple, -width % multiple
    if not down and not right:
        return image
    return np.pad(image, ((0, down), (0, right), (0, 0)), mode="edge")


def stacked(pictures: Sequence[Image], multiple: int) -> Plane:
    """(1, 3 · N, H, W) the channels of N pictures (H, W, 3) of one size, sides padded."""
    planes = [plane for one in pictures for plane in channels(padded(one, multiple))]
    return np.stack(planes)[None].astype(np.float32)


def cell_means(plane: Plane, shape: tuple[int, int]) -> Plane:
    """(rows, columns) of `shape`: the plane's mean in each cell."""
    rows, columns = shape
    return cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA)


def filled(polygons: tuple[Floats, ...], width: int, height: int) -> Image:
    """(H, W) mask, 255 inside the polygons ((K, 2) in px)."""
    mask: Image = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        cv2.fillPoly(mask, [np.round(polygon).astype(np.int32)], 255)
    return mask


def single_threaded() -> None:
    """Keep OpenCV from starting threads of its own: the work here is small, cameras are many."""
    cv2.setNumThreads(1)


def inverted(mask: Image) -> Image:
    """255 where the mask is 0."""
    return cv2.bitwise_not(mask)


def gradients(image: Image) -> Plane:
    """(H, W) gradient magnitude of the luminance."""
    luminance = grey(image)
    horizontal = cv2.Sobel(luminance, cv2.CV_32F, 1, 0)
    vertical = cv2.Sobel(luminance, cv2.CV_32F, 0, 1)
    return cv2.magnitude(horizontal, vertical)


class OpticalFlow:
    """Dense motion from one grey picture to the next; one a camera, for it keeps its buffers."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def between(self, before: Image, after: Image) -> Plane:
        """(H, W, 2) px that each pixel of `before` moved."""
        motion = np.zeros((*before.shape, 2), np.float32)
        return self._flow.calc(before, after, motion)


def unexplained(before: Image, after: Image, motion: Plane) -> Plane:
    """(H, W) grey levels by which `after` differs from `before` carried along by `motion`."""
    height, width = before.shape
    carried = motion + _pixel_places(height, width)
    moved = cv2.remap(after, carried[..., 0], carried[..., 1], cv2.INTER_LINEAR)
    return cv2.absdiff(moved, before).astype(np.float32)


@lru_cache(maxsize=16)
def _pixel_places(height: int, width: int) -> Plane:
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([columns, rows], axis=2)


def rim(mask: Image) -> Image:
    """255 along the outline of what is set."""
    return cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, _kernel(3))


def from_planes(luma: Image, u: Image, v: Image) -> Image:
    """(H/2, W/2, 3) BGR of an I420 picture's planes: luminance by area, colours as they are."""
    merged = cv2.merge([_halved(luma), u, v])
    return cv2.cvtColor(merged, cv2.COLOR_YUV2BGR)


def whole_from_planes(i420: Image) -> Image:
    """(H, W, 3) BGR of an I420 picture (H · 3/2, W) at its own size."""
    return cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420)


def to_planes(image: Image) -> Image:
    """(H · 3/2, W) I420 of a BGR picture of even sides."""
    return cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)
