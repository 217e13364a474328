"""The reader of transport streams, on packets written by hand and on anything at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.media import mpegts
from hazardcast.media.mpegts import PACKET_BYTES, Video
from tests.transport_packets import VIDEO_PID, packet, picture, section, tables

ticks = st.integers(0, mpegts.WRAP - 1)


@given(ticks, st.none() | ticks)
def test_a_picture_tells_when_it_is_shown_and_when_decoded(pts: int, dts: int | None) -> None:
    stream = tables() + picture(pts, dts, key=True)

    starts = list(mpegts.unit_starts(stream, VIDEO_PID))

    assert starts == [len(tables())]
    assert mpegts.stamps_at(stream, starts[0]) == (pts, pts if dts is None else dts)
    assert mpegts.is_random_access(stream, starts[0])


@given(ticks, st.none() | ticks, st.integers(-mpegts.WRAP, mpegts.WRAP))
def test_shifting_moves_stamps_and_nothing_else(pts: int, dts: int | None, by: int) -> None:
    content = tables() + picture(pts, dts, key=True)
    start = len(tables())
    moved = bytearray(content)
    mpegts.shift_stamps(moved, by)
    later = [(was + by) % mpegts.WRAP for was in (pts, pts if dts is None else dts)]
    assert mpegts.stamps_at(moved, start) == tuple(later)

    mpegts.shift_stamps(moved, -by)
    moved[start + 5] &= 0x7F  # the discontinuity that it marks
    assert bytes(moved) == content


@given(ticks, st.integers(-(mpegts.WRAP // 2) + 1, mpegts.WRAP // 2 - 1))
def test_differences_hold_across_a_wrap(earlier: int, step: int) -> None:
    assert mpegts.ticks_between((earlier + step) % mpegts.WRAP, earlier) == step


@pytest.mark.parametrize("stream_type", sorted(mpegts.VIDEO_CODECS))
def test_every_kind_of_video_is_found_behind_the_sound(stream_type: int) -> None:
    assert mpegts.first_video(tables(stream_type)) == Video(VIDEO_PID, stream_type)


def test_sound_alone_is_no_video() -> None:
    assert mpegts.first_video(tables(0x0F)) is None


@pytest.mark.parametrize("kept", [0, 1, PACKET_BYTES, 2 * PACKET_BYTES - 1])
def test_without_whole_tables_nobody_knows_where_the_video_is(kept: int) -> None:
    assert mpegts.first_video(tables()[:kept]) is None


def test_a_table_that_says_it_goes_on_in_another_packet_is_not_believed() -> None:
    table = bytearray(tables())
    table[PACKET_BYTES + table.index(b"\0\2\xb0", PACKET_BYTES) % PACKET_BYTES + 3] = 200

    assert mpegts.first_video(table) is None


def test_only_packets_of_the_one_asked_for_are_told() -> None:
    sound = packet(0x101, b"\0\0\1\xc0", starts=True)
    stream = sound + picture(0) + sound + picture(3600)

    starts = list(mpegts.unit_starts(stream, VIDEO_PID))

    assert [stream[at + 1 : at + 3] for at in starts] == [b"\x41\x00"] * 2
    assert len(list(mpegts.unit_starts(stream))) == 4


def test_a_packet_known_to_be_damaged_begins_nothing() -> None:
    stream = bytearray(picture(0))
    stream[1] |= 0x80

    assert not [*mpegts.unit_starts(stream), *mpegts.unit_starts(stream, VIDEO_PID)]


def test_a_header_that_leaves_no_room_for_its_stamp_tells_none() -> None:
    stream = packet(VIDEO_PID, b"\0\0\1\xe0\0\0\x80\x80\5\x21", starts=True) + picture(0)

    assert mpegts.stamps_at(stream, 0) is None


@given(st.binary(min_size=PACKET_BYTES - 1, max_size=PACKET_BYTES - 1), ticks)
def test_no_packet_is_read_beyond_its_end(body: bytes, pts: int) -> None:
    """What stands behind it changes nothing of what is told of it."""
    one = b"\x47" + body
    for behind in (b"", picture(pts), section(0x1000, bytes(13))):
        stream = bytearray(one + behind)
        assert mpegts.stamps_at(stream, 0) == mpegts.stamps_at(one, 0)
        assert mpegts.section_at(stream, 0) == mpegts.section_at(one, 0)
        assert mpegts.payload_at(stream, 0) <= PACKET_BYTES
        alone, apart = bytearray(one), bytearray(behind)
        for part in (stream, alone, apart):
            mpegts.shift_stamps(part, 90_000)
        assert stream == alone + apart


@given(st.binary(max_size=3000), ticks)
def test_anything_at_all_is_survived(noise: bytes, by: int) -> None:
    stream = bytearray(tables() + noise)
    video = mpegts.first_video(stream)
    assert video is not None

    for start in mpegts.unit_starts(stream):
        mpegts.stamps_at(stream, start)
        mpegts.video_in(mpegts.section_at(stream, start))
        mpegts.programme_pid(mpegts.section_at(stream, start))
        beginning = mpegts.picture_beginning(stream, start, video.pid, 400)
        assert len(beginning) < 400 + PACKET_BYTES
    mpegts.shift_stamps(stream[: mpegts.whole_packets(len(stream))], by)
