from __future__ import annotations

import os
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.vocabulary import RunCause
from hazardcast.media import segments
from hazardcast.media.segments import (
    Run,
    Segment,
    append_run,
    list_segments,
    list_stored,
    parse_segment,
    read_runs,
    segment_path,
)

HOUR_MS = 3_600_000
T0_MS = 1_800_000_000_000


def record(root: Path, start_ms: int, end_ms: int) -> Path:
    path = segment_path(root, "north", start_ms, end_ms)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"G")
    return path


@given(st.integers(0, 10**13), st.integers(0, 10**7))
def test_a_segments_name_tells_its_times(start_ms: int, length_ms: int) -> None:
    path = segment_path(Path("/r"), "north", start_ms, start_ms + length_ms)

    assert parse_segment(path) == Segment(start_ms, start_ms + length_ms, path)


@given(st.text(max_size=30).filter(lambda text: "/" not in text and "\0" not in text))
def test_other_names_are_not_segments(name: str) -> None:
    segment = parse_segment(Path("/r/north/h") / name)

    assert segment is None or segment.path.name == name


def test_the_hour_of_the_first_frame_is_utc() -> None:
    assert segment_path(Path("/r"), "north", 0, 1) == Path("/r/north/19700101T00/0-1.ts")


def test_segments_that_touch_the_window_are_found_oldest_first(tmp_path: Path) -> None:
    for start_ms in (T0_MS + HOUR_MS - 5_000, T0_MS, T0_MS + 10_000, T0_MS + HOUR_MS + 5_000):
        record(tmp_path, start_ms, start_ms + 9_900)

    found = list_segments(tmp_path, "north", start=T0_MS / 1000 + 15, end=T0_MS / 1000 + 3_601)

    assert [segment.start_ms - T0_MS for segment in found] == [10_000, HOUR_MS - 5_000]


def test_what_is_not_a_segment_is_passed_over(tmp_path: Path) -> None:
    path = record(tmp_path, T0_MS, T0_MS + 1)
    (path.parent / "notes.txt").write_text("x")
    (tmp_path / "north" / ".open").mkdir()
    (tmp_path / "north" / ".open" / "1-2.ts").write_text("x")

    assert [segment.path for segment in list_segments(tmp_path, "north")] == [path]


def test_a_name_that_reaches_beyond_the_time_of_writing_is_believed_up_to_there(
    tmp_path: Path,
) -> None:
    wild = record(tmp_path, T0_MS, T0_MS + HOUR_MS)
    long = record(tmp_path, T0_MS + 1, T0_MS + 120_000)
    for path in (wild, long):
        os.utime(path, (T0_MS / 1000 + 130, T0_MS / 1000 + 130))

    found = {segment.path: segment.end_ms for segment in list_segments(tmp_path, "north")}

    assert found == {wild: T0_MS + 135_000, long: T0_MS + 120_000}
    assert not list_segments(tmp_path, "north", start=T0_MS / 1000 + 600)


@pytest.mark.parametrize(
    ("start_ms", "end_ms"),
    [
        (T0_MS - 2 * HOUR_MS, T0_MS),  # two hours long
        (1_000, T0_MS),  # from 1970 until now
    ],
)
def test_a_name_that_cannot_be_true_hides_no_gap_and_is_stored_all_the_same(
    tmp_path: Path, start_ms: int, end_ms: int
) -> None:
    path = record(tmp_path, start_ms, end_ms)
    os.utime(path, (T0_MS / 1000, T0_MS / 1000))

    assert list_segments(tmp_path, "north") == []
    assert list_segments(tmp_path, "north", start=start_ms / 1000, end=end_ms / 1000) == []
    assert list_stored(tmp_path, "north") == [Segment(T0_MS, T0_MS, path)]


