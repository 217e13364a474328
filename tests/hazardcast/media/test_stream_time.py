"""Stream time becomes wall clock without drift, through jitter, bursts and clocks that are set."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.media.stream_time import StreamTime

START = 1_800_000_000.0
DAY_S = 86_400


def play(
    time: StreamTime, seconds: int, *, ppm: float = 0.0, jitter_s: float = 0.03, per_s: int = 1
) -> list[float]:
    """The mapping's error at every frame of a camera whose clock is `ppm` fast."""
    chance = random.Random(7)
    errors = []
    for index in range(seconds * per_s):
        taken_at = index / per_s
        stream_s = taken_at * (1 + ppm * 1e-6)
        assert time.observe(stream_s, START + taken_at + chance.expovariate(1 / jitter_s))
        errors.append(time.wall(stream_s) - (START + taken_at))
    return errors


@pytest.mark.parametrize("ppm", [200, -200, 0, 400])
def test_a_day_of_a_camera_whose_clock_runs_wrong_stays_within_100_ms(ppm: float) -> None:
    errors = play(StreamTime(), DAY_S, ppm=ppm)

    settled = errors[20:]
    assert max(abs(error) for error in settled) < 0.1


@pytest.mark.parametrize(("percent", "learnt_s"), [(2, 60), (-2, 110), (-3, 120)])
def test_a_camera_that_counts_time_by_a_wrong_frame_rate_is_followed(
    percent: float, learnt_s: int
) -> None:
    errors = play(StreamTime(), 900, ppm=percent * 10_000, jitter_s=0.01, per_s=15)

    assert max(abs(error) for error in errors[15 * 10 : 15 * learnt_s]) < 1.0 + abs(percent) / 2
    assert max(abs(error) for error in errors[15 * learnt_s :]) < 0.15


def test_a_camera_that_counts_rightly_again_is_followed_too() -> None:
    time, stream_s, errors = StreamTime(), 0.0, []
    for index in range(15 * 400):
        taken_at = index / 15
        stream_s += (1.02 if taken_at < 200 else 1.0) / 15
        assert time.observe(stream_s, START + taken_at, monotonic_s=taken_at)
        errors.append(abs(time.wall(stream_s) - START - taken_at))

    assert max(errors[15 * 60 : 15 * 200]) < 0.1
    assert max(errors[15 * 260 :]) < 0.1


def test_the_error_estimate_covers_the_true_error_of_a_jittery_camera() -> None:
    time = StreamTime()

    errors = play(time, 600, ppm=100, per_s=15)

    assert abs(errors[-1]) <= time.error_s + 0.01
    assert time.error_s < 0.1


def test_a_burst_of_old_frames_at_the_start_does_not_set_the_clock_wrong() -> None:
    time = StreamTime()
    burst_s = 12.0
    for index in range(int(burst_s * 15)):
        time.observe(index / 15, START + burst_s + index * 0.001)
    for index in range(15 * 10):
        stream_s = burst_s + index / 15
        assert time.observe(stream_s, START + stream_s)

    assert time.wall(burst_s) == pytest.approx(START + burst_s, abs=0.2)


def test_a_wall_clock_that_is_set_is_told_at_the_next_frame_when_the_monotonic_one_is_known() -> (
    None
):
    for step_s in (3600.0, -3600.0, 0.3, -0.3):
        time = StreamTime()
        for index in range(300):
            assert time.observe(index / 15, START + index / 15, monotonic_s=index / 15)

        assert not time.observe(20.0, START + 20.0 + step_s, monotonic_s=20.0)


def test_without_the_monotonic_clock_a_step_back_is_told_at_once_and_a_step_ahead_within_two_blocks() -> None:  # fmt: skip
    back, ahead = StreamTime(), StreamTime()
    for index in range(300):
        back.observe(index / 15, START + index / 15)
        ahead.observe(index / 15, START + index / 15)

    assert not back.observe(20.0, START + 20.0 - 5.0)
    assert not all(
        ahead.observe(20 + index / 15, START + 25 + index / 15) for index in range(15 * 21)
    )


def test_a_slow_network_does_not_begin_a_new_run_and_moves_the_clock_only_by_the_slew() -> None:
    time = StreamTime()
    for index in range(15 * 20):
        time.observe(index / 15, START + index / 15, monotonic_s=index / 15)
    for index in range(15 * 60):
        stream_s = 20 + index / 15
        late = stream_s + 4.0
        assert time.observe(stream_s, START + late, monotonic_s=late)

    assert time.wall(80.0) - (START + 80.0) <= 60 * 500e-6 + 0.01


@given(
    jitters=st.lists(st.floats(0, 0.2), min_size=30, max_size=300),
    ppm=st.floats(-300, 300),
)
def test_wall_time_never_runs_backwards_within_a_run(jitters: list[float], ppm: float) -> None:
    time = StreamTime(offset_s=None)
    last = float("-inf")
    for index, jitter in enumerate(jitters):
        stream_s = index * 0.5 * (1 + ppm * 1e-6)
        time.observe(stream_s, START + index * 0.5 + jitter)
        if index >= 20:  # settled: before, the offset may fall
            assert time.wall(stream_s) > last
            last = time.wall(stream_s)


def test_nothing_observed_means_no_wall_clock() -> None:
    with pytest.raises(ValueError, match="no frame"):
        StreamTime().wall(1.0)
