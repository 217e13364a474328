"""Transport streams packet by packet, written here by hand from ISO/IEC 13818-1."""

from __future__ import annotations

import io

import numpy as np
import pytest
from clipper import mpegts
from hypothesis import given
from hypothesis import strategies as st

from tests.zoo import paff

VIDEO_PID = 0x100
PARAMETERS = b"\0\0\0\1\x67sps\0\0\0\1\x68pps\0\0\0\1\x65"


def packet(pid: int, payload: bytes, *, starts: bool, key: bool = False) -> bytes:
    """One packet, filled up with adaptation field stuffing."""
    header = bytes([0x47, (0x40 if starts else 0) | pid >> 8, pid & 0xFF])
    stuffing = 184 - len(payload)
    if stuffing == 0 and not key:
        return header + b"\x10" + payload
    assert stuffing >= (2 if key else 1)
    field = bytes([0x40 if key else 0]) + b"\xff" * (stuffing - 2) if stuffing > 1 else b""
    return header + b"\x30" + bytes([stuffing - 1]) + field + payload


def section(pid: int, body: bytes) -> bytes:
    length = len(body) - 3 + 4
    body = body[:1] + bytes([0xB0 | length >> 8, length & 0xFF]) + body[3:] + b"\0\0\0\0"
    return packet(pid, b"\0" + body, starts=True)


def tables(stream_type: int = 0x1B, pmt_pid: int = 0x1000) -> bytes:
    pat = bytes([0, 0, 0, 0, 1, 0xC1, 0, 0, 0, 1, 0xE0 | pmt_pid >> 8, pmt_pid & 0xFF])
    pmt = bytes([2, 0, 0, 0, 1, 0xC1, 0, 0, 0xE1, 0, 0xF0, 0])
    sound = bytes([0x0F, 0xE1, 1, 0xF0, 0])
    picture = bytes([stream_type, 0xE0 | VIDEO_PID >> 8, VIDEO_PID & 0xFF, 0xF0, 0])
    return section(0, pat) + section(pmt_pid, pmt + sound + picture)


def stamp(prefix: int, ticks: int) -> bytes:
    return bytes([
        prefix << 4 | ticks >> 29 & 0x0E | 1,
        ticks >> 22 & 0xFF,
        ticks >> 14 & 0xFE | 1,
        ticks >> 7 & 0xFF,
        ticks << 1 & 0xFE | 1,
    ])  # fmt: skip


def picture(pts: int, dts: int | None = None, *, key: bool = False, extra: int = 1) -> bytes:
    if dts is None:
        header = bytes([0x80, 0x80, 5]) + stamp(2, pts)
    else:
        header = bytes([0x80, 0xC0, 10]) + stamp(3, pts) + stamp(1, dts)
    first = b"\0\0\1\xe0\0\0" + header + (PARAMETERS if key else b"\0\0\0\1\x41")
    rest = packet(VIDEO_PID, b"x" * 184, starts=False) * extra
    return packet(VIDEO_PID, first, starts=True, key=key) + rest


def scan(content: bytes) -> mpegts.Scan:
    return mpegts.scan(io.BytesIO(content))


ticks = st.integers(0, mpegts.WRAP - 1)


@given(st.lists(st.tuples(ticks, st.none() | ticks, st.booleans()), min_size=1, max_size=20))
def test_every_frame_is_found_with_its_stamps_and_place(
    shots: list[tuple[int, int | None, bool]],
) -> None:
    shots[0] = (*shots[0][:2], True)
    content = tables()
    expected = []
    for pts, dts, key in shots:
        expected.append(mpegts.Frame(pts, pts if dts is None else dts, key, len(content)))
        content += picture(pts, dts, key=key)

    found = scan(content)

    assert found.frames == tuple(expected)
    assert found.size == len(content)
    assert found.codec == "h264"
    assert found.tables == tables()


