"""Closed files are named, told to players and written down; crashes and full disks are survived."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from recorder import disk
from recorder.archive import Archive
from recorder.attempt import Source
from recorder.disk import Shelf
from recorder.index import RecordingIndex
from recorder.retention import Limits
from recorder.runs import RunLog, bounded
from recorder.timeline import NamedSegment
from recorder.upkeep import Upkeep

from hazardcast.contract.vocabulary import RunCause
from hazardcast.media import coverage
from hazardcast.media.segments import Run, append_run, list_segments, read_runs
from hazardcast.testing import ManualClock

START = 1_800_000_000.0
PACKETS = (b"G" + bytes(187)) * 10


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = Archive(Shelf(tmp_path, "north"), RecordingIndex(), lambda: None)
    assert made.open()
    return made


def close_file(archive: Archive, start: float, length_s: float = 10.0, *, begins_run: bool = False) -> None:  # fmt: skip
    name = f"17-{int(start)}.ts"
    (archive.shelf.open_folder / name).write_bytes(PACKETS)
    archive.keep(NamedSegment(name, start, start + length_s, length_s, begins_run, 0.002), "h264")


def test_a_closed_file_lies_under_its_hour_and_name(archive: Archive, tmp_path: Path) -> None:
    close_file(archive, START)

    (segment,) = list_segments(tmp_path, "north")
    assert segment.path == tmp_path / "north/20270115T08/1800000000000-1800000010000.ts"
    assert list(archive.shelf.open_folder.glob("*.ts")) == []


def test_a_packet_that_was_not_finished_is_cut_off(archive: Archive, tmp_path: Path) -> None:
    path = archive.shelf.open_folder / "17-1.ts"
    path.write_bytes(PACKETS + b"G" + bytes(50))

    assert archive.shelf.keep(path, 1000, 2000).size == len(PACKETS)


def test_a_file_of_which_nothing_was_written_is_no_recording(archive: Archive, tmp_path: Path) -> None:  # fmt: skip
    (archive.shelf.open_folder / "17-1.ts").write_bytes(PACKETS)
    archive.keep(NamedSegment("17-1.ts", START, START + 5, 5, False, 0.0), "h264", cut_short=True)

    assert list_segments(tmp_path, "north") == []
    assert list(archive.shelf.open_folder.glob("*.ts")) == []


def test_a_recording_is_never_overwritten(archive: Archive, tmp_path: Path) -> None:
    close_file(archive, START)
    close_file(archive, START)

    assert len(list_segments(tmp_path, "north")) == 2


def test_a_run_is_told_when_it_begins_and_when_it_ends(archive: Archive, tmp_path: Path) -> None:
    close_file(archive, START)
    assert read_runs(tmp_path, "north") == [Run(START, None, None, "h264", 2.0)]

    close_file(archive, START + 10)
    archive.end_run(RunCause.STALLED)
    assert read_runs(tmp_path, "north") == [Run(START, START + 20, RunCause.STALLED, "h264", 2.0)]


def test_a_set_clock_ends_the_run_before(archive: Archive, tmp_path: Path) -> None:
    close_file(archive, START)
    close_file(archive, START + 3600, begins_run=True)

    assert [run.cause for run in read_runs(tmp_path, "north")] == ["clock_stepped", None]


def test_a_gap_is_explained_by_how_the_run_before_it_ended(archive: Archive, tmp_path: Path) -> None:  # fmt: skip
    close_file(archive, START)
    archive.end_run(RunCause.STALLED)
    close_file(archive, START + 60)

    (gap,) = coverage.gaps(list_segments(tmp_path, "north"), read_runs(tmp_path, "north"))
    assert (gap.cause, gap.end - gap.start) == ("stalled", 50.0)


def test_a_run_that_a_crash_left_open_is_closed_at_the_next_start(archive: Archive, tmp_path: Path) -> None:  # fmt: skip
    close_file(archive, START)
    archive.close()

    after = Archive(Shelf(tmp_path, "north"), RecordingIndex(), lambda: None)
    assert after.open()
    assert read_runs(tmp_path, "north") == [
        Run(START, START + 10, RunCause.RECORDER_KILLED, "h264", 2.0)
    ]


def test_a_second_archive_cannot_open_while_the_first_is(archive: Archive, tmp_path: Path) -> None:
    other = Archive(Shelf(tmp_path, "north"), RecordingIndex(), lambda: None)

    assert not other.open()
    archive.close()
    assert other.open()


def test_a_full_disk_makes_room_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    asked: list[str] = []
    archive = Archive(Shelf(tmp_path, "north"), RecordingIndex(), lambda: asked.append("room"))
    archive.open()
    monkeypatch.setattr(Shelf, "keep", failing_once(Shelf.keep, errno.ENOSPC))

    close_file(archive, START)

    assert asked == ["room"]
    assert len(list_segments(tmp_path, "north")) == 1


def failing_once(call: Callable[..., object], code: int) -> Callable[..., object]:
    failures = [OSError(code, os.strerror(code))]

    def attempt(*arguments: object) -> object:
        if failures:
            raise failures.pop()
        return call(*arguments)

    return attempt


def test_what_only_helps_later_does_not_stop_the_recording(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(Shelf, "write_playlist", broken)
    monkeypatch.setattr(RunLog, "segment", broken)

    close_file(archive, START)

    assert len(list_segments(tmp_path, "north")) == 1


def test_the_log_of_runs_stays_bounded() -> None:
    runs = [Run(float(start), start + 0.5, RunCause.STALLED) for start in range(100)]

    assert bounded(runs, oldest_start=50.0, most=1000) == runs[50:]
    assert bounded(runs, oldest_start=None, most=10) == runs[-10:]
    assert bounded([Run(1.0, None, None)], oldest_start=50.0, most=10)


def test_a_line_cut_short_by_a_crash_does_not_swallow_the_next(tmp_path: Path) -> None:
    append_run(tmp_path, "north", Run(1.0, 2.0, RunCause.STALLED))
    with (tmp_path / "north/runs.jsonl").open("a") as file:
        file.write('{"started_at": 3.0, "en')
    append_run(tmp_path, "north", Run(5.0, 6.0, RunCause.STALLED))

    assert [run.started_at for run in read_runs(tmp_path, "north")] == [1.0, 5.0]
    lines = (tmp_path / "north/runs.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["started_at"] == 5.0


@pytest.fixture
def upkeep(archive: Archive, tmp_path: Path) -> Callable[..., Upkeep]:
    def make(floor_gb: float = 0.0, max_age_s: float = 1e9, max_bytes: float = 1e12) -> Upkeep:
        limits = {"north": Limits(max_age_s, max_bytes)}
        return Upkeep(tmp_path, archive._index, limits, free_space_floor_gb=floor_gb, clock=ManualClock(START + 100))  # fmt: skip

    return make


def test_old_recordings_go_and_empty_hours_with_them(archive: Archive, upkeep: Callable[..., Upkeep], tmp_path: Path) -> None:  # fmt: skip
    close_file(archive, START - 7200)
    close_file(archive, START + 80)

    upkeep(max_age_s=3600.0).tidy()

    assert [path.name for path in (tmp_path / "north").iterdir() if "T" in path.name] == ["20270115T08"]  # fmt: skip
    assert len(archive._index.of("north")) == 1


def test_a_segment_that_a_clip_holds_is_not_given_up_for_space_it_would_not_free(
    archive: Archive, upkeep: Callable[..., Upkeep], tmp_path: Path
) -> None:
    for number in range(3):
        close_file(archive, START + 10 * number)
    held, free, newest = list_segments(tmp_path, "north")
    os.link(held.path, tmp_path / "clip.ts")

    upkeep(floor_gb=1e6).tidy()

    assert held.path.exists()
    assert newest.path.exists()
    assert not free.path.exists()


def test_a_recording_that_someone_else_removed_is_no_trouble(archive: Archive, upkeep: Callable[..., Upkeep], tmp_path: Path) -> None:  # fmt: skip
    close_file(archive, START - 7200)
    close_file(archive, START)
    list_segments(tmp_path, "north")[0].path.unlink()

    upkeep(max_age_s=3600.0).tidy()

    assert len(archive._index.of("north")) == 1


def test_the_index_is_read_from_the_disk_once(archive: Archive, tmp_path: Path) -> None:
    close_file(archive, START)
    archive.close()
    index = RecordingIndex()
    Archive(Shelf(tmp_path, "north"), index, lambda: None).open()

    assert [item.size for item in index.of("north")] == [len(PACKETS)]
    assert index.size("north") == len(PACKETS)


def test_only_no_space_and_no_quota_mean_a_full_disk() -> None:
    assert disk.is_full(OSError(errno.ENOSPC, ""))
    assert disk.is_full(OSError(errno.EDQUOT, ""))
    assert not disk.is_full(OSError(errno.EIO, ""))


def test_a_source_does_not_show_its_credentials() -> None:
    assert "secret" not in repr(Source("north", "rtsp://watcher:secret@10.0.0.11/main"))
