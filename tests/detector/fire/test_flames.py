from __future__ import annotations

import numpy as np
from detector.fire.flames import FlameWatch
from detector.rules.fire import convincing

from hazardcast.vision.pixels.frame import Frame

random = np.random.default_rng(7)
FLAME = np.array([40, 140, 240], np.uint8)


def burn(paint, until_s=6.0, fps=8, ignored=None):
    """Flames of the last frame; `paint(frame, t)` draws on a grey street."""
    watch, found = FlameWatch(), []
    for number in range(int(until_s * fps)):
        frame = np.full((360, 640, 3), 90, np.uint8)
        paint(frame, number / fps)
        found = watch.update(Frame(frame, number / fps, number), ignored)
    return found


def fire(frame, t):
    if t < 1.0:
        return
    height = int(random.integers(25, 55))
    rows, columns = slice(200 - height, 200), slice(300, 330)
    frame[rows, columns] = FLAME
    flicker = random.integers(-40, 15, (height, 30, 1))
    frame[rows, columns] = np.clip(frame[rows, columns].astype(int) + flicker, 0, 255)


def test_a_flickering_flame_is_found_with_its_place_and_beginning() -> None:
    found = burn(fire)

    assert len(found) == 1
    assert 280 < found[0].box[0] < 310
    assert 1.0 <= found[0].since_t < 2.5


def test_yellow_paint_is_no_flame() -> None:
    def paint(frame, t):
        frame[200:260, 300:400] = FLAME

    assert burn(paint) == []


def test_brake_lamps_that_come_and_go_are_no_flame() -> None:
    def paint(frame, t):
        x = int(100 + 60 * t) % 500
        frame[200:206, x : x + 10] = (20, 30, 250)

    assert burn(paint, 12.0) == []


def test_an_indicator_is_no_flame() -> None:
    def paint(frame, t):
        if t % 0.7 < 0.35:
            frame[200:206, 300:308] = (30, 150, 255)

    assert burn(paint, 10.0) == []


def test_a_flame_on_an_ignored_area_is_none() -> None:
    ignored = np.zeros((360, 640), np.uint8)
    ignored[100:250, 250:400] = 255

    assert burn(fire, ignored=ignored) == []


def test_a_picture_that_moves_as_a_whole_tells_nothing() -> None:
    def paint(frame, t):
        frame[:] = random.integers(0, 255, frame.shape)
        frame[100:200, 100:200] = FLAME

    assert burn(paint) == []


def test_a_test_pattern_that_moves_is_no_flame() -> None:
    ramp = np.linspace(0, 255, 640).astype(np.uint8)

    def paint(frame, t):
        for channel in range(3):
            frame[:180, :, channel] = np.roll(ramp, int(90 * t) + 213 * channel)
        frame[180:] = np.roll(frame[:180], int(40 * t), axis=1)[:, ::-1]
        x = int(100 * t) % 560
        frame[120:200, x : x + 80] = (0, 128, 255)

    assert not any(convincing(one, 9.9) for one in burn(paint, 10.0))


def test_a_picture_looked_at_too_often_is_not_looked_at_again() -> None:
    watch, looks = FlameWatch(), []

    class Net:
        def likelihood(self, now: object, before: object) -> np.ndarray:
            looks.append(1)
            return np.zeros((27, 48), np.float32)

    vars(watch)["_net"] = Net()
    for number in range(33):
        watch.update(Frame(np.zeros((216, 384, 3), np.uint8), number / 32, number))

    assert len(looks) <= 5


def test_after_a_cut_nothing_of_the_flames_before_is_kept() -> None:
    watch = FlameWatch()
    for number in range(24):
        frame = np.full((360, 640, 3), 90, np.uint8)
        fire(frame, 2.0)
        watch.update(Frame(frame, number / 8, number))
    watch.reset()

    assert watch.update(Frame(np.full((360, 640, 3), 90, np.uint8), 4.0, 32)) == []
