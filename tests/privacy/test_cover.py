"""Covering on planes, and telling whether a picture is covered."""

from __future__ import annotations

import numpy as np
import pytest
from privacy import cover
from privacy.bridging import Placed
from privacy.cover import Grid, Planes
from privacy.regions import Kind

WIDTH, HEIGHT = 320, 192


def picture(seed: int = 1) -> Planes:
    noise = np.random.default_rng(seed).integers(16, 236, WIDTH * HEIGHT * 3 // 2, np.uint8)
    return cover.planes_of(noise, WIDTH, HEIGHT)


def grids(*boxes: tuple[float, ...], kind: Kind = Kind.HEAD, cells: int = 4) -> list[Grid]:
    placed = Placed(
        np.array(boxes, np.float32), np.full(len(boxes), int(kind)), np.arange(len(boxes))
    )
    return cover.grids(placed, cells=cells, width=WIDTH, height=HEIGHT)


def levels(plane: np.ndarray) -> int:
    return len(np.unique(plane))


def test_a_head_has_four_by_four_cells_at_most_and_a_plate_three_by_one() -> None:
    planes = picture()
    (head,) = grids((40, 40, 104, 104))
    (plate,) = grids((150, 40, 250, 70), kind=Kind.PLATE)

    cover.apply(planes, [head, plate])

    assert (head.across, head.down, plate.across, plate.down) == (4, 4, 3, 1)
    assert levels(planes.y[40:104, 40:104]) <= 16
    assert levels(planes.y[40:70, 150:250]) <= 3
    assert levels(planes.u[20:52, 20:52]) <= 16


def test_nothing_outside_the_region_changes() -> None:
    planes, before = picture(), picture()

    cover.apply(planes, grids((40, 40, 104, 104)))

    for plane, old, part in zip(planes, before, (1, 2, 2), strict=True):
        inside = np.zeros(plane.shape, bool)
        inside[40 // part : 104 // part, 40 // part : 104 // part] = True
        assert np.array_equal(plane[~inside], old[~inside])


def test_each_cell_is_the_mean_of_what_it_hides_in_steps_of_eight() -> None:
    planes, before = picture(), picture()
    (grid,) = grids((40, 40, 104, 104))

    cover.apply(planes, [grid])

    assert int(planes.y[45, 45]) % cover.STEP == grid.shift % cover.STEP
    assert abs(float(planes.y[45, 45]) - before.y[40:56, 40:56].mean()) <= cover.STEP / 2 + 0.5


def test_a_small_region_has_fewer_cells_not_smaller_ones() -> None:
    (tiny,) = grids((10, 10, 18, 20))

    assert (tiny.across, tiny.down) == (2, 2)


def test_one_colour_hides_all() -> None:
    planes = picture()

    cover.apply(planes, grids((40, 40, 104, 104)), solid=True)

    assert levels(planes.y[40:104, 40:104]) == 1


def test_odd_sides_grow_to_even_ones_so_that_no_colour_is_left() -> None:
    (grid,) = grids((41, 43, 103, 101))

    assert (grid.x1, grid.y1, grid.x2, grid.y2) == (40, 42, 104, 102)


@pytest.mark.parametrize("box", [(0, 0, 9, 9), (311, 183, 320, 192), (0, 0, 320, 192)])
def test_regions_at_the_edge_are_covered(box: tuple[int, ...]) -> None:
    planes = picture()
    wanted = grids(box)

    cover.apply(planes, wanted)

    assert cover.uncovered(planes, wanted) is None


def test_covered_regions_pass_and_bare_ones_are_told() -> None:
    covered, bare = picture(), picture()
    wanted = grids((40, 40, 104, 104), (90, 80, 150, 140))
    cover.apply(covered, wanted)

    assert cover.uncovered(covered, wanted) is None
    assert cover.uncovered(bare, wanted) is not None


def test_a_bare_colour_plane_is_told_as_well() -> None:
    planes = picture()
    wanted = grids((40, 40, 104, 104))
    cover.apply(planes, wanted)
    planes.v[20:52, 20:52] = picture(2).v[20:52, 20:52]

    assert cover.uncovered(planes, wanted) is not None


def test_a_finer_mosaic_than_agreed_is_no_cover() -> None:
    planes = picture()
    coarse, fine = grids((40, 40, 104, 104)), grids((40, 40, 104, 104), cells=16)

    planes.y[::2] //= 3  # detail that sixteen cells still show
    planes.y[40:104, 40:72] //= 3
    cover.apply(planes, [fine[0]._replace(across=16, down=16)])
    planes.y[40:104, 40:56] = np.arange(16, dtype=np.uint8)[None] // 4 * 60

    assert cover.uncovered(planes, coarse) is not None


def test_of_two_regions_the_picture_counts_what_overlaps_once() -> None:
    whole = cover.share_covered(grids((0, 0, 160, 192), (0, 0, 160, 192)), WIDTH, HEIGHT)

    assert whole == pytest.approx(0.5, abs=0.02)
