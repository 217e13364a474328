"""Frames and closed files become segments named by wall clock."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorder.frames import ClosedSegment, Frame
from recorder.timeline import NamedSegment, Timeline

START = 1_800_000_000.0
FRAME_S = 0.1
GOP = 10


class Camera:
    """Ten frames a second, a key frame a second, arriving 50 ms after they were taken."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.index = 0
        self.clock_set_by_s = 0.0
        self.named: list[NamedSegment] = []

    def play(self, frames: int, *, late_s: float = 0.05, segment_frames: int = 50) -> None:
        for _ in range(frames):
            taken_s = self.index * FRAME_S
            key = self.index % GOP == 0
            if self.index and self.index % segment_frames == 0:
                number = self.index // segment_frames
                start_s = 0.0 if number == 1 else taken_s - segment_frames * FRAME_S
                self.timeline.segment(ClosedSegment(f"{number}.ts", start_s, taken_s))
            self.timeline.frame(
                Frame(taken_s, FRAME_S, key, 100),
                arrived_at=START + taken_s + late_s + self.clock_set_by_s,
                monotonic_s=taken_s + late_s,
            )
            self.named += self.timeline.named()
            self.index += 1


@pytest.fixture
def camera() -> Camera:
    return Camera(Timeline())


def test_a_segment_is_named_by_its_first_and_last_frame(camera: Camera) -> None:
    camera.play(101)

    first, second = camera.named
    assert (first.start, first.end) == pytest.approx((START + 0.05, START + 4.95))
    assert (second.start, second.end) == pytest.approx((START + 5.05, START + 9.95))
    assert first.duration_s == pytest.approx(5.0)
    assert not second.begins_run


def test_the_last_file_is_named_when_no_frame_follows(camera: Camera) -> None:
    camera.play(30)
    camera.timeline.segment(ClosedSegment("1.ts", 0.0, 3.0))

    assert camera.timeline.named() == []
    (segment,) = camera.timeline.named(final=True)
    assert segment.end == pytest.approx(START + 2.95)


def test_frames_that_the_demuxer_held_back_are_dated_by_when_they_came() -> None:
    timeline = Timeline()
    timeline.frames_in_flight = 2
    Camera(timeline).play(60, late_s=0.05 + 2 * FRAME_S)

    assert timeline.offset_s == pytest.approx(START + 0.05)


def test_a_burst_at_the_start_is_not_named_before_frames_come_live() -> None:
    timeline = Timeline()
    for index in range(30):
        key = index % GOP == 0
        timeline.frame(Frame(index * FRAME_S, FRAME_S, key, 1), arrived_at=START + 3 + index / 1000, monotonic_s=3 + index / 1000)  # fmt: skip
    timeline.segment(ClosedSegment("1.ts", 0.0, 2.0))
    assert timeline.named() == []

    for index in range(30, 55):
        taken_s = index * FRAME_S
        timeline.frame(Frame(taken_s, FRAME_S, False, 1), arrived_at=START + taken_s, monotonic_s=taken_s)  # fmt: skip
    (segment,) = timeline.named()
    assert segment.start == pytest.approx(START, abs=0.001)


@pytest.mark.parametrize("step_s", [3600.0, -3600.0, 0.5])
def test_a_clock_that_is_set_begins_a_new_run_at_the_next_file(
    camera: Camera, step_s: float
) -> None:
    camera.play(75)
    camera.clock_set_by_s = step_s
    camera.play(80)

    first, second, third = camera.named
    assert [first.begins_run, second.begins_run, third.begins_run] == [False, False, True]
    assert second.end == pytest.approx(START + 9.95)
    assert third.start == pytest.approx(START + 10.05 + step_s)


def test_a_camera_whose_clock_jumps_is_told(camera: Camera) -> None:
    camera.play(50)
    assert not camera.timeline.jumped
    camera.timeline.frame(Frame(1.0, FRAME_S, False, 1), arrived_at=START + 5.1, monotonic_s=5.1)
    assert camera.timeline.jumped

    ahead = Camera(Timeline())
    ahead.play(50)
    ahead.timeline.frame(Frame(60.0, FRAME_S, False, 1), arrived_at=START + 5.1, monotonic_s=5.1)
    assert ahead.timeline.jumped


def test_stamps_that_stand_still_while_pictures_come_are_a_clock_that_was_set_back(
    camera: Camera,
) -> None:
    camera.play(50)
    for number in range(15):
        taken_s = 5.0 + number * FRAME_S
        assert number > 8 or not camera.timeline.jumped
        camera.timeline.frame(Frame(4.9 + number / 90_000, FRAME_S, False, 1), arrived_at=START + taken_s, monotonic_s=taken_s)  # fmt: skip

    assert camera.timeline.jumped


def test_a_burst_after_a_stall_and_a_slow_camera_do_not_stand_still(camera: Camera) -> None:
    camera.play(50)
    for number in range(60):
        camera.timeline.frame(Frame(5.0 + number * FRAME_S, FRAME_S, False, 1), arrived_at=START + 11, monotonic_s=11.0)  # fmt: skip
    slow = Timeline()
    for number in range(5):
        slow.frame(Frame(number * 5.0, 5.0, True, 1), arrived_at=START + number * 5, monotonic_s=number * 5.0)  # fmt: skip
        assert not slow.stalled(number * 5.0 + 6.0)

    assert not camera.timeline.jumped
    assert not slow.jumped


