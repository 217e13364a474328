"""Just enough of MPEG-TS to know a file's times and picture format without ffmpeg.

Source: ISO/IEC 13818-1 (ITU-T H.222.0), 2.4.3.2 (packets), 2.4.3.6 (PES), 2.4.4 (PAT and PMT).
Files as ffmpeg writes them: tables fit into one packet, every picture begins a PES packet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

PACKET = 188
TICKS_PER_S = 90_000
WRAP_S = (1 << 33) / TICKS_PER_S
"""Stamps have 33 bits: they begin anew every 26.5 hours."""
VIDEO_TYPES = frozenset({0x01, 0x02, 0x10, 0x1B, 0x24})
HEVC_TYPE = 0x24
HEAD_BYTES = 65_536
"""Enough of a file's beginning to hold tables and the parameter sets of its key frame."""
STILL_TICKS = 2
STILL_PICTURES = 8
_PARAMETER_BYTES = 4096
_START_CODE = re.compile(rb"\x00\x00\x01")


@dataclass(frozen=True)
class Times:
    """Stream time of a file's pictures in seconds, not unwrapped."""

    opened_s: float
    """Of the picture that is decoded first."""
    first_s: float
    last_s: float
    pictures: int


class Picture(NamedTuple):
    """One picture of a file, as its first packet tells it."""

    packet: int
    """Where its first packet lies, bytes."""
    start: int
    """The same, or of a key frame where the tables right before it begin."""
    shown: int
    """When it is shown, ticks, not unwrapped."""
    decoded: int
    """When it is decoded, ticks, not unwrapped."""
    key: bool
    """Decoding can begin with it."""


@dataclass(frozen=True)
class Video:
    """A video stream as the table of its programme tells it."""

    pid: int
    stream_type: int


def whole_packets(size: int) -> int:
    """`size` bytes without a packet that was cut short."""
    return size - size % PACKET


def times(data: bytes) -> Times | None:
    """When the first and last picture of a file are shown; None when there is none to be found.

    Stamps count from the first picture's, so that a file across the 33-bit wrap stays in order.
    """
    stamps = list(_stamps(data))
    if not stamps:
        return None
    first = stamps[0]
    after = [ticks_after(stamp, first) for stamp in stamps]
    return Times(
        first / TICKS_PER_S,
        (first + min(after)) / TICKS_PER_S,
        (first + max(after)) / TICKS_PER_S,
        len(stamps),
    )


def video_pid(head: bytes) -> int | None:
    """The number of the first video stream, None until the tables that tell it are there."""
    found = video(head)
    return found.pid if found else None


def pictures(
    data: bytes | bytearray, pid: int, *, base: int = 0, size: int | None = None
) -> Iterator[Picture]:
    """The pictures that begin in `data`, which begins with a packet.

    Args:
        data: a piece of a file.
        pid: number of its video stream.
        base: where in the file `data` begins.
        size: how much of `data` counts, bytes; all where it is left out.
    """
    for start in _starts(data, pid, size):
        at = _payload(data, start)
        header = data[at : at + 19]
        if header[:3] != b"\x00\x00\x01" or len(header) < 14 or not header[7] & 0x80:
            continue
        shown = _stamp(header[9:14])
        tells_both = header[7] & 0x40 and len(header) == 19
        decoded = _stamp(header[14:19]) if tells_both else shown
        key = _is_key(data, start)
        begin = _tables_before(data, start) if key else start
        yield Picture(base + start, base + begin, shown, decoded, key)


def elapsed_s(earlier: int, later: int) -> float:
    """Seconds from one stamp to another, across a wrap."""
    return ticks_after(later, earlier) / TICKS_PER_S


def before_leap(data: bytes, *, most_s: float) -> int:
    """Bytes before the first picture whose stamp no time that passed explains; all without one.

    That is one shown more than `most_s` after the first picture, or as much before it, and the
    first of many that stand still: ffmpeg lets no stamp go back.
    """
    most = most_s * TICKS_PER_S
    first: int | None = None
    still: list[int] = []
    latest = -1 << 33
    for start, stamp in _stamped(data):
        first = stamp if first is None else first
        after = ticks_after(stamp, first)
        if abs(after) > most:
            return start
        still = [*still, start] if 0 <= after - latest <= STILL_TICKS else []
        if len(still) > STILL_PICTURES:
            return still[0]
        latest = max(latest, after)
    return len(data)


def packets(data: bytes, pid: int, begin: int, end: int) -> Iterator[int]:
    """Where the packets of `pid` lie in `data` from `begin` to `end`, both at a packet."""
    for at in range(begin, min(end, whole_packets(len(data))), PACKET):
        if int.from_bytes(data[at + 1 : at + 3]) & 0x1FFF == pid:
            yield at


def payloads(data: bytes, pid: int, begin: int, end: int) -> Iterator[bytes]:
    """What those packets carry, the headers of the PES packets included."""
    for at in packets(data, pid, begin, end):
        yield data[_payload(data, at) : at + PACKET]


def stamp_at(data: bytes, packet: int) -> int:
    """Where the presentation time of the picture lies whose first packet lies at `packet`."""
    return _payload(data, packet) + 9


def stamp(ticks: int, *, like: int) -> bytes:
    """A presentation time as it is written (2.4.3.7); its first four bits as in the byte `like`."""
    ticks %= 1 << 33
    bits = ticks >> 30 << 33 | (ticks >> 15 & 0x7FFF) << 17 | (ticks & 0x7FFF) << 1
    return ((like & 0xF0) << 32 | bits | 0x1_0001_0001).to_bytes(5)


