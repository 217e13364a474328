"""What of a picture is covered."""

from __future__ import annotations

import numpy as np
import pytest
from privacy import regions
from privacy.regions import Kind

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.geometry import boxes
from hazardcast.vision.geometry.boxes import Label


def look(users: list, faces: list = (), **more: bool) -> regions.Found:  # type: ignore[assignment]
    found = boxes.make([box for box, _ in users], [0.8] * len(users), [label for _, label in users])
    seen = boxes.make(list(faces), [0.9] * len(faces), [0] * len(faces))
    return regions.of_look(found, seen, width=1920, height=1080, **more)


def test_a_person_gives_the_head_and_a_quarter_of_the_width_on_each_side() -> None:
    (head,) = look([((100, 200, 200, 500), Label.PERSON)]).xyxy.tolist()

    assert head == [75, pytest.approx(185), 225, pytest.approx(320)]


def test_the_stricter_setting_covers_the_whole_person() -> None:
    found = look([((100, 200, 200, 500), Label.PERSON)], whole_persons=True)

    assert found.xyxy.tolist() == [[100, 200, 200, 500]]
    assert found.kinds.tolist() == [Kind.PERSON]


def test_a_face_without_a_person_is_covered_with_the_hair_about_it() -> None:
    (head,) = look([], [(100, 100, 140, 150)]).xyxy.tolist()

    assert head[0] < 90
    assert head[1] < 90
    assert head[2] > 150
    assert head[3] > 160


def test_a_vehicle_gives_the_band_of_its_plate() -> None:
    found = look([((100, 100, 300, 200), Label.CAR)])

    assert found.kinds.tolist() == [Kind.PLATE]
    assert found.xyxy[0].tolist() == pytest.approx([130, 150, 270, 195])


def test_a_vehicle_too_small_for_a_readable_plate_is_left_as_it_is() -> None:
    assert not len(look([((100, 100, 139, 120), Label.CAR)]))


def test_a_box_of_over_half_the_picture_is_no_road_user() -> None:
    assert not len(look([((0, 0, 1900, 700), Label.PERSON)]))


def test_plates_can_be_left_out() -> None:
    assert not len(look([((100, 100, 300, 200), Label.TRUCK)], plates=False))


@pytest.mark.parametrize(
    ("strength", "cells"), [(14, 4), (15, 4), (20, 3), (30, 2), (60, 1), (500, 1)]
)
def test_a_strength_says_how_many_cells_lie_across_a_head(strength: int, cells: int) -> None:
    assert regions.cells_across(strength) == cells


@pytest.mark.parametrize("strength", [-1, 0, 1, 5, 12, 13])
def test_a_strength_that_leaves_faces_known_is_refused(strength: int) -> None:
    with pytest.raises(ConfigError, match="blur_strength"):
        regions.cells_across(strength)


def test_no_box_finds_nothing() -> None:
    found = look([])

    assert found.xyxy.shape == (0, 4)
    assert np.isfinite(found.xyxy).all()
