"""Lines beside a file that grows: number, parts and wall clock, whatever disk and clock do."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest
from recorder.command import STAMP_LEAD_S
from recorder.part_index import OpenRun, PartIndex

from hazardcast.media.mpegts import PACKET_BYTES
from hazardcast.media.parts import Head, Part, read_head, read_part
from hazardcast.media.stream_time import StreamTime

WALL = 1_800_000_000.0


class Timeline:
    """What the index asks of one."""

    def __init__(self) -> None:
        self.trusted = True
        self.newest_s = 0.0
        self.time = self.told(WALL)

    @staticmethod
    def told(wall: float) -> StreamTime:
        time = StreamTime()
        time.observe(0.0, wall)
        return time

    @property
    def offset_s(self) -> float | None:
        return self.time.offset_s

    def mapping(self, first_s: float) -> StreamTime:
        return self.time


@pytest.fixture(scope="module")
def files(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder: Path = tmp_path_factory.mktemp("stream")
    subprocess.run(
        [ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x96:r=10", "-t", "6", "-c:v", "libx264",
         "-preset", "ultrafast", "-g", "10", "-bf", "0", "-muxdelay", f"{STAMP_LEAD_S / 2}", "-f", "segment",
         "-segment_format", "mpegts", "-segment_time", "2", "-individual_header_trailer", "0",
         str(folder / "%d.ts")],
        check=True,
    )  # fmt: skip
    return [(folder / f"{n}.ts").read_bytes() for n in range(3)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


@pytest.fixture
def index(folder: Path, timeline: Timeline) -> PartIndex:
    made = PartIndex()
    run = OpenRun(folder, "17", timeline, 40, lambda: "h264", 2.0, lambda: (640, 360))  # type: ignore[arg-type]
    made.follow("north", run)
    return made


def path(folder: Path, place: int, suffix: str = ".ts") -> Path:
    return folder / f"17-{place:06d}{suffix}"


def told(folder: Path, place: int) -> tuple[Head | None, list[Part]]:
    head, *lines = path(folder, place, ".parts").read_text().splitlines()
    return read_head(head), [part for line in lines if (part := read_part(line))]


def test_each_file_has_its_number_and_parts_that_cover_it(index: PartIndex, folder: Path, files: list[bytes]) -> None:  # fmt: skip
    path(folder, 0).write_bytes(files[0])
    index.look()
    path(folder, 1).write_bytes(files[1])
    index.look()

    head, parts = told(folder, 0)
    assert head == Head(40, True, "h264", 640, 360)
    assert [(part.offset, round(part.at - WALL, 2), part.key) for part in parts][:3] == [(0, 0.0, True), (parts[1].offset, 0.5, False), (parts[2].offset, 1.0, True)]  # fmt: skip
    assert parts[-1].end == len(files[0])
    assert sum(part.duration_s for part in parts) == pytest.approx(2.0)
    assert told(folder, 1)[0] == Head(41, False, "h264", 640, 360)
    assert told(folder, 1)[1][0].at == pytest.approx(WALL + 2.0)


def test_a_file_that_was_put_away_before_it_was_looked_at_holds_up_none(index: PartIndex, folder: Path, files: list[bytes]) -> None:  # fmt: skip
    path(folder, 0).write_bytes(files[0])
    index.look()
    path(folder, 0).unlink()
    path(folder, 2).write_bytes(files[2])

    index.look()
    index.look()

    assert told(folder, 2)[0] == Head(42, False, "h264", 640, 360)


def test_files_that_were_put_away_before_the_clock_was_trusted_hold_up_none(index: PartIndex, folder: Path, timeline: Timeline, files: list[bytes]) -> None:  # fmt: skip
    timeline.trusted = False
    path(folder, 1).write_bytes(files[1])
    index.look()
    path(folder, 1).unlink()
    path(folder, 2).write_bytes(files[2])
    timeline.trusted = True

    index.look()
    index.look()

    assert told(folder, 2)[0] == Head(42, False, "h264", 640, 360)


def test_a_closed_file_keeps_its_index_while_the_next_one_grows_and_no_longer(index: PartIndex, folder: Path, files: list[bytes]) -> None:  # fmt: skip
    for place, data in enumerate(files):
        path(folder, place).write_bytes(data)
        index.look()

    assert sorted(one.name for one in folder.glob("*.parts")) == ["17-000001.parts", "17-000002.parts"]  # fmt: skip


def test_nothing_is_told_before_the_wall_clock_is_known(index: PartIndex, folder: Path, timeline: Timeline, files: list[bytes]) -> None:  # fmt: skip
    timeline.trusted = False
    path(folder, 0).write_bytes(files[0])

    index.look()
    assert list(folder.glob("*.parts")) == []

    timeline.trusted = True
    index.look()
    assert len(told(folder, 0)[1]) == 3


def test_a_clock_that_is_trusted_before_a_frame_tells_it_is_waited_for(index: PartIndex, folder: Path, timeline: Timeline, files: list[bytes]) -> None:  # fmt: skip
    known, timeline.time = timeline.time, StreamTime()
    path(folder, 0).write_bytes(files[0])

    index.look()
    assert list(folder.glob("*.parts")) == []

    timeline.time = known
    index.look()
    assert len(told(folder, 0)[1]) == 3


def test_a_large_file_of_which_nothing_can_be_made_ends_the_look(index: PartIndex, folder: Path) -> None:  # fmt: skip
    path(folder, 0).write_bytes(bytes(3 << 20))

    index.look()
    assert list(folder.glob("*.parts")) == []


def test_a_file_after_the_clock_was_set_begins_a_run(index: PartIndex, folder: Path, timeline: Timeline, files: list[bytes]) -> None:  # fmt: skip
    path(folder, 0).write_bytes(files[0])
    index.look()
    timeline.time = timeline.told(WALL + 60)
    path(folder, 1).write_bytes(files[1])
    index.look()

    head, parts = told(folder, 1)
    assert head == Head(41, True, "h264", 640, 360)
    assert parts[0].at == pytest.approx(WALL + 62)
    assert [part.at < WALL + 3 for part in told(folder, 0)[1]] == [True] * 4


def test_what_a_full_disk_does_not_take_is_told_later(index: PartIndex, folder: Path, files: list[bytes], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    room, write = [100], os.write

    def full(descriptor: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = write(descriptor, data[: room[0]])
        room[0] -= done
        return done

    monkeypatch.setattr(os, "write", full)
    path(folder, 0).write_bytes(files[0][: 40 * PACKET_BYTES])
    for size in (60, 80, len(files[0]) // PACKET_BYTES):
        path(folder, 0).write_bytes(files[0][: size * PACKET_BYTES])
        index.look()
    room[0] = 1 << 20
    index.look()
    path(folder, 1).write_bytes(files[1])
    index.look()

    offsets = [part.offset for part in told(folder, 0)[1]]
    assert sorted(set(offsets)) == [part.offset for part in _whole(files, folder)]
    assert [record.message for record in caplog.records] == ["parts are not written down"]


def _whole(files: list[bytes], folder: Path) -> list[Part]:
    other = folder / "other"
    other.mkdir()
    index = PartIndex()
    index.follow("north", OpenRun(other, "17", Timeline(), 40, lambda: "h264", 2.0))  # type: ignore[arg-type]
    for place in (0, 1):
        path(other, place).write_bytes(files[place])
        index.look()
    return told(other, 0)[1]


def test_a_run_that_is_over_is_left_alone(index: PartIndex, folder: Path, files: list[bytes]) -> None:  # fmt: skip
    index.leave("north")
    path(folder, 0).write_bytes(files[0])

    index.look()

    assert list(folder.glob("*.parts")) == []
    index.leave("north")


@pytest.mark.parametrize(
    "line",
    ["", "{", "[]", "null", "7", '{"offset": 0}', '{"offset": -1, "size": 1, "duration_s": 1, "at": 1, "key": true}',
     '{"offset": 0, "size": 1, "duration_s": NaN, "at": 1, "key": true}',
     '{"offset": 0, "size": 1e400, "duration_s": 1, "at": 1, "key": true}', "[" * 10_000],
)  # fmt: skip
def test_a_line_that_is_none_is_none(line: str) -> None:
    assert read_part(line) is None
    assert read_head(line) is None


def test_a_head_of_a_newer_version_is_not_understood() -> None:
    assert read_head('{"version": 2, "number": 1, "begins_run": false}') is None
