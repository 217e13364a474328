"""Reading MPEG transport streams: packets, tables, and the stamps of pictures. Pure.

After ISO/IEC 13818-1 (= ITU-T H.222.0), whose clauses are named where they are followed. Streams as
ffmpeg writes them: a table fits into one packet, and every picture begins a PES packet whose header
lies in one. Anything may come from a file or a camera: what is no such thing is passed over, and
nothing here reads behind the packet that it is asked about.

Throughout, `data` is bytes that begin with a packet, and `start` is where in it a packet begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

PACKET_BYTES = 188
SYNC = 0x47
PAT_PID = 0
CLOCK_HZ = 90_000
WRAP = 1 << 33
"""Stamps have 33 bits: they begin anew every 26.5 hours."""
H264_TYPE = 0x1B
HEVC_TYPE = 0x24
VIDEO_CODECS = {
    0x01: "mpeg1video",
    0x02: "mpeg2video",
    0x10: "mpeg4",
    H264_TYPE: "h264",
    HEVC_TYPE: "hevc",
    0x33: "vvc",
}
"""Stream types of the PMT that carry video (table 2-34), by ffmpeg's names."""
_UNIT_START = re.compile(rb"[\x40-\x7f]")
"""A packet's second byte with payload_unit_start set and no transport error."""
_STAMP_BYTES = 5
_ONE_STAMP = 9 + _STAMP_BYTES
_TWO_STAMPS = _ONE_STAMP + _STAMP_BYTES

Data = bytes | bytearray


@dataclass(frozen=True)
class Video:
    """A video stream as the table of its programme tells it."""

    pid: int
    stream_type: int

    @property
    def codec(self) -> str:
        """As ffmpeg names it."""
        return VIDEO_CODECS[self.stream_type]


def whole_packets(size: int) -> int:
    """`size` bytes without a packet that was cut short."""
    return size - size % PACKET_BYTES