def picture_format(head: bytes) -> bytes | None:
    """The sequence parameter sets of the first picture: equal ones mean an equal picture format.

    Args:
        head: the first `HEAD_BYTES` of a file.
    """
    found = video(head)
    if found is None:
        return None
    units = _units(_first_picture(head, found.pid))
    sets = {unit for unit in units if _is_sequence(unit, found)}  # some are told twice
    return b"".join(sorted(sets)) or None


def ticks_after(stamp: int, first: int) -> int:
    """Ticks from `first` to `stamp`, across a wrap."""
    return (stamp - first + (1 << 32)) % (1 << 33) - (1 << 32)


def _stamps(data: bytes) -> Iterator[int]:
    return (stamp for _, stamp in _stamped(data))


def _stamped(data: bytes) -> Iterator[tuple[int, int]]:
    """(where its first packet lies, stamp) of each picture."""
    found = video(data)
    if found is None:
        return
    for start in _starts(data, found.pid):
        stamp = _presentation_time(data, _payload(data, start))
        if stamp is not None:
            yield start, stamp


def _starts(data: bytes | bytearray, pid: int, size: int | None = None) -> Iterator[int]:
    """Where packets lie that begin a unit of `pid`."""
    high, low = 0x40 | pid >> 8, pid & 0xFF
    seconds = data[1 : whole_packets(len(data) if size is None else size) : PACKET]
    for found in _begins(high).finditer(seconds):
        start = found.start() * PACKET
        if data[start + 2] == low and data[start] == 0x47 and data[start + 3] & 0x10:
            yield start


@lru_cache(maxsize=64)
def _begins(high: int) -> re.Pattern[bytes]:
    """The second byte of a packet that begins a unit, whatever its priority."""
    return re.compile(b"[%b]" % re.escape(bytes((high, high | 0x20, high | 0x80, high | 0xA0))))


def _payload(data: bytes | bytearray, start: int) -> int:
    adaptation = 1 + data[start + 4] if data[start + 3] & 0x20 else 0
    return start + 4 + adaptation


def _is_key(data: bytes | bytearray, start: int) -> bool:
    """Random access indicator of the adaptation field (2.4.3.5)."""
    return bool(data[start + 3] & 0x20 and data[start + 4] and data[start + 5] & 0x40)


def _tables_before(data: bytes | bytearray, start: int) -> int:
    """Where the tables begin that stand right before a packet; `start` where none do."""
    while start >= PACKET and _is_table(data, start - PACKET):
        start -= PACKET
    return start


def _is_table(data: bytes | bytearray, start: int) -> bool:
    at = _payload(data, start)
    return bool(data[start + 1] & 0x40) and data[at : at + 3] != b"\x00\x00\x01"


def _presentation_time(data: bytes, at: int) -> int | None:
    header = data[at : at + 14]
    if len(header) < 14 or header[:3] != b"\x00\x00\x01" or not header[7] & 0x80:
        return None
    return _stamp(header[9:14])


def _stamp(stamp: bytes | bytearray) -> int:
    """Three pieces of 33 bits, a marker bit behind each (2.4.3.7)."""
    bits = int.from_bytes(stamp)
    return bits >> 3 & 0x1_C000_0000 | bits >> 2 & 0x3FFF_8000 | bits >> 1 & 0x7FFF


def video(data: bytes) -> Video | None:
    """The first video stream of the first programme."""
    table = _section(data, 0)
    for at in range(8, len(table) - 4, 4):
        programme, pid = int.from_bytes(table[at : at + 2]), int.from_bytes(table[at + 2 : at + 4])
        if programme:
            return _first_video(_section(data, pid & 0x1FFF))
    return None


def _section(data: bytes, pid: int) -> bytes:
    """A table from the first packet that begins one, empty if there is none."""
    for start in _starts(data, pid):
        at = _payload(data, start)
        at += 1 + data[at] if at < len(data) else 0
        length = 3 + (int.from_bytes(data[at + 1 : at + 3]) & 0x0FFF)
        return data[at : min(at + length, start + PACKET)]
    return b""


def _first_video(table: bytes) -> Video | None:
    if len(table) < 12:
        return None
    at = 12 + (int.from_bytes(table[10:12]) & 0x0FFF)
    while at + 5 <= len(table) - 4:
        stream_type, pid = table[at], int.from_bytes(table[at + 1 : at + 3]) & 0x1FFF
        if stream_type in VIDEO_TYPES:
            return Video(pid, stream_type)
        at += 5 + (int.from_bytes(table[at + 3 : at + 5]) & 0x0FFF)
    return None


def _first_picture(head: bytes, pid: int) -> bytes:
    start = next(_starts(head, pid), None)
    if start is None:
        return b""
    at = _payload(head, start)
    if at + 9 > len(head):
        return b""
    picture = bytearray(head[at + 9 + head[at + 8] : start + PACKET])
    for packet in range(start + PACKET, whole_packets(len(head)), PACKET):
        if int.from_bytes(head[packet + 1 : packet + 3]) & 0x1FFF != pid:
            continue
        if head[packet + 1] & 0x40 or len(picture) >= _PARAMETER_BYTES:
            break
        picture += head[_payload(head, packet) : packet + PACKET]
    return bytes(picture)


def _units(picture: bytes) -> Iterator[bytes]:
    """NAL units of an Annex B byte stream (H.264 and H.265, Annex B)."""
    marks = [mark.end() for mark in _START_CODE.finditer(picture)]
    for start, end in pairwise([*marks, len(picture) + 3]):
        yield picture[start : end - 3].rstrip(b"\x00")


def _is_sequence(unit: bytes, video: Video) -> bool:
    if not unit:
        return False
    if video.stream_type == HEVC_TYPE:
        return unit[0] >> 1 & 0x3F == 33  # H.265 table 7-1: SPS_NUT
    return unit[0] & 0x1F == 7  # H.264 table 7-1: sequence parameter set
