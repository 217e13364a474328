"""What is recorded in a window and what is not, edges included."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from console.archives.timeline import timeline
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.vocabulary import RunCause
from hazardcast.media.coverage import Stretch
from hazardcast.media.segments import Run, Segment

T = 1_800_000_000.0


def segment(start: float, length_s: float = 9.95) -> Segment:
    start_ms = round((T + start) * 1000)
    return Segment(start_ms, start_ms + round(length_s * 1000), Path("x"))


def test_gaps_have_their_causes_and_the_window_its_edges() -> None:
    runs = [Run(T + 10, T + 29.95, RunCause.CAMERA_DOWN), Run(T + 60, None, None)]

    told = timeline([segment(10), segment(20), segment(60)], runs, start=T, end=T + 80)

    assert told["segments"] == [[T + 10, T + 29.95], [T + 60, T + 69.95]]
    assert told["gaps"] == [
        [T, T + 10, "never_recorded"],
        [T + 29.95, T + 60, "camera_down"],
        [T + 69.95, T + 80, "not_recorded_yet"],
    ]


def test_the_file_that_grows_is_recorded_already() -> None:
    runs = [Run(T, None, None)]

    told = timeline([segment(0)], runs, start=T, end=T + 18, live=[Stretch(T + 9.99, T + 17.8)])

    assert told == {"segments": [[T, T + 17.8]], "gaps": []}


def test_a_first_file_that_grows_is_recorded_too() -> None:
    told = timeline([], [], start=T, end=T + 18, live=[Stretch(T + 4, T + 17.8)])

    assert told["segments"] == [[T + 4, T + 17.8]]
    assert [gap[:2] for gap in told["gaps"]] == [[T, T + 4]]


def test_a_window_without_any_recording_is_one_gap() -> None:
    told = timeline([], [], start=T, end=T + 60)

    assert told["segments"] == []
    assert [gap[:2] for gap in told["gaps"]] == [[T, T + 60]]


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 20)), max_size=12),
    st.integers(0, 150), st.integers(1, 100), st.none() | st.integers(0, 260),
)  # fmt: skip
def test_segments_and_gaps_lie_in_the_window_and_do_not_overlap(pieces: list[tuple[int, int]], start: int, length: int, live: int | None) -> None:  # fmt: skip
    end = start + length
    inside = [segment(at, long) for at, long in sorted(pieces) if at + long >= start and at <= end]

    told = timeline(inside, [], start=T + start, end=T + end, live=[] if live is None else [Stretch(T, T + live)])  # fmt: skip

    spans = sorted([*told["segments"], *(gap[:2] for gap in told["gaps"])])
    assert all(T + start <= one[0] < one[1] <= T + end for one in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    assert sum(one[1] - one[0] for one in spans) > length - 0.51 * (len(spans) + 1)
