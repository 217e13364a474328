"""Reading ffmpeg's line per frame and line per segment, garbage included."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorder.frames import ClosedSegment, Frame, FrameLines, read_segment

OLD = "0,     905760,     905760,     6000,    60397, 0x8494c355, S=1,        1"
NEW = "0, 905760, 905760, 6000, 60397, 0x8494c355, F=0x0, S=1, MPEGTS Stream ID, 1, 0x00e000e0"


@pytest.mark.parametrize(("line", "key"), [(OLD, True), (NEW, False), (OLD.replace("S=1", "F=0x5, S=1"), True)])  # fmt: skip
def test_a_frame_has_its_time_size_and_whether_it_is_a_key_frame(line: str, key: bool) -> None:
    frame = FrameLines().read(line)

    assert frame == Frame(pytest.approx(905760 / 90_000), pytest.approx(1 / 15), key, 60397)  # type: ignore[arg-type]


def test_headers_set_the_time_base_and_tell_the_codec() -> None:
    lines = FrameLines()
    for header in ("#software: Lavf59.27.100", "#tb 0: 1/1000", "#codec_id 0: hevc"):
        assert lines.read(header) is None

    frame = lines.read("0, 0, 2500, 40, 10, 0x0")
    assert frame is not None
    assert frame.pts_s == pytest.approx(2.5)
    assert lines.codec == "hevc"


@pytest.mark.parametrize("line", ["", "0, NOPTS, NOPTS, 0, 1, 0x0", "#tb 0: 1/0", "0, 1, 2", OLD[:30]])  # fmt: skip
def test_what_is_no_frame_is_none(line: str) -> None:
    assert FrameLines().read(line) is None


@given(st.text(max_size=200))
def test_no_line_upsets_the_readers(line: str) -> None:
    lines = FrameLines()
    lines.read(line)
    read_segment(line)
    assert lines.read(OLD) is not None


@given(st.integers(0, 10**12), st.integers(0, 10**6), st.booleans())
def test_every_frame_ffmpeg_can_tell_is_read(pts: int, size: int, key: bool) -> None:
    flags = "" if key else ", F=0x0"
    frame = FrameLines().read(
        f"0, {pts:10}, {pts:10}, {6000:8}, {size:8}, 0x{pts & 0xFFFFFFFF:08x}{flags}"
    )

    assert frame is not None
    assert (frame.key, frame.size) == (key, size)
    assert frame.pts_s == pytest.approx(pts / 90_000)


def test_a_segment_has_name_start_and_end() -> None:
    assert read_segment("17-000001.ts,10.064000,20.064000") == ClosedSegment("17-000001.ts", 10.064, 20.064)  # fmt: skip
    assert read_segment("17-000001.ts,-0.5,1") == ClosedSegment("17-000001.ts", -0.5, 1.0)


@pytest.mark.parametrize("line", ["a.ts,1", "../a.ts,1,2", "a.ts,one,2", ",1,2", "a.ts,1,2,3"])
def test_what_is_no_segment_is_none(line: str) -> None:
    assert read_segment(line) is None