def ticks_between(later: int, earlier: int) -> int:
    """`later - earlier` of two stamps the short way round, across a wrap: may be below zero."""
    return (later - earlier + WRAP // 2) % WRAP - WRAP // 2


def unit_starts(data: Data, pid: int | None = None, size: int | None = None) -> Iterator[int]:
    """Where whole packets lie that begin a section or a PES packet (payload_unit_start, 2.4.3.3).

    Args:
        data: the stream.
        pid: only packets of this one, of all where it is left out.
        size: how much of `data` counts, bytes; all where it is left out.
    """
    seconds = data[1 : whole_packets(len(data) if size is None else size) : PACKET_BYTES]
    begins = _UNIT_START if pid is None else _unit_start_of(pid >> 8)
    low = None if pid is None else pid & 0xFF
    for found in begins.finditer(seconds):
        start = found.start() * PACKET_BYTES
        if (low is None or data[start + 2] == low) and data[start] == SYNC and data[start + 3] & 16:
            yield start


@lru_cache(maxsize=64)
def _unit_start_of(high: int) -> re.Pattern[bytes]:
    """The same with the upper bits of a PID, whatever the packet's priority."""
    return re.compile(b"[%b]" % re.escape(bytes((0x40 | high, 0x60 | high))))


def pid_at(data: Data, start: int) -> int:
    """The PID of a packet."""
    return (data[start + 1] & 0x1F) << 8 | data[start + 2]


def packets_of(data: Data, pid: int, begin: int, end: int) -> Iterator[int]:
    """Where the packets of `pid` lie from `begin` to `end`, both at a packet."""
    for start in range(begin, min(end, whole_packets(len(data))), PACKET_BYTES):
        if pid_at(data, start) == pid:
            yield start


def payload_at(data: Data, start: int) -> int:
    """Where the payload of a packet begins; the packet's end where it has none (2.4.3.4)."""
    control = data[start + 3] >> 4 & 3
    if not control & 1:
        return start + PACKET_BYTES
    return min(start + 5 + data[start + 4], start + PACKET_BYTES) if control & 2 else start + 4


def is_random_access(data: Data, start: int) -> bool:
    """The random_access_indicator (2.4.3.5), which ffmpeg sets on key frames."""
    return bool(data[start + 3] & 0x20 and data[start + 4] and data[start + 5] & 0x40)


def begins_pes(data: Data, start: int) -> bool:
    """Whether the payload of a packet begins with a PES packet (2.4.3.6), no section."""
    payload = payload_at(data, start)
    return data[payload : payload + 3] == b"\0\0\1"


def stamps_at(data: Data, start: int) -> tuple[int, int] | None:
    """(PTS, DTS) of the picture that begins in a packet (2.4.3.7); None where none are told.

    Returns:
        When it is shown and when decoded, ticks modulo 2^33; the same twice where one is told.
    """
    header = payload_at(data, start)
    room = start + PACKET_BYTES - header
    if room < _ONE_STAMP or data[header : header + 3] != b"\0\0\1" or data[header + 6] >> 6 != 2:
        return None
    told = data[header + 7] >> 6
    if not told & 2:
        return None
    pts = _ticks(data, header + 9)
    return pts, _ticks(data, header + 14) if told == 3 and room >= _TWO_STAMPS else pts


def pts_at(data: Data, start: int) -> int:
    """Where the presentation time of the picture lies that begins in a packet."""
    return payload_at(data, start) + 9


def stamp(ticks: int, *, like: int) -> bytes:
    """A stamp as it is written (2.4.3.7); its first four bits as in the byte `like`."""
    ticks %= WRAP
    bits = ticks >> 30 << 33 | (ticks >> 15 & 0x7FFF) << 17 | (ticks & 0x7FFF) << 1
    return ((like & 0xF0) << 32 | bits | 0x1_0001_0001).to_bytes(_STAMP_BYTES)


def shift_stamps(data: bytearray, ticks: int) -> None:
    """Add `ticks` to every PTS and DTS of whole packets, in place.

    Key frames are marked as a discontinuity of the packet counter too (2.4.3.5), since streams
    joined at a key frame each count from zero, which readers would take for damage.
    """
    for start in unit_starts(data):
        if is_random_access(data, start):
            data[start + 5] |= 0x80
        stamps = stamps_at(data, start)
        if stamps is None:
            continue
        first = payload_at(data, start) + 9
        behind = 1 + (data[first - 2] >> 6 == 3 and first + 10 <= start + PACKET_BYTES)
        for at, was in zip((first, first + _STAMP_BYTES)[:behind], stamps, strict=False):
            data[at : at + _STAMP_BYTES] = stamp(was + ticks, like=data[at])


def section_at(data: Data, start: int) -> Data:
    """The section that begins in a packet, without its CRC (2.4.4); empty where it is not whole."""
    end = start + PACKET_BYTES
    payload = payload_at(data, start)
    if payload >= end:
        return b""
    begin = payload + 1 + data[payload]
    if begin + 3 > end:
        return b""
    length = int.from_bytes(data[begin + 1 : begin + 3]) & 0x0FFF
    return data[begin : begin + length - 1] if length >= 9 and begin + 3 + length <= end else b""


def programme_pid(section: Data) -> int | None:
    """Where the table of the first programme is, by the PAT (2.4.4.3)."""
    for at in range(8, len(section) - 3, 4):
        if section[at : at + 2] != b"\0\0":  # else it is where the network is described
            return int.from_bytes(section[at + 2 : at + 4]) & 0x1FFF
    return None


def video_in(section: Data) -> Video | None:
    """The first video stream that a PMT tells (2.4.4.8)."""
    if len(section) < 12:
        return None
    at = 12 + (int.from_bytes(section[10:12]) & 0x0FFF)
    while at + 5 <= len(section):
        if section[at] in VIDEO_CODECS:
            return Video(int.from_bytes(section[at + 1 : at + 3]) & 0x1FFF, section[at])
        at += 5 + (int.from_bytes(section[at + 3 : at + 5]) & 0x0FFF)
    return None


def first_video(data: Data) -> Video | None:
    """The first video stream of the first programme; None until the tables tell it."""
    pat = next(unit_starts(data, PAT_PID), None)
    pid = None if pat is None else programme_pid(section_at(data, pat))
    pmt = None if pid is None else next(unit_starts(data, pid), None)
    return None if pmt is None else video_in(section_at(data, pmt))


def picture_beginning(data: Data, start: int, pid: int, most: int) -> bytes:
    """The first bytes of the picture whose first packet begins at `start`: `most` or a few more."""
    header = payload_at(data, start)
    if header + 9 > start + PACKET_BYTES:
        return b""
    carried = bytearray(data[header + 9 + data[header + 8] : start + PACKET_BYTES])
    for packet in packets_of(data, pid, start + PACKET_BYTES, len(data)):
        if data[packet + 1] & 0x40 or len(carried) >= most:
            break
        carried += data[payload_at(data, packet) : packet + PACKET_BYTES]
    return bytes(carried)


def _ticks(data: Data, at: int) -> int:
    """Three pieces of 33 bits, a marker bit behind each (2.4.3.7)."""
    return (
        (data[at] & 0x0E) << 29
        | data[at + 1] << 22
        | (data[at + 2] & 0xFE) << 14
        | data[at + 3] << 7
        | data[at + 4] >> 1
    )
