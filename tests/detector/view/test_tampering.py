from __future__ import annotations

import numpy as np
from detector.view.conditions import Condition, ConditionWatch
from detector.view.tampering import SceneState, SceneWatch
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.vision.pixels.registration import shift_px

random = np.random.default_rng(5)
STREET = np.clip(random.normal(110, 40, (36, 64)), 0, 255)
OTHER = np.clip(random.normal(110, 60, (36, 64)), 0, 255)


def watch(picture, until_s, fps=8):
    """States over time of noisy pictures; `picture(t)` gives the clean one."""
    scene, states = SceneWatch(), []
    for number in range(int(until_s * fps)):
        t = number / fps
        clean = picture(t)
        noise = random.normal(0, 2, clean.shape) if picture is not FROZEN else 0
        thumb = np.clip(clean + noise, 0, 255).astype(np.uint8)
        states.append((t, scene.update(thumb, t), scene.suppressed(t)))
    return states


def FROZEN(_t):  # noqa: N802 - a constant picture
    return STREET


def test_an_ordinary_picture_is_clear() -> None:
    assert all(state is SceneState.CLEAR for _, state, _ in watch(lambda _t: STREET, 20.0))


def test_a_cut_is_seen_at_once_and_rests_incidents_for_five_seconds() -> None:
    states = watch(lambda t: STREET if t < 3 else OTHER, 10.0)

    assert [t for t, state, _ in states if state is SceneState.CUT] == [3.0]
    assert [resting for t, _, resting in states if t in (2.5, 3.0, 7.5, 8.5)] == [
        False, True, True, False,
    ]  # fmt: skip


def test_an_exposure_jump_is_no_cut() -> None:
    states = watch(lambda t: STREET if t < 3 else STREET * 0.6 + 70, 6.0)

    kinds = {state for t, state, _ in states if t >= 3}
    assert SceneState.EXPOSURE in kinds
    assert SceneState.CUT not in kinds


def test_an_exposure_jump_rests_incidents_only_shortly() -> None:
    states = watch(lambda t: STREET if t < 3 else STREET * 0.6 + 70, 8.0)

    assert [resting for t, _, resting in states if t in (2.5, 3.5, 6.5)] == [False, True, False]


def test_a_lorry_that_fills_a_third_of_the_picture_is_no_exposure_jump() -> None:
    def passing(t):
        picture = STREET.copy()
        picture[10:, : int(np.clip(25 * (t - 3), 0, 30))] = 245
        return picture

    assert all(state is SceneState.CLEAR for _, state, _ in watch(passing, 6.0))


def test_a_moment_is_shown_until_a_status_was_said() -> None:
    scene = SceneWatch()
    for number in range(120):
        t = number / 8
        scene.update(noisy(STREET if t < 3 else OTHER), t)
        if t == 9:
            assert scene.state is SceneState.CLEAR
            assert scene.shown(t) is SceneState.CUT
    assert scene.shown(14.5) is SceneState.CLEAR


def noisy(picture):
    return np.clip(picture + random.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)


def smooth(seed: int = 3):
    """A larger view with detail that can be shifted by parts of a thumbnail's pixel."""
    rough = np.random.default_rng(seed).normal(110, 120, (44, 72))
    for axis in (0, 1, 0, 1, 0, 1):
        rough = np.mean([np.roll(rough, step, axis) for step in (-1, 0, 1)], axis=0)
    return rough


def shifted(picture, x: float, y: float):
    """The 36 × 64 view that begins at (4 + x, 4 + y), between pixels too."""
    rows, columns = np.arange(36) + 4 + y, np.arange(64) + 4 + x
    top, left = rows.astype(int), columns.astype(int)
    down, right = (rows - top)[:, None], (columns - left)[None]
    corner = [picture[np.ix_(top + a, left + b)] for a in (0, 1) for b in (0, 1)]
    above = corner[0] * (1 - right) + corner[1] * right
    below = corner[2] * (1 - right) + corner[3] * right
    return above * (1 - down) + below * down


@given(x=st.floats(-3, 3), y=st.floats(-3, 3), seed=st.integers(0, 30))
def test_the_movement_of_a_whole_picture_is_measured_to_parts_of_a_pixel(x, y, seed) -> None:
    view = smooth(seed)

    moved = shift_px(shifted(view, 0, 0), shifted(view, -x, -y))

    assert moved is not None
    assert np.hypot(*(moved - [x, y])) < 0.35


def test_pictures_with_nothing_in_common_have_no_movement() -> None:
    assert shift_px(np.zeros((36, 64)), np.zeros((36, 64))) is None
    assert shift_px(smooth(1)[:36, :64], smooth(2)[:36, :64]) is None


