"""What there is of a window, and why the rest is missing."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from clipper import coverage
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.messages import Window
from hazardcast.contract.vocabulary import RunCause
from hazardcast.media.coverage import Stretch
from hazardcast.media.segments import Run, Segment

T = 1_800_000_000.0


def window(start: float, end: float) -> Window:
    return Window(start=T + start, end=T + end)


def stretches(*pairs: tuple[float, float]) -> list[Stretch]:
    return [Stretch(T + start, T + end) for start, end in pairs]


def causes(found: coverage.Coverage) -> list[tuple[float, float, str]]:
    return [(round(g.start - T, 3), round(g.end - T, 3), g.cause) for g in found.gaps]


def run(start: float, end: float | None, cause: RunCause | None) -> Run:
    return Run(T + start, None if end is None else T + end, cause)


moments = st.floats(0, 1000, allow_nan=False).map(lambda value: round(value, 3))


@given(
    edges=st.tuples(moments, moments),
    pieces=st.lists(st.tuples(moments, moments), max_size=12),
    runs=st.lists(
        st.tuples(moments, st.none() | moments, st.none() | st.just(RunCause.STALLED)), max_size=5
    ),
    tolerance=st.sampled_from([0.25, 1.0, 2.0]),
)
def test_stretches_and_gaps_are_exactly_the_window(
    edges: tuple[float, float],
    pieces: list[tuple[float, float]],
    runs: list[tuple[float, float | None, RunCause | None]],
    tolerance: float,
) -> None:
    wanted = window(min(edges), max(edges))
    found = coverage.cover(
        wanted,
        stretches(*((min(piece), max(piece)) for piece in pieces)),
        tolerance=tolerance,
        runs=[run(*one) for one in runs],
    )

    parts = sorted([*found.stretches, *((gap.start, gap.end) for gap in found.gaps)])
    assert parts[0][0] == wanted.start
    assert parts[-1][1] == wanted.end
    for before, after in itertools.pairwise(parts):
        assert before[1] == after[0]
    assert 0.0 <= found.ratio <= 1.0
    assert found.complete == (not found.gaps)


def test_seams_of_a_frame_interval_are_no_gaps_and_a_lost_segment_is() -> None:
    whole = stretches((0, 9.96), (10, 19.96), (20, 29.96))

    assert coverage.cover(window(2, 28), whole, tolerance=0.25).complete
    lost = coverage.cover(window(2, 28), [whole[0], whole[2]], tolerance=0.25)
    assert [(start, end) for start, end, _ in causes(lost)] == [(9.96, 20.0)]


@pytest.mark.parametrize(("fps", "expected"), [(25.0, 0.25), (10.0, 0.3), (2.0, 1.5), (1.6, 1.875)])
def test_the_tolerance_follows_the_frame_interval(fps: float, expected: float) -> None:
    step_ms = round(1000 / fps)
    segments = [
        Segment(start, start + 10_000 - step_ms, Path(f"{start}.ts"))
        for start in range(0, 50_000, 10_000)
    ]
    assert coverage.tolerance_s(segments) == pytest.approx(expected, abs=0.01)


def test_a_gap_has_the_cause_that_ended_the_run_before_it() -> None:
    runs = [run(0, 30, RunCause.STALLED), run(40, 60, RunCause.CAMERA_DOWN), run(70, None, None)]
    found = coverage.cover(
        window(10, 90), stretches((0, 30), (40, 60), (70, 95)), tolerance=0.25, runs=runs
    )

    assert causes(found) == [(30.0, 40.0, "stalled"), (60.0, 70.0, "camera_down")]


def test_a_run_without_an_end_before_another_was_killed() -> None:
    runs = [run(0, None, None), run(45, None, None)]
    found = coverage.cover(window(10, 60), stretches((0, 30), (45, 70)), tolerance=0.25, runs=runs)

    assert causes(found) == [(30.0, 45.0, "recorder_killed")]


def test_what_was_recorded_and_is_gone_fell_to_retention_and_before_that_was_nothing() -> None:
    runs = [run(0, None, None)]
    found = coverage.cover(window(-20, 90), stretches((50, 95)), tolerance=0.25, runs=runs)

    assert causes(found) == [(-20.0, 0.0, "never_recorded"), (0.0, 50.0, "retention")]


def test_what_a_running_recorder_has_not_closed_yet_is_not_recorded_yet() -> None:
    runs = [run(0, None, None)]
    found = coverage.cover(window(10, 90), stretches((0, 50)), tolerance=0.25, runs=runs)

    assert causes(found) == [(50.0, 90.0, "not_recorded_yet")]


def test_the_last_segment_that_a_full_disk_took_belongs_to_that_cause() -> None:
    runs = [run(0, 38, RunCause.DISK_FULL), run(60, None, None)]
    found = coverage.cover(window(10, 80), stretches((0, 30), (60, 90)), tolerance=0.25, runs=runs)

    assert causes(found) == [(30.0, 60.0, "disk_full")]


def test_a_hole_inside_a_run_is_lack_of_frames() -> None:
    runs = [run(0, 90, RunCause.RECORDER_STOPPED)]
    found = coverage.cover(window(10, 80), stretches((0, 30), (35, 90)), tolerance=0.25, runs=runs)

    assert causes(found) == [(30.0, 35.0, "no_frames")]


def test_frames_before_a_runs_first_key_frame_belong_to_the_gap_before_it() -> None:
    runs = [run(0, 30, RunCause.STALLED), run(40, None, None)]
    found = coverage.cover(window(10, 60), stretches((0, 30), (42, 70)), tolerance=0.25, runs=runs)
    assert causes(found) == [(30.0, 42.0, "stalled")]

    first = coverage.cover(window(-5, 20), stretches((2, 30)), tolerance=0.25, runs=runs)
    assert causes(first) == [(-5.0, 2.0, "never_recorded")]


def test_a_run_told_twice_counts_with_its_end() -> None:
    runs = [run(0, None, None), run(0, 30, RunCause.STALLED), run(40, None, None)]
    found = coverage.cover(window(10, 60), stretches((0, 30), (40, 70)), tolerance=0.25, runs=runs)

    assert causes(found) == [(30.0, 40.0, "stalled")]


def test_no_recording_at_all_is_never_recorded() -> None:
    found = coverage.cover(window(0, 10), [], tolerance=0.25)

    assert causes(found) == [(0.0, 10.0, "never_recorded")]
    assert found.delivered is None
    assert found.ratio == 0.0


def test_an_instant_is_covered_or_not() -> None:
    assert coverage.cover(window(5, 5), stretches((0, 10)), tolerance=0.25).ratio == 1.0
    assert coverage.cover(window(15, 15), stretches((0, 10)), tolerance=0.25).ratio == 0.0


def test_no_segment_covers_what_has_not_happened_yet() -> None:
    wild = Segment(round(T * 1000), round((T + 3600) * 1000), Path("wild.ts"))

    assert coverage.of_segments([wild], now=T + 40) == stretches((0, 40))
    assert coverage.of_segments([wild], now=T - 5) == stretches((0, 0))
