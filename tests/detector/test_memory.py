"""What is learnt of a view holds for that view: a turned camera forgets its road, a pause does not."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from detector.memory import Memory
from detector.pipeline import Outcome, Pipeline
from detector.view.tampering import SceneState

from hazardcast.vision.geometry.boxes import Label, empty, make
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.image import Image

RNG = np.random.default_rng(11)
WIDTH, HEIGHT = 640, 360
PANORAMA = cv2.resize(
    np.clip(RNG.normal(110, 45, (18, 70, 3)), 0, 255).astype(np.uint8), (1600, HEIGHT), interpolation=cv2.INTER_CUBIC
)  # fmt: skip
BROKEN = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)


def towards(x: float) -> Image:
    """What a camera sees that looks at `x` px of the panorama, with a little noise."""
    view = PANORAMA[:, round(x) : round(x) + WIDTH].astype(np.int16)
    noise: Image = np.clip(view + RNG.integers(-3, 4, view.shape), 0, 255).astype(np.uint8)
    return noise


class Blind:
    """A model that finds nothing, or one car that stands."""

    name = "blind"
    car = False

    def detect(self, frame: Frame):
        return make([[200.0, 100.0, 260.0, 140.0]], [0.9], [Label.CAR]) if self.car else empty()


class Watched:
    """A camera of which the road is known."""

    def __init__(self) -> None:
        self.model = Blind()
        self.pipeline = Pipeline(self.model)
        self.t, self.number = 0.0, 0
        self.shown: list[SceneState] = []
        self.watch(2.0, lambda _t: towards(0))
        self.memory.road.habits.add(10_000, 0.0, np.array([300.0, 200.0]), 40.0)
        self.memory.look_at(WIDTH, HEIGHT).flow.vehicles = 99

    @property
    def memory(self) -> Memory:
        return self.pipeline._memory

    @property
    def knows_road(self) -> bool:
        view = self.memory.road.view
        known = {self.memory.road.habits.known, view is not None and view.flow.known}
        assert len(known) == 1, "all of it or nothing"
        return known.pop()

    def watch(self, seconds: float, picture: Callable[[float], Image], fps: float = 8.0) -> Outcome:
        start, outcome = self.t, None
        for _ in range(round(seconds * fps)):
            self.t, self.number = self.t + 1 / fps, self.number + 1
            outcome = self.pipeline.process(Frame(picture(self.t - start), self.t, self.number))
            self.shown.append(outcome.scene)
        assert outcome is not None
        return outcome


@pytest.fixture
def watched() -> Watched:
    one = Watched()
    assert one.knows_road
    return one


def test_a_camera_that_is_turned_at_once_forgets_its_road(watched: Watched) -> None:
    watched.watch(1.0, lambda _t: towards(700))

    assert not watched.knows_road
    assert watched.shown.count(SceneState.CUT) == 1


@pytest.mark.parametrize("by_px", [60, 400])
def test_a_camera_that_is_turned_slowly_forgets_its_road_once_it_stands(
    watched: Watched, by_px: int
) -> None:
    watched.watch(15.0, lambda t: towards(min(40 * t, by_px)))

    assert not watched.knows_road
    assert watched.shown.count(SceneState.TURNED) >= 1
    assert SceneState.CUT not in watched.shown


def test_a_crash_that_turns_the_camera_is_still_seen(watched: Watched) -> None:
    watched.model.car = True
    before = watched.watch(2.0, lambda _t: towards(0))
    after = watched.watch(4.0, lambda t: towards(min(40 * t, 60)))

    assert not watched.knows_road
    assert [one.track_id for one in after.tracks] == [one.track_id for one in before.tracks]
    assert not after.resting


def test_a_camera_that_swings_back_in_the_wind_keeps_its_road(watched: Watched) -> None:
    watched.watch(30.0, lambda t: towards(10 + 10 * np.sin(2 * t)))

    assert watched.knows_road


def test_a_broken_picture_is_no_other_view(watched: Watched) -> None:
    watched.watch(0.125, lambda _t: BROKEN)
    assert not watched.knows_road
    watched.watch(1.0, lambda _t: towards(0))

    assert watched.knows_road
    assert watched.shown.count(SceneState.CUT) == 2


def test_a_camera_that_looks_to_and_fro_has_a_road_for_each_view(watched: Watched) -> None:
    watched.watch(3.0, lambda _t: towards(700))
    assert not watched.knows_road
    watched.watch(3.0, lambda _t: towards(0))
    assert watched.knows_road


def test_after_a_pause_the_same_view_has_the_same_road_and_other_tracks(watched: Watched) -> None:
    watched.model.car = True
    before = watched.watch(2.0, lambda _t: towards(0))
    watched.t += 60.0
    after = watched.watch(2.0, lambda _t: towards(0))

    assert watched.knows_road
    assert before.tracks
    assert after.tracks[0].track_id > before.tracks[0].track_id


@pytest.mark.parametrize("step_s", [60.0, -60.0])
def test_who_turned_the_camera_while_nobody_looked_is_noticed(
    watched: Watched, step_s: float
) -> None:
    watched.t += step_s
    watched.watch(1.0, lambda _t: towards(60))

    assert not watched.knows_road


def test_a_clock_that_is_set_back_loses_no_road(watched: Watched) -> None:
    watched.model.car = True
    watched.t -= 60.0
    outcome = watched.watch(1.0, lambda _t: towards(0))

    assert watched.knows_road
    assert outcome.tracks


def test_a_picture_of_another_size_is_another_view(watched: Watched) -> None:
    watched.watch(1.0, lambda _t: cv2.resize(towards(0), (320, 180)))

    assert not watched.knows_road


def test_one_reset_forgets_everything(watched: Watched) -> None:
    watched.model.car = True
    watched.watch(3.0, lambda _t: towards(0))
    watched.memory.reset()

    assert not watched.knows_road
    assert (watched.memory.tracker.tracks, watched.memory.dwell.places) == ([], [])
