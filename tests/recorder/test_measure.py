"""Figures of a camera from its pictures."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from recorder import measure
from recorder.frames import Frame
from recorder.measure import Arrival


def arrivals(*, seconds: float, fps: float = 15, gop: int = 15, speed: float = 1.0, jitter_s: float = 0.0, burst_s: float = 0.0) -> list[Arrival]:  # fmt: skip
    """Pictures of a camera whose clock runs `speed` as fast as ours; its first come at once."""
    chance = random.Random(1)
    came = []
    for number in range(round(seconds * fps)):
        taken_s = number / fps
        key = number % gop == 0
        frame = Frame(taken_s * speed, speed / fps, key, 5000 if key else 500)
        came_s = max(taken_s, burst_s) + chance.uniform(0, jitter_s)
        came.append(Arrival(frame, 1000 + came_s))
    return came


def test_rate_key_frames_and_bits_are_those_of_the_stream() -> None:
    came = arrivals(seconds=8.5, fps=20, gop=40)

    assert measure.fps(came) == pytest.approx(20)
    assert measure.key_interval_s(came) == pytest.approx(2.0)
    assert measure.video_bps(came) == pytest.approx(8 * (5000 + 39 * 500) / 2)
    assert not measure.has_b_frames(came)


def with_b_frames(*, seconds: float, fps: float = 15) -> list[Arrival]:
    """The same in decoding order, three B-frames between two others."""
    order = [0]
    for anchor in range(4, round(seconds * fps), 4):
        order += [anchor, anchor - 3, anchor - 2, anchor - 1]
    return [Arrival(Frame(n / fps, 1 / fps, n == 0, 500), 1000 + n / fps) for n in order]


def test_the_rate_is_of_the_stream_wherever_it_is_cut_off_and_whenever_its_pictures_came() -> None:
    came = with_b_frames(seconds=8)
    late = [replace(one, monotonic_s=1000 + place // 30) for place, one in enumerate(came)]

    for cut in range(60, len(came)):
        assert measure.fps(late[:cut]) == pytest.approx(15)


def test_a_first_stamp_that_was_guessed_tells_nothing_of_the_rate() -> None:
    first, *came = with_b_frames(seconds=6)
    guessed = replace(first, frame=replace(first.frame, pts_s=first.frame.pts_s - 3 / 15))

    assert measure.fps([guessed, *came]) == pytest.approx(15)


def test_two_fields_are_one_picture_but_a_doubled_stamp_now_and_then_is_none() -> None:
    came = arrivals(seconds=8, fps=25)
    fields = [replace(one, frame=replace(one.frame, pts_s=one.frame.pts_s + more)) for one in came for more in (0.0, 1e-5)]  # fmt: skip
    stamped = [
        came[place - 1] if place % 10 == 0 and place else one for place, one in enumerate(came)
    ]

    assert measure.fps(fields) == pytest.approx(25, rel=0.01)
    assert measure.fps(stamped) == pytest.approx(25, rel=0.01)


def test_pictures_decoded_in_another_order_are_b_frames() -> None:
    came = arrivals(seconds=1)
    came[3], came[4] = came[4], came[3]

    assert measure.has_b_frames(came)


@pytest.mark.parametrize("speed", [1.02, 1.0, 0.98])
def test_the_pace_of_its_clock_is_seen_through_a_burst_and_jitter(speed: float) -> None:
    found = measure.clock_rate(arrivals(seconds=8, speed=speed, jitter_s=0.05, burst_s=1.5))

    assert found is not None
    rate, error = found
    assert rate == pytest.approx(speed, abs=0.005)
    assert error < 0.0025


def test_too_few_pictures_tell_no_pace() -> None:
    assert measure.clock_rate([]) is None
    assert measure.clock_rate(arrivals(seconds=3)) is None
    late = [Arrival(one.frame, one.monotonic_s, exact=False) for one in arrivals(seconds=20)]
    assert measure.clock_rate(late) is None


def test_one_picture_is_neither_rate_nor_distance() -> None:
    (alone,) = arrivals(seconds=1, fps=1)

    assert measure.fps([alone]) is None
    assert measure.key_interval_s([alone]) is None
    assert measure.video_bps([alone]) is None
    assert measure.recorded_bps([alone], 10, is_copied=True) is None
    assert measure.video_bps([]) is None


def test_what_goes_to_the_disk_has_sound_and_packaging_beside_the_pictures() -> None:
    came = arrivals(seconds=8.5)
    pictures = sum(one.frame.size for one in came)
    bps = measure.video_bps(came)
    assert bps

    assert measure.recorded_bps(came, round(1.3 * pictures), is_copied=True) == pytest.approx(1.3 * bps, rel=1e-3)  # fmt: skip
    assert measure.recorded_bps(came, 850_000, is_copied=False) == pytest.approx(
        8 * 850_000 / measure.span_s(came)
    )
