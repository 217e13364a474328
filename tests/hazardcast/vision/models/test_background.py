from __future__ import annotations

import numpy as np

from hazardcast.vision.geometry.boxes import Label
from hazardcast.vision.models.background import BackgroundModel
from hazardcast.vision.pixels.frame import Frame

random = np.random.default_rng(11)
COARSE = random.normal(110, 12, (6, 8, 3))
ROAD = np.kron(COARSE, np.ones((30, 40, 1)))
"""(180, 320, 3): patches of different asphalt."""


def look(paint, until_s, fps=8):
    """(time, boxes) of every frame; `paint(frame, t)` draws on a noisy road."""
    model, found = BackgroundModel(), []
    for number in range(int(until_s * fps)):
        t = number / fps
        picture = np.clip(ROAD + random.normal(0, 3, (1, 320, 1)), 0, 255).astype(np.uint8)
        paint(picture, t)
        found.append((t, model.detect(Frame(picture, t, number))))
    return found


def car(frame, x, y=100, colour=(30, 30, 200)):
    x = int(x)
    frame[y - 15 : y, max(0, x) : max(0, x + 30)] = colour


def test_an_empty_road_is_empty() -> None:
    assert all(len(found) == 0 for _, found in look(lambda _frame, _t: None, 12.0))


def test_a_car_is_found_where_it_is() -> None:
    found = look(lambda frame, t: car(frame, 50 * (t - 4)) if t > 4 else None, 8.0)

    t, last = found[-1]
    assert last.labels.tolist() == [Label.OBJECT]
    assert np.allclose(last.xyxy[0], [50 * (t - 4), 85, 50 * (t - 4) + 30, 100], atol=5)


def test_a_stopped_car_stays_visible_for_minutes() -> None:
    found = look(lambda frame, t: car(frame, min(150, 50 * (t - 4))) if t > 4 else None, 150, fps=3)

    assert all(len(boxes) == 1 for t, boxes in found if t > 8)


def test_a_shadow_is_no_vehicle() -> None:
    def paint(frame, t):
        if t > 4:
            part = frame[75:110, 100:150]
            part[:] = (part * 0.7).astype(np.uint8)

    assert all(len(boxes) == 0 for _, boxes in look(paint, 8.0))


def test_a_car_that_drives_off_after_the_start_leaves_no_ghost_for_long() -> None:
    def paint(frame, t):
        if t < 8:
            frame[85:100, 150:180:6] = (30, 30, 200)
            frame[85:100:5, 150:180] = (200, 200, 200)

    found = look(paint, 20.0)

    assert len(found[-1][1]) == 0


def test_what_always_changes_tells_nothing() -> None:
    def paint(frame, t):
        frame[:6] = random.integers(0, 2, (1, 320, 1)) * 255
        if t > 12:
            car(frame, 100)

    found = look(paint, 20.0)

    assert all(box[1] > 50 for t, boxes in found if t > 16 for box in boxes.xyxy)
    assert len(found[-1][1]) == 1


def test_light_that_changes_slowly_is_no_vehicle() -> None:
    def paint(frame, t):
        frame[:] = (frame * (1 - 0.3 * t / 60)).astype(np.uint8)

    assert sum(len(boxes) for _, boxes in look(paint, 60.0, fps=4)) == 0


def test_another_picture_or_size_is_learned_anew() -> None:
    model = BackgroundModel()
    for number in range(80):
        shape = (180, 320, 3) if number < 40 else (120, 160, 3)
        picture = random.integers(0, 255, shape).astype(np.uint8)
        model.detect(Frame(picture, number / 8, number))
