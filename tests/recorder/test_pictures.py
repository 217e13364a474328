"""Times and picture format of a file, read without ffmpeg, whole or cut anywhere."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorder.adoption import TimeNote, free_name, place, read_note, run_of
from recorder.command import STAMP_LEAD_S
from recorder.pictures import WRAP_S, before_leap, picture_format, times

from hazardcast.media import mpegts
from hazardcast.media.mpegts import PACKET_BYTES, whole_packets

Encode = Callable[..., bytes]


class Quiet(bytes):
    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


@pytest.fixture(scope="module")
def encode(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Encode:
    folder = tmp_path_factory.mktemp("streams")

    def make(codec: str = "libx264", size: str = "160x96", extra: str = "-bf 0") -> bytes:
        path: Path = folder / "a.ts"
        subprocess.run(
            [ffmpeg, "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=s={size}:r=10",
             "-f", "lavfi", "-i", "sine", "-t", "3", "-c:v", codec, "-preset", "ultrafast", "-g", "10",
             *extra.split(), "-c:a", "aac", "-muxdelay", "0.5", "-f", "mpegts", str(path)],
            check=True, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return path.read_bytes()

    return make


@pytest.fixture(scope="module")
def stream(encode: Encode) -> bytes:
    return Quiet(encode())


def test_first_last_and_number_of_pictures_are_found(stream: bytes) -> None:
    found = times(stream)

    assert found is not None
    assert found.pictures == 30
    assert found.last_s - found.first_s == pytest.approx(2.9)


def leapt(first: bytes, then: bytes, by_s: float) -> bytes:
    """Both streams in one file, the stamps of `then` moved on by `by_s`."""
    moved = bytearray(then)
    mpegts.shift_stamps(moved, round(by_s * 90_000))
    return first + bytes(moved)


@pytest.mark.parametrize("by_s", [3600.0, 30.0, -3600.0])
def test_what_lies_behind_a_leap_of_the_cameras_clock_does_not_count(
    stream: bytes, by_s: float
) -> None:
    file = leapt(stream, stream, by_s)
    note = TimeNote(1_800_000_000.0 + STAMP_LEAD_S)
    whole = times(stream)
    assert whole is not None

    assert before_leap(stream, most_s=4.0) == len(stream)
    kept = before_leap(file, most_s=4.0)
    assert len(stream) <= kept < len(stream) + 20 * PACKET_BYTES
    placed = place(file, note, written_at=1_800_000_000.0 + whole.first_s + 6.0)
    assert placed is not None
    assert placed[:2] == pytest.approx(
        (1_800_000_000.0 + whole.first_s, 1_800_000_000.0 + whole.last_s)
    )
    assert placed[2] == kept


def test_a_file_that_cannot_be_from_when_its_note_says_is_from_when_it_was_written(
    stream: bytes,
) -> None:
    note = TimeNote(1_800_003_600.0)

    placed = place(stream, note, written_at=1_800_000_000.0)

    assert placed is not None
    start, end, _ = placed
    assert end == pytest.approx(1_800_000_000.0)
    assert end - start == pytest.approx(2.9)


def test_b_frames_do_not_hide_the_last_picture(encode: Encode) -> None:
    found = times(encode(extra="-bf 3 -b_strategy 0"))

    assert found is not None
    assert found.pictures == 30
    assert found.last_s - found.first_s == pytest.approx(2.9)


def test_the_format_is_the_same_for_the_same_camera_and_another_for_another_size(
    encode: Encode,
) -> None:
    small, again, large = encode(), encode(), encode(size="320x192")

    assert picture_format(small)
    assert picture_format(small) == picture_format(again)
    assert picture_format(small) != picture_format(large)


def test_h265_is_understood(encode: Encode) -> None:
    small, large = encode("libx265"), encode("libx265", size="320x192")

    assert times(small)
    assert picture_format(small)
    assert picture_format(small) != picture_format(large)


@given(st.data())
def test_a_file_cut_anywhere_still_tells_the_times_of_what_is_there(stream: bytes, data: st.DataObject) -> None:  # fmt: skip
    cut = data.draw(st.integers(0, len(stream)))
    found = times(stream[:cut])

    if cut > 30 * PACKET_BYTES:
        assert found is not None
        assert found.first_s == pytest.approx(1.0, abs=0.1)
        assert found.pictures <= 30
    assert whole_packets(cut) <= cut


@given(st.binary(max_size=2000), st.booleans())
def test_no_bytes_upset_the_reader(data: bytes, looks_right: bool) -> None:
    if looks_right:
        data = b"".join(b"G@\x00\x10" + data[i : i + 184].ljust(184, b"\xff") for i in range(0, len(data), 184))  # fmt: skip
    times(data)
    picture_format(data)


@given(st.data())
def test_a_damaged_file_does_not_upset_the_reader(stream: bytes, data: st.DataObject) -> None:
    damaged = bytearray(stream[: 60 * PACKET_BYTES])
    for _ in range(data.draw(st.integers(1, 40))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    times(bytes(damaged))
    picture_format(bytes(damaged))


def test_an_orphan_is_placed_by_its_runs_note(stream: bytes) -> None:
    where = place(stream, TimeNote(offset_s=1_800_000_000.0), written_at=1_800_000_003.0)

    assert where is not None
    assert where[1] - where[0] == pytest.approx(2.9)
    assert where[0] == pytest.approx(1_800_000_000.0, abs=0.1)


def test_stamps_that_began_anew_in_a_long_run_are_placed_by_when_the_file_was_written(stream: bytes) -> None:  # fmt: skip
    run_began = 1_800_000_000.0
    where = place(stream, TimeNote(run_began), written_at=run_began + 3 * WRAP_S + 5)

    assert where is not None
    assert where[0] == pytest.approx(run_began + 3 * WRAP_S, abs=0.1)


@given(st.text(max_size=100))
def test_a_damaged_note_is_none(text: str) -> None:
    assert read_note(text) is None or "offset_s" in text


def test_a_note_survives_the_disk() -> None:
    note = TimeNote(1_800_000_000.25, "h264", 0.004)

    assert read_note(note.encode()) == note
    assert read_note(json.dumps({"offset_s": float("nan")})) is None


def test_files_belong_to_runs() -> None:
    assert run_of("1800000000000-000017") == "1800000000000"


@given(st.integers(0, 50), st.sets(st.integers(0, 60)))
def test_a_name_that_is_taken_is_never_given_again(end: int, taken: set[int]) -> None:
    name = free_name(0, end, taken)

    assert name not in taken
    assert name >= end
    assert all(other in taken for other in range(end, name))
