"""A file that grows is cut into parts: the same ones however it grew, and none that cannot be shown."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorder.parts import PART_S, Cut, Cutter
from recorder.pictures import Picture, elapsed_s, found_in

from hazardcast.media.mpegts import PACKET_BYTES, Video, first_video


class Quiet(bytes):
    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


@pytest.fixture(scope="module")
def stream(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path: Path = tmp_path_factory.mktemp("stream") / "a.ts"
    subprocess.run(
        [ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x96:r=15", "-f", "lavfi", "-i", "sine",
         "-t", "5", "-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-bf", "0", "-c:a", "aac",
         "-f", "mpegts", str(path)],
        check=True,
    )  # fmt: skip
    return Quiet(path.read_bytes())


def grown(stream: bytes, sizes: list[int]) -> list[Cut]:
    """What is cut of a file that was looked at whenever it had one of these sizes."""
    cutter, cuts = Cutter(), []
    for size in sorted({*sizes, len(stream)}):
        cuts += cutter.take(stream[cutter.read_from : size])
    return cuts


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_however_a_file_grows_its_parts_are_the_same(stream: bytes, data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(0, len(stream)), max_size=40))

    assert grown(stream, sizes) == grown(stream, [])


def test_parts_lie_end_to_end_and_last_half_a_second_at_most(stream: bytes) -> None:
    cuts = grown(stream, [])

    assert cuts[0].offset == 0
    assert all(before.offset + before.size == after.offset for before, after in pairwise(cuts))
    assert all(0 < cut.duration_s <= PART_S + 0.002 for cut in cuts)
    assert [round(cut.duration_s, 3) for cut in cuts[:5]] == [0.467, 0.467, 0.467, 0.467, 0.133]


def test_every_key_frame_begins_a_part_with_its_tables(stream: bytes) -> None:
    keys = [cut for cut in grown(stream, []) if cut.key]

    assert len(keys) == 3
    assert all(
        first_video(stream[cut.offset :][: 4 * PACKET_BYTES]) == Video(0x100, 0x1B) for cut in keys
    )


def test_a_part_begins_with_a_picture_and_holds_whole_ones(stream: bytes) -> None:
    starts = {picture.start for picture in found_in(stream, 0x100)} | {0}

    assert all({cut.offset, cut.offset + cut.size} <= starts for cut in grown(stream, []))


def test_the_last_part_of_a_file_ends_where_the_next_file_begins(stream: bytes) -> None:
    cutter = Cutter()
    cuts = cutter.take(stream)
    last = list(found_in(stream, 0x100))[-1]
    step = 90_000 // 15
    following = Picture(0, 0, last.shown + step, last.decoded + step, True)

    end = cutter.finish(len(stream), following)

    assert end is not None
    assert end.offset + end.size == len(stream)
    assert sum(cut.duration_s for cut in [*cuts, end]) == pytest.approx(5.0, abs=0.001)


def test_a_camera_of_a_picture_in_two_seconds_has_a_part_for_each() -> None:
    cutter = Cutter()
    steps = [Picture(n * 940, n * 940, n * 180_000, n * 180_000, n == 0) for n in range(4)]

    cuts = [cut for picture in steps for cut in cutter._next(picture)]

    assert [(cut.offset, cut.duration_s) for cut in cuts] == [(0, 2.0), (940, 2.0), (1880, 2.0)]


def test_stamps_may_begin_anew() -> None:
    assert elapsed_s((1 << 33) - 9000, 9000) == pytest.approx(0.2)


def test_what_is_no_stream_has_no_parts() -> None:
    assert grown(bytes(188 * 40), [100, 4000]) == []
    assert grown(b"", []) == []