def test_a_machine_without_a_clock_dates_files_so_that_only_their_names_count(
    tmp_path: Path,
) -> None:
    short, long = record(tmp_path, T0_MS, T0_MS + 10_000), record(tmp_path, T0_MS, T0_MS + HOUR_MS)
    for path in (short, long):
        os.utime(path, (60, 60))

    assert [segment.path for segment in list_segments(tmp_path, "north")] == [short]
    assert [segment.end_ms for segment in list_stored(tmp_path, "north")] == [T0_MS, T0_MS + 10_000]


def test_a_camera_without_recordings_has_none(tmp_path: Path) -> None:
    assert list_segments(tmp_path, "north") == []
    assert read_runs(tmp_path, "north") == []


def test_runs_are_read_back_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    run = Run(
        started_at=1.0, ended_at=2.0, cause=RunCause.STALLED, codec="h264", clock_error_ms=3.0
    )
    append_run(tmp_path, "north", run)
    with (tmp_path / "north" / "runs.jsonl").open("a") as file:
        file.write('{"started_at": 3.0, "en')

    assert read_runs(tmp_path, "north") == [run]


def test_a_run_of_a_newer_recorder_is_read_and_what_it_has_to_tell_more_passed_over(
    tmp_path: Path,
) -> None:
    write_runs(
        tmp_path, '{"started_at": 1, "ended_at": 2.5, "cause": "stalled", "transport": "udp"}'
    )

    assert read_runs(tmp_path, "north") == [Run(1.0, 2.5, RunCause.STALLED)]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"started_at": 3.0, "en', "cut short or not JSON"),
        ("[3.0, null]", "not a mapping"),
        ('{"ended_at": 3.0}', "no started_at"),
        ('{"started_at": "soon"}', "started_at: not a number: 'soon'"),
        ('{"started_at": NaN}', "started_at: not a number: nan"),
        ('{"started_at": 3, "ended_at": "later"}', "ended_at: not a number: 'later'"),
        ('{"started_at": 3, "cause": 7}', "cause: not a text: 7"),
        ('{"started_at": 3, "version": 2}', "version 2, this Hazardcast reads version 1"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_once_and_the_others_count(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, line: str, why: str
) -> None:
    write_runs(tmp_path, '{"started_at": 1, "cause": "stalled"}', line, '{"started_at": 5}')

    for _ in range(3):
        assert [run.started_at for run in read_runs(tmp_path, "north")] == [1.0, 5.0]
    (said,) = caplog.records
    assert vars(said)["why"] == why
    assert vars(said)["file"] == str(tmp_path / "north" / "runs.jsonl")


def write_runs(root: Path, *lines: str) -> None:
    (root / "north").mkdir()
    (root / "north" / "runs.jsonl").write_text("".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize(
    "turn", [1_774_746_000, 1_792_890_000]
)  # 2026-03-29 and 2026-10-25, 01:00 UTC
def test_names_and_hours_go_on_when_local_clocks_are_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        for at_s in range(-7200, 7200, 600):
            start_ms = (turn + at_s) * 1000
            path = segment_path(tmp_path, "north", start_ms, start_ms + 599_933)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        found = list_segments(tmp_path, "north", start=turn - 3600, end=turn + 3599)
    finally:
        monkeypatch.undo()
        time.tzset()

    assert len(list((tmp_path / "north").iterdir())) == 4
    assert {round(b.start - a.start) for a, b in pairwise(found)} == {600}
    assert len(found) == 12


def test_an_hour_that_retention_takes_while_it_is_looked_at_is_as_good_as_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    kept, taken = record(tmp_path, T0_MS, T0_MS + 1000), record(tmp_path, T0_MS + HOUR_MS, T0_MS + HOUR_MS + 1000)  # fmt: skip
    both = [kept.parent, taken.parent]
    taken.unlink()
    taken.parent.rmdir()
    monkeypatch.setattr(segments, "_hours", lambda *_: both)

    assert [segment.path for segment in list_segments(tmp_path, "north")] == [kept]