@pytest.mark.parametrize("wild_s", [3600.0, 8.0, -3600.0])
def test_a_wild_stamp_is_in_no_name(camera: Camera, wild_s: float) -> None:
    camera.play(58)
    for number in range(3):
        taken_s = camera.index * FRAME_S + number * FRAME_S
        camera.timeline.frame(
            Frame(taken_s + wild_s, FRAME_S, number == 1, 1),
            arrived_at=START + taken_s, monotonic_s=taken_s,
        )  # fmt: skip
    camera.timeline.segment(ClosedSegment("2.ts", 5.0, 5.9 + max(0.0, wild_s)))
    camera.timeline.segment(ClosedSegment("3.ts", 5.9 + wild_s, 6.0 + wild_s))
    named = [*camera.named, *camera.timeline.named(final=True)]

    assert camera.timeline.jumped
    assert [segment.name for segment in named] == ["1.ts", "2.ts"]
    assert named[-1].end == pytest.approx(START + 5.75)
    assert named[-1].duration_s < 1.0


def test_a_slow_camera_that_reorders_its_pictures_does_not_jump() -> None:
    timeline = Timeline()
    for place, shown in enumerate([0, 3, 1, 2, 6, 4, 5, 9, 7, 8]):
        timeline.frame(Frame(shown * 2.0, 2.0, place == 0, 1), arrived_at=START + place * 2.0, monotonic_s=place * 2.0)  # fmt: skip

    assert not timeline.jumped


def test_pictures_before_the_first_key_frame_show_that_the_camera_sends_and_are_in_no_name() -> (
    None
):
    timeline = Timeline()
    for index in range(60):
        taken_s = index * FRAME_S
        assert timeline.key_awaited == (1 <= index <= 20)
        timeline.frame(Frame(taken_s, FRAME_S, index == 20, 1), arrived_at=START + taken_s, monotonic_s=taken_s)  # fmt: skip
    timeline.segment(ClosedSegment("1.ts", 0.0, 6.0))

    (segment,) = timeline.named(final=True)
    assert (segment.start, segment.end) == pytest.approx((START + 2.0, START + 5.9))


@pytest.mark.parametrize("in_flight", [0, 1, 2, 3])
@pytest.mark.parametrize("pause_s", [2.5, 2.9])
def test_a_pause_of_the_camera_is_no_jump(in_flight: int, pause_s: float) -> None:
    timeline = Timeline()
    timeline.frames_in_flight = in_flight
    shown_s = [index * FRAME_S + (pause_s if index > 30 else 0.0) for index in range(60)]
    for index in range(len(shown_s) - in_flight):
        told_s = shown_s[index + in_flight]
        timeline.frame(Frame(shown_s[index], FRAME_S, index == 0, 1), arrived_at=START + told_s, monotonic_s=told_s)  # fmt: skip

    assert not timeline.jumped


@pytest.mark.parametrize("in_flight", [1, 3])
def test_a_leap_soon_after_a_pause_is_still_a_jump(in_flight: int) -> None:
    timeline = Timeline()
    timeline.frames_in_flight = in_flight
    for index in range(60):
        told_s = index * FRAME_S + (2.5 if index > 30 else 0.0)
        leapt_s = 3.0 if index > 40 else 0.0
        timeline.frame(Frame(told_s + leapt_s, FRAME_S, index == 0, 1), arrived_at=START + told_s, monotonic_s=told_s)  # fmt: skip

    assert timeline.jumped


def test_b_frames_are_no_jump() -> None:
    timeline = Timeline()
    for place, shown in enumerate([0, 3, 1, 2, 6, 4, 5]):
        timeline.frame(Frame(shown * FRAME_S, FRAME_S, place == 0, 1), arrived_at=START + place, monotonic_s=place * FRAME_S)  # fmt: skip

    assert not timeline.jumped


def test_silence_is_a_stall_after_three_seconds_or_two_key_frame_intervals(camera: Camera) -> None:
    assert not camera.timeline.stalled(1e9)
    camera.play(31)
    last_s = 3.05

    assert not camera.timeline.stalled(last_s + 2.9)
    assert camera.timeline.stalled(last_s + 3.1)

    camera.timeline.key_interval_s = 4.0
    assert not camera.timeline.stalled(last_s + 7.9)
    assert camera.timeline.stalled(last_s + 8.1)


def test_a_file_without_a_frame_is_not_named(camera: Camera) -> None:
    camera.play(51)
    camera.timeline.segment(ClosedSegment("empty.ts", 5.0, 5.0))
    camera.timeline.segment(ClosedSegment("last.ts", 5.0, 5.1))

    assert [segment.name for segment in camera.timeline.named(final=True)] == ["last.ts"]


@given(
    late=st.lists(st.floats(0, 1.5), min_size=120, max_size=240),
    order=st.booleans(),
)
def test_names_are_in_order_and_never_overlap_within_a_run(late: list[float], order: bool) -> None:
    timeline = Timeline()
    named: list[NamedSegment] = []
    arrived_s = 0.0
    for index, wait_s in enumerate(late):
        arrived_s = max(arrived_s, index * FRAME_S + wait_s)
        if index and index % 20 == 0 and order:
            timeline.segment(ClosedSegment(f"{index}.ts", (index - 20) * FRAME_S, index * FRAME_S))
        timeline.frame(Frame(index * FRAME_S, FRAME_S, index % 10 == 0, 1), arrived_at=START + arrived_s, monotonic_s=arrived_s)  # fmt: skip
        if index and index % 20 == 0 and not order:
            timeline.segment(ClosedSegment(f"{index}.ts", (index - 20) * FRAME_S, index * FRAME_S))
        named += timeline.named()
    named += timeline.named(final=True)

    assert len(named) == (len(late) - 1) // 20
    for before, after in pairwise(named):
        assert before.start <= before.end
        if not after.begins_run:
            assert after.start > before.end - 0.6  # the offset may fall while it settles