def test_a_shaking_camera_is_told_and_rests_incidents() -> None:
    view = smooth()
    states = watch(
        lambda t: shifted(view, 1.5 * np.sin(9 * t) * (t > 4), np.cos(7 * t) * (t > 4)), 10
    )

    assert all(state is SceneState.CLEAR for t, state, _ in states if t < 4)
    late = [(state, resting) for t, state, resting in states if t > 6]
    assert sum(state is SceneState.SHAKE for state, _ in late) > len(late) / 2
    assert all(resting for _, resting in late)


def test_a_camera_that_is_turned_slowly_does_not_shake() -> None:
    view = smooth()
    states = watch(lambda t: shifted(view, 3 * t / 10, 0), 10)

    assert all(state is not SceneState.SHAKE for _, state, _ in states)


def test_vehicles_that_cross_are_no_shake() -> None:
    def traffic(t):
        picture = STREET.copy()
        for row, speed in ((12, 20), (22, -14), (28, 30)):
            left = int(speed * t) % 64
            picture[row : row + 6, left : left + 9] = 230
        return picture

    assert all(state is SceneState.CLEAR for _, state, _ in watch(traffic, 20))


def test_slow_dusk_is_clear() -> None:
    states = watch(lambda t: STREET * (1 - t / 200), 60.0)

    assert all(state is SceneState.CLEAR for _, state, _ in states)


def test_a_covered_lens_is_told_after_a_second() -> None:
    states = watch(lambda t: STREET if t < 3 else np.full((36, 64), 20.0), 15.0)

    assert states[-1][1] is SceneState.COVERED
    assert states[-1][2]


def test_a_hand_before_the_lens_is_told_though_it_is_not_even() -> None:
    hand = 60 + 7 * np.sin(np.linspace(0, 3, 36))[:, None] + np.zeros((36, 64))
    states = watch(lambda t: STREET if t < 8 else hand, 15.0)

    assert states[-1][1] is SceneState.COVERED


def test_a_black_picture_is_told_as_black() -> None:
    states = watch(lambda t: STREET if t < 3 else np.full((36, 64), 4.0), 15.0)

    assert states[-1][1] is SceneState.BLACK
    assert states[-1][2]


def test_a_foggy_morning_is_no_covered_lens() -> None:
    states = watch(lambda t: 110 + (STREET - 110) * max(0.3, 1 - t / 60), 90.0)

    assert all(state is SceneState.CLEAR for _, state, _ in states)


def conditions(picture, until_s: float, fps: int = 8):
    """The conditions at the end of pictures (90 × 160) with sensor noise."""
    watch = ConditionWatch()
    for number in range(int(until_s * fps)):
        clean = picture(number)
        pixels = np.clip(clean + random.normal(0, 4, clean.shape), 0, 255).astype(np.uint8)
        watch.update(pixels, number / fps)
    return watch.now


WIDE = np.clip(np.random.default_rng(8).normal(110, 30, (90, 160)), 0, 255)


def test_a_dark_view_with_lights_is_night() -> None:
    night = WIDE * 0.25
    night[60:66, 30:40] = 250

    assert conditions(lambda _n: night, 20) == {Condition.NIGHT}
    assert conditions(lambda _n: WIDE, 20) == set()


def test_dusk_does_not_flicker_between_day_and_night() -> None:
    watch, seen = ConditionWatch(), []
    for number in range(2000):
        level = 66 + 3 * np.sin(number / 60)
        watch.update(np.full((90, 160), level, np.uint8), number / 8)
        seen.append(Condition.NIGHT in watch.now)

    assert len(set(seen)) == 1


def rainy(number: int):
    drops = np.random.default_rng(number)
    picture = WIDE.copy()
    for row, column in zip(drops.integers(0, 82, 60), drops.integers(0, 160, 60), strict=True):
        picture[row : row + 8, column] += 45
    return picture


def test_streaks_all_over_the_picture_are_rain() -> None:
    assert conditions(rainy, 30) == {Condition.RAIN}


def test_noise_is_no_rain_and_neither_is_traffic_with_lamps() -> None:
    def busy(number):
        picture = WIDE.copy()
        for row in range(40, 80, 8):
            left = (number * 13 + row * 7) % 150
            picture[row : row + 5, left : left + 10] = 240
        return picture

    loud = lambda _n: WIDE + random.normal(0, 12, WIDE.shape)  # noqa: E731
    assert conditions(loud, 30) == set()
    assert conditions(busy, 30) == set()


def test_a_frozen_picture_is_told_after_a_while() -> None:
    states = watch(FROZEN, 15.0)

    assert states[10][1] is SceneState.CLEAR
    assert states[-1][1] is SceneState.FROZEN
