"""What the system refuses one camera's recording is told in words, and costs no other anything."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from pathlib import Path
from typing import NoReturn

import pytest
from recorder import disk
from recorder.adoption import TimeNote
from recorder.archive import Archive
from recorder.disk import Shelf
from recorder.index import RecordingIndex
from recorder.retention import Limits, Stored
from recorder.service import RecorderService
from recorder.timeline import NamedSegment
from recorder.upkeep import Upkeep

from hazardcast.config.settings import Settings
from hazardcast.config.site import Camera
from hazardcast.media.segments import Segment, list_segments, read_runs
from hazardcast.testing import ManualClock, MemoryBroker

START = 1_800_000_000.0
PACKETS = (b"G" + bytes(187)) * 10


def archive(folder: Path) -> Archive:
    return Archive(Shelf(folder, "north"), RecordingIndex(), lambda: None)


def keep(one: Archive, start: float = START) -> None:
    (one.shelf.open_folder / "17-1.ts").write_bytes(PACKETS)
    one.keep(NamedSegment("17-1.ts", start, start + 10, 10, False, 0.0), "h264")


def service(tmp_path: Path, *cameras: str) -> RecorderService:
    return RecorderService(
        Settings(data_dir=tmp_path),
        {name: Camera(url="rtsp://127.0.0.1:1/") for name in cameras},
        program="ffmpeg", bus=MemoryBroker().bus(), clock=ManualClock(), stop=threading.Event(),
    )  # fmt: skip


def test_a_volume_without_locks_is_recorded_on_and_nobody_else_is_blamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)

    assert Shelf(tmp_path, "north").claim()
    assert "keeps no locks" in caplog.text


def test_a_volume_that_syncs_no_folders_is_recorded_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, whole = archive(tmp_path), os.fsync

    def fsync(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112 - a descriptor
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        whole(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert one.open()
    keep(one)

    assert len(list_segments(tmp_path, "north")) == 1


def test_foreign_things_among_the_open_files_hold_up_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "north" / ".open"
    (folder / "3-1.ts").mkdir(parents=True)
    (folder / "notes").mkdir()
    (folder / "4-1.ts").symlink_to("4-1.ts")
    (tmp_path / "north" / "runs.jsonl").mkdir()
    (tmp_path / "north" / "live.m3u8").mkdir()
    one = archive(tmp_path)

    assert one.open()
    keep(one)

    assert len(list_segments(tmp_path, "north")) == 1
    assert read_runs(tmp_path, "north") == []
    assert (folder / "3-1.ts").is_dir(), "left as it is"


def test_an_hour_that_is_a_file_leaves_the_recording_open_until_it_is_moved_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = archive(tmp_path)
    assert one.open()
    (tmp_path / "north" / "20270115T08").write_text("")
    one.note("17", TimeNote(START))
    monkeypatch.setattr("recorder.archive.place", lambda *_, **__: (START, START + 10, 1880))

    with pytest.raises(FileExistsError):
        keep(one)
    assert one.open(), "the camera goes on"
    assert (one.shelf.open_folder / "17-1.ts").read_bytes() == PACKETS, "nothing is lost"

    (tmp_path / "north" / "20270115T08").unlink()
    assert one.open()
    assert len(list_segments(tmp_path, "north")) == 1


def test_a_folder_that_vanishes_is_made_again(tmp_path: Path) -> None:
    one = archive(tmp_path)
    assert one.open()
    os.rename(tmp_path / "north", tmp_path / "gone")  # noqa: PTH104

    with pytest.raises(FileNotFoundError):
        one.try_out()
    assert one.open()
    one.try_out()
    assert not Archive(Shelf(tmp_path, "north"), RecordingIndex(), lambda: None).open(), "locked"


def test_one_camera_that_may_not_be_recorded_keeps_no_other_from_it(tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "north").write_text("a file")

    with pytest.raises(OSError, match="north"):
        service(tmp_path, "north")
    two = service(tmp_path, "north", "south")
    north = two.recorders["north"]
    with pytest.raises(OSError, match="north"):
        north._run()

    assert north.report.state == "failing"
    assert "a file where a folder is expected; move it away" in str(north.report.detail)


class Volume:
    """What statvfs tells, by hand."""

    f_files, f_favail = 1_000_000, 10
    f_blocks = f_bfree = f_bavail = 1 << 30
    f_frsize = 4096


def stored(folder: Path, number: int) -> Stored:
    path = folder / f"{number}-{number + 1}.ts"
    path.write_bytes(PACKETS)
    return Stored(Segment(number, number + 1, path), len(PACKETS))


@pytest.mark.parametrize(("left", "kept"), [(995, 25), (2000, 30)])
def test_where_inodes_are_short_the_oldest_recordings_make_room(
    left: int, kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = RecordingIndex()
    index.fill("north", [stored(tmp_path, number) for number in range(30)])
    upkeep = Upkeep(
        tmp_path, index, {"north": Limits(1e9, 1e12)}, free_space_floor_gb=0, clock=ManualClock(1e9)
    )
    monkeypatch.setattr(Volume, "f_favail", left)
    monkeypatch.setattr(os, "statvfs", lambda _: Volume)

    upkeep.tidy()

    assert len(index.of("north")) == kept


def test_a_quota_that_is_used_up_takes_from_the_oldest_though_the_volume_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, clock = RecordingIndex(), ManualClock(1e9)
    index.fill("north", [stored(tmp_path, number) for number in range(30)])
    limits = {"north": Limits(1e9, 1e12)}
    upkeep = Upkeep(tmp_path, index, limits, free_space_floor_gb=0, clock=clock)
    monkeypatch.setattr(Volume, "f_favail", 900_000)
    monkeypatch.setattr(os, "statvfs", lambda _: Volume)
    monkeypatch.setattr(disk, "free_bytes", lambda _: 1 << 40)
    monkeypatch.setattr("recorder.upkeep.ROOM_BYTES", 5 * len(PACKETS))

    upkeep.make_room()
    upkeep.make_room()

    assert len(index.of("north")) == 25, "and only once for all who meet it together"


def test_what_was_recorded_a_moment_ago_stays_for_the_clip_that_is_about_to_take_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = RecordingIndex()
    seconds = [stored(tmp_path, second).segment for second in range(1000, 1030)]
    index.fill(
        "north",
        [
            Stored(Segment(s.start_ms * 1000, s.end_ms * 1000, s.path), len(PACKETS))
            for s in seconds
        ],
    )
    clock = ManualClock(1030)
    limits = {"north": Limits(1e9, 1e12)}
    upkeep = Upkeep(tmp_path, index, limits, free_space_floor_gb=1000, clock=clock)
    monkeypatch.setattr(disk, "free_bytes", lambda _: 0)
    monkeypatch.setattr(disk, "lacking_files", lambda *_: 0)

    upkeep.make_room()
    assert [one.segment.start for one in index.of("north")] == [*range(1020, 1030)]

    clock.advance(9.5)
    upkeep.make_room()
    assert [one.segment.start for one in index.of("north")] == [1029]
