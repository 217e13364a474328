"""What a segment holds, told by its packets."""

from __future__ import annotations

import io

import numpy as np
import pytest
from clipper import scanning
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.media import mpegts
from tests.transport_packets import VIDEO_PID, packet, picture, stamp, tables
from tests.zoo import paff


def scan(content: bytes) -> scanning.Scan:
    return scanning.scan(io.BytesIO(content))


ticks = st.integers(0, mpegts.WRAP - 1)


@given(st.lists(st.tuples(ticks, st.none() | ticks, st.booleans()), min_size=1, max_size=20))
def test_every_frame_is_found_with_its_stamps_and_place(
    shots: list[tuple[int, int | None, bool]],
) -> None:
    shots[0] = (*shots[0][:2], True)
    content = tables()
    expected = []
    for pts, dts, key in shots:
        expected.append(scanning.Frame(pts, pts if dts is None else dts, key, len(content)))
        content += picture(pts, dts, key=key)

    found = scan(content)

    assert found.frames == tuple(expected)
    assert found.size == len(content)
    assert found.codec == "h264"
    assert found.tables == tables()


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
    with pytest.raises(scanning.UnreadableStreamError, match=why):
        scan(content)


@given(st.binary(max_size=2000), st.integers(0, 20))
def test_damage_is_survived(noise: bytes, at: int) -> None:
    content = bytearray(tables() + picture(0, key=True) + picture(3600, 0))
    content[at * 40 : at * 40 + len(noise)] = noise
    try:
        found = scan(bytes(content))
    except scanning.UnreadableStreamError:
        return
    assert any(frame.key for frame in found.frames)


@given(st.binary(max_size=3000))
def test_anything_at_all_after_a_sync_byte_is_survived(noise: bytes) -> None:
    chunk = bytearray(b"\x47" + noise)
    mpegts.shift_stamps(chunk[: len(chunk) // 188 * 188], 12345)
    with pytest.raises(scanning.UnreadableStreamError):
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


def test_a_key_frame_in_which_no_unit_begins_tells_no_format_and_is_survived() -> None:
    bare = (tables() + picture(0, key=True)).replace(b"\0\0\0\1\x67", b"\0\0\0\2\x67")
    bare = bare.replace(b"\0\0\0\1\x68", b"\0\0\0\2\x68").replace(b"\0\0\0\1\x65", b"\0\0\0\2\x65")

    found = scan(bare)

    assert not found.is_whole
    assert len(found.frames) == 1
