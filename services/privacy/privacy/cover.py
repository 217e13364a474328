"""Covering regions of a picture by means on a coarse grid, and telling whether it is covered; pure.

A blur is linear and can be undone; so can be a fine mosaic, from several frames. What four cells
across a head leave, rounded to steps of eight, is neither known again by face networks nor read.
Edges are hard: a feathered one shows what it hides.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from hazardcast.vision.geometry.boxes import Floats, Ints
from hazardcast.vision.pixels.image import Image
from privacy.bridging import Placed
from privacy.regions import PLATE_CELLS, Kind

STEP = 8
"""Means are rounded to whole steps, grey levels …"""
LEAST_CELL_PX = 4
"""… and no cell is smaller: a small region has fewer."""
GREY = 128
RANGE = (16, 235)
"""What a picture's levels are."""
PARTS = (1, 2, 2)
"""Of the luminance's px, how many are one of the plane's."""
RIM_PX = 2
"""At a cell's edge the codec lets the neighbour through; it is not judged there."""
MOST_DETAIL = 9.0
"""Standard deviation in a cell of a decoded picture, grey levels: the codec's noise has less."""


class Planes(NamedTuple):
    """A picture as I420: `y` (H, W), `u` and `v` (H/2, W/2), bytes."""

    y: Image
    u: Image
    v: Image


class Grid(NamedTuple):
    """One region as it is covered: its sides in px of the picture, even, and its cells."""

    x1: int
    y1: int
    x2: int
    y2: int
    across: int
    down: int
    shift: int
    """Where the steps of its rounding begin: one for each track, so that frames do not add up."""


def planes_of(buffer: Image, width: int, height: int) -> Planes:
    """Views of an I420 frame's bytes; `width` and `height` are even."""
    luma, chroma = width * height, width * height // 4
    return Planes(
        buffer[:luma].reshape(height, width),
        buffer[luma : luma + chroma].reshape(height // 2, width // 2),
        buffer[luma + chroma :].reshape(height // 2, width // 2),
    )


def grids(placed: Placed, *, cells: int, width: int, height: int) -> list[Grid]:
    """How each region is covered, `cells` across a head."""
    return [
        _grid(np.clip(_even(box), 0, [width, height, width, height]), int(kind), int(track), cells)
        for box, kind, track in zip(placed.xyxy, placed.kinds, placed.tracks, strict=True)
    ]


def _even(box: Floats) -> Floats:
    """(4,) the smallest box of even sides about `box`: colours have half as many pixels."""
    whole: Floats = np.concatenate([np.floor(box[:2] / 2), np.ceil(box[2:] / 2)]) * 2
    return whole


def _grid(box: Floats, kind: int, track: int, cells: int) -> Grid:
    x1, y1, x2, y2 = map(int, box)
    across, down = (min(cells, PLATE_CELLS), 1) if kind == Kind.PLATE else (cells, cells)
    return Grid(
        x1, y1, x2, y2,
        max(1, min(across, (x2 - x1) // LEAST_CELL_PX)),
        max(1, min(down, (y2 - y1) // LEAST_CELL_PX)),
        (track * 5 + 3) % STEP,
    )  # fmt: skip


def apply(planes: Planes, wanted: list[Grid], *, solid: bool = False) -> None:
    """Cover the regions in place; `solid` with one colour."""
    for grid in wanted:
        for plane, part in zip(planes, PARTS, strict=True):
            rows, columns = _edges(grid, part)
            region = plane[rows[0] : rows[-1], columns[0] : columns[-1]]
            region[...] = GREY if solid else _means(region, rows, columns, grid.shift)


def _means(region: Image, rows: Ints, columns: Ints, shift: int) -> Image:
    """The region's pixels, each the rounded mean of its cell."""
    tall, wide = np.diff(rows), np.diff(columns)
    down = np.add.reduceat(region, rows[:-1] - rows[0], axis=0, dtype=np.int64)
    sums = np.add.reduceat(down, columns[:-1] - columns[0], axis=1)
    means = sums / (tall[:, None] * wide[None, :])
    steps = np.clip(STEP * np.round((means - shift) / STEP) + shift, *RANGE).astype(np.uint8)
    return np.repeat(np.repeat(steps, tall, axis=0), wide, axis=1)


def _edges(grid: Grid, part: int) -> tuple[Ints, Ints]:
    """Where the rows and the columns of cells begin and end, px of the plane."""
    return (
        _parted(grid.y1 // part, grid.y2 // part, grid.down),
        _parted(grid.x1 // part, grid.x2 // part, grid.across),
    )


def _parted(first: int, last: int, cells: int) -> Ints:
    return first + (last - first) * np.arange(cells + 1) // cells


def _cells(plane: Image, grid: Grid, *, part: int) -> Iterator[Image]:
    rows, columns = _edges(grid, part)
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            yield plane[top:bottom, left:right]


def uncovered(planes: Planes, wanted: list[Grid]) -> Grid | None:
    """A region that holds detail above its cells; None where all are covered.

    Where regions lie upon each other the later one's cells cut through the earlier one's: only
    what no later one touches is judged of it, and the last of all is judged whole.
    """
    for plane, part in zip(planes, PARTS, strict=True):
        free = np.ones(plane.shape, bool)
        for grid in reversed(wanted):
            inside = zip(_cells(plane, grid, part=part), _cells(free, grid, part=part), strict=True)
            if any(_has_detail(cell, own) for cell, own in inside):
                return grid
            _strike(free, grid, part)
    return None


def _strike(free: Image, grid: Grid, part: int) -> None:
    top, left = (max(0, side // part - RIM_PX) for side in (grid.y1, grid.x1))
    free[top : grid.y2 // part + RIM_PX, left : grid.x2 // part + RIM_PX] = False


def _has_detail(cell: Image, own: Image) -> bool:
    rim = RIM_PX if min(cell.shape) > 3 * RIM_PX else 0
    height, width = cell.shape
    inner, judged = (part[rim : height - rim, rim : width - rim] for part in (cell, own))
    kept = inner[judged]
    return kept.size >= 9 and float(kept.std()) > MOST_DETAIL


def share_covered(wanted: list[Grid], width: int, height: int) -> float:
    """Share of the picture that the regions take, at most; what overlaps counts once."""
    mask = np.zeros((height // 4 + 1, width // 4 + 1), bool)
    for grid in wanted:
        mask[grid.y1 // 4 : grid.y2 // 4 + 1, grid.x1 // 4 : grid.x2 // 4 + 1] = True
    return float(mask.mean())
