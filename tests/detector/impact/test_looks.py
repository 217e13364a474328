from __future__ import annotations

import numpy as np
import pytest
from detector.impact.colours import Colours
from detector.tracking.tracks import Track

from hazardcast.vision.geometry.boxes import Label, make
from hazardcast.vision.pixels.colour_histogram import COLOURS, likenesses, looks
from hazardcast.vision.pixels.frame import Frame

RED, BLUE, ROAD = (30, 30, 200), (200, 60, 30), (110, 110, 110)


def picture(*cars, width=640, height=360):
    """A grey road with cars of (x, y, colour), 80 × 40 px each."""
    shown = np.full((height, width, 3), ROAD, np.uint8)
    shown = shown + np.random.default_rng(1).integers(0, 12, shown.shape).astype(np.uint8)
    for x, y, colour in cars:
        shown[y : y + 40, x : x + 80] = colour
    return shown


def box(x, y):
    return [x, y, x + 80, y + 40]


def of(shown, *found):
    return looks(Frame(shown, 0.0, 0), np.array(found, float).reshape(-1, 4))


def test_a_car_looks_the_same_wherever_it_drives() -> None:
    here = of(picture((100, 100, RED)), box(100, 100))
    there = of(picture((300, 200, RED)), box(300, 200))

    assert likenesses(here, there)[0, 0] > 0.9


def test_cars_of_other_colours_have_little_in_common() -> None:
    shown = picture((100, 100, RED), (300, 200, BLUE))

    common = likenesses(of(shown, box(100, 100)), of(shown, box(100, 100), box(300, 200)))

    assert common[0, 0] == pytest.approx(1.0)
    assert common[0, 1] < 0.1


def test_large_and_small_pictures_show_the_same_colours() -> None:
    small = picture((100, 100, RED))
    large = small.repeat(3, 0).repeat(3, 1)

    assert likenesses(of(small, box(100, 100)), of(large, np.array(box(100, 100)) * 3)) > 0.9


def test_boxes_beyond_the_picture_and_no_boxes_at_all_are_looked_at_too() -> None:
    shown = picture((0, 0, RED))

    assert of(shown, [-40, -20, 40, 20], [900, 700, 950, 720]).sum(axis=1) == pytest.approx(1.0)
    assert of(shown).shape == (0, COLOURS)


def car(number, x, y) -> Track:
    track = Track(number, label=Label.CAR)
    track.history.append(0.0, np.array(box(x, y), float), 0.9)
    return track


def test_a_place_keeps_its_colours_until_another_covers_it() -> None:
    colours, stands = Colours(), car(1, 100, 100)
    for number in range(8):
        colours.update(Frame(picture((100, 100, RED)), number / 8, number), [stands])
    assert colours.kept(1, 0.6) > 0.9

    colours.update(Frame(picture((100, 100, BLUE)), 1.0, 8), [stands])
    assert colours.kept(1, 0.6) < 0.1


def test_who_has_not_been_known_for_long_is_taken_to_look_the_same() -> None:
    colours = Colours()
    colours.update(Frame(picture((100, 100, RED)), 0.0, 0), [car(1, 100, 100)])

    assert colours.kept(1, 0.1) == 1.0


def test_boxes_that_are_taken_keep_their_looks() -> None:
    seen = of(picture((100, 100, RED), (300, 200, BLUE)), box(100, 100), box(300, 200))
    found = make([box(100, 100), box(300, 200)], [0.9, 0.8], [2, 2], seen)

    taken = found.take(np.array([False, True]))

    assert taken.looks is not None
    assert np.array_equal(taken.looks, seen[1:])