@given(ticks, st.none() | ticks, st.integers(-mpegts.WRAP, mpegts.WRAP))
def test_shifting_moves_stamps_and_nothing_else(pts: int, dts: int | None, by: int) -> None:
    content = tables() + picture(pts, dts, key=True)
    moved = bytearray(content)
    mpegts.shift_stamps(moved, by)
    frame = scan(bytes(moved)).frames[0]
    assert frame.pts == (pts + by) % mpegts.WRAP
    assert frame.dts == ((pts if dts is None else dts) + by) % mpegts.WRAP

    mpegts.shift_stamps(moved, -by)
    discontinuity_at = len(tables()) + 5
    moved[discontinuity_at] &= 0x7F
    assert bytes(moved) == content


@given(ticks, st.integers(-(mpegts.WRAP // 2) + 1, mpegts.WRAP // 2 - 1))
def test_differences_hold_across_a_wrap(earlier: int, step: int) -> None:
    assert mpegts.ticks_between((earlier + step) % mpegts.WRAP, earlier) == step


def test_a_packet_cut_short_is_left_out() -> None:
    whole = tables() + picture(0, key=True) + picture(3600)

    assert scan(whole + b"\x47\x01\x00").size == len(whole)
    assert len(scan(whole[:-10]).frames) == 2


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no video"),
        (b"\x00" * 400, "not an MPEG"),
        (tables(), "no key frame"),
        (tables() + picture(0), "no key frame"),
        (tables(stream_type=0x0F) + picture(0, key=True), "no video"),
    ],
)
def test_what_is_no_video_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(mpegts.UnreadableStreamError, match=why):
        scan(content)


@given(st.binary(max_size=2000), st.integers(0, 20))
def test_damage_is_survived(noise: bytes, at: int) -> None:
    content = bytearray(tables() + picture(0, key=True) + picture(3600, 0))
    content[at * 40 : at * 40 + len(noise)] = noise
    try:
        found = scan(bytes(content))
    except mpegts.UnreadableStreamError:
        return
    assert any(frame.key for frame in found.frames)


@given(st.binary(max_size=3000))
def test_anything_at_all_after_a_sync_byte_is_survived(noise: bytes) -> None:
    chunk = bytearray(b"\x47" + noise)
    mpegts.shift_stamps(chunk[: len(chunk) // 188 * 188], 12345)
    with pytest.raises(mpegts.UnreadableStreamError):
        scan(bytes(chunk))


def test_the_format_is_that_of_codec_and_parameter_sets() -> None:
    one = scan(tables() + picture(0, key=True))
    same = scan(tables() + picture(90_000, key=True, extra=7))
    other = scan((tables() + picture(0, key=True)).replace(b"sps", b"SPS"))
    hevc = scan(tables(stream_type=0x24) + picture(0, key=True))

    assert one.format == same.format
    assert len({one.format, other.format, hevc.format}) == 3
    assert hevc.codec == "hevc"


def of_fields(count: int) -> list[bytes]:
    """The fields of `count` pictures, two each, the first with its parameter sets."""
    grey = np.full((32, 16), 80, np.uint8)
    units = [
        paff.field(grey[bottom::2], number=number, bottom=bool(bottom))
        for number in range(count)
        for bottom in (0, 1)
    ]
    return [paff.sequence_set(16, 32) + paff.picture_set() + units[0], *units[1:]]


def in_packets(unit: bytes, pts: int, *, key: bool = False) -> bytes:
    """A coded picture with its stamp."""
    first = b"\0\0\1\xe0\0\0" + bytes([0x80, 0x80, 5]) + stamp(2, pts) + unit[:160]
    rest = (unit[at : at + 184] for at in range(160, len(unit), 184))
    return packet(VIDEO_PID, first, starts=True, key=key) + b"".join(
        packet(VIDEO_PID, part, starts=False) for part in rest
    )


def test_two_fields_are_one_picture_of_two_units() -> None:
    content = tables()
    for place, unit in enumerate(of_fields(4)):
        content += in_packets(unit, place * 9000, key=place == 0)

    frames = scan(content).frames

    assert [frame.pts for frame in frames] == [0, 18000, 36000, 54000]
    assert [frame.units for frame in frames] == [2, 2, 2, 2]


def test_a_field_without_its_other_is_a_picture() -> None:
    parts = of_fields(4)
    content = tables()
    for place, unit in enumerate([*parts[:3], *parts[4:]]):
        content += in_packets(unit, place * 9000, key=place == 0)

    assert [frame.units for frame in scan(content).frames] == [2, 1, 2, 2]
