"""Where a recording has gaps, and why; what clips say of the same gap is the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from clipper import coverage as of_clips

from hazardcast.contract.messages import Gap, Window
from hazardcast.contract.vocabulary import GapCause, RunCause
from hazardcast.media import coverage
from hazardcast.media.segments import Run, Segment

T = 1_800_000_000.0


def segment(start: float, end: float) -> Segment:
    start_ms, end_ms = round((T + start) * 1000), round((T + end) * 1000)
    return Segment(start_ms, end_ms, Path(f"{start_ms}-{end_ms}.ts"))


def run(start: float, end: float | None, cause: RunCause | None = None) -> Run:
    return Run(T + start, None if end is None else T + end, cause)


def told(gaps: list[Gap]) -> list[tuple[float, float, str]]:
    return [(round(gap.start - T, 3), round(gap.end - T, 3), gap.cause) for gap in gaps]


@pytest.mark.parametrize("cause", RunCause)
def test_recording_and_clip_give_a_gap_the_same_cause(cause: RunCause) -> None:
    kept = [segment(0, 30), segment(45, 75)]
    runs = [run(0, 30, cause), run(45, None)]

    gaps = coverage.gaps(kept, runs)
    clip = of_clips.cover(
        Window(start=T + 5, end=T + 70),
        of_clips.of_segments(kept, now=T + 80),
        tolerance=0.25,
        runs=runs,
    )

    assert told(gaps) == [(30.0, 45.0, cause.value)]
    assert list(clip.gaps) == gaps


def test_a_gap_is_split_where_its_cause_changes() -> None:
    kept = [segment(0, 30), segment(90, 120)]
    runs = [
        run(0, 30, RunCause.CAMERA_DOWN), run(40, 60, RunCause.DISK_FULL), run(90, None),
    ]  # fmt: skip

    assert told(coverage.gaps(kept, runs)) == [
        (30.0, 40.0, "camera_down"), (40.0, 90.0, "disk_full"),
    ]  # fmt: skip


def test_a_run_that_was_killed_without_a_word_is_known_by_the_next() -> None:
    kept = [segment(0, 30), segment(45, 75)]

    assert told(coverage.gaps(kept, [run(0, None), run(45, None)])) == [(30, 45, "recorder_killed")]


def test_within_a_run_that_went_on_there_were_no_frames() -> None:
    kept = [segment(0, 30), segment(45, 75)]

    assert told(coverage.gaps(kept, [run(0, None)])) == [(30, 45, "no_frames")]


def test_without_a_run_log_nobody_knows() -> None:
    kept = [segment(0, 30), segment(45, 75)]

    assert told(coverage.gaps(kept)) == [(30, 45, GapCause.UNKNOWN)]


def test_overlapping_segments_have_no_gap() -> None:
    assert (
        coverage.gaps([segment(0, 30), segment(20, 40), segment(25, 28), segment(40.2, 50)]) == []
    )
