"""Reading MPEG transport streams as ffmpeg writes them: where frames lie and when they are shown.

Layout after ISO/IEC 13818-1 (= ITU-T H.222.0): packets of 188 bytes (2.4.3.2), PES headers with
33-bit stamps of a 90 kHz clock (2.4.3.6), PAT and PMT sections (2.4.4). Everything here works on
bytes at hand; nothing is decoded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from clipper import fields, nal
from hazardcast.media.h264 import SequenceSet

PACKET = 188
SYNC = 0x47
CHUNK_PACKETS = 8192
TICKS_PER_S = 90_000
WRAP = 1 << 33
PAT_PID = 0
VIDEO_TYPES = {0x01: "mpeg1video", 0x02: "mpeg2video", 0x10: "mpeg4", 0x1B: "h264", 0x24: "hevc"}
"""Stream types of the PMT that carry video (ISO/IEC 13818-1 table 2-34)."""
_UNIT_START = re.compile(rb"[\x40-\x7f]")
"""A packet's second byte with payload_unit_start set and no transport error."""
PARAMETER_BYTES = 4096
"""Enough of a key frame's beginning to hold its parameter sets."""


class UnreadableStreamError(ValueError):
    """The file is no transport stream with video; the message says what is wrong."""


class Frame(NamedTuple):
    """One picture: its stamps in 90 kHz ticks and the byte where its packets begin."""

    pts: int
    dts: int
    key: bool
    offset: int
    units: int = 1
    """Coded pictures that it consists of: two where each is a field (`clipper.fields`)."""


@dataclass(frozen=True)
class Scan:
    """What a segment holds, in decoding order."""

    frames: tuple[Frame, ...]
    size: int
    """Bytes, whole packets only."""
    codec: str
    format: str
    """Fingerprint of codec, PID and parameter sets: what is equal can be joined as it is."""
    tables: bytes
    """PAT and PMT packets, to stand before a piece cut from the middle."""
    is_whole: bool = True
    """Whether it tells how its pictures are made; else the stream before it does."""


def scan(file: BinaryIO) -> Scan:
    """Walk a whole stream from its first byte.

    Raises:
        UnreadableStreamError: no transport stream, no video in it, or no key frame.
    """
    walk = _Walk()
    for base, chunk in chunks(file):
        walk.take(chunk, base)
    return walk.result()


def chunks(
    file: BinaryIO, *, start: int = 0, end: int | None = None
) -> Iterator[tuple[int, bytearray]]:
    """(offset, whole packets) pieces of about 1.5 MB; a packet cut short at the end is left out.

    Args:
        file: the stream.
        start: byte to begin at, a packet's first.
        end: byte to stop before, the file's end if None.
    """
    offset = file.seek(start)
    most = PACKET * CHUNK_PACKETS
    while data := file.read(most if end is None else min(most, end - offset)):
        whole = len(data) - len(data) % PACKET
        if whole:
            yield offset, bytearray(memoryview(data)[:whole])
        offset += len(data)


def ticks_between(later: int, earlier: int) -> int:
    """`later − earlier` of two 33-bit stamps, across a wrap."""
    return (later - earlier + WRAP // 2) % WRAP - WRAP // 2


def shift_stamps(chunk: bytearray, ticks: int) -> None:
    """Add `ticks` to every PTS and DTS of whole packets, in place.

    Key frames are marked as a discontinuity of the packet counter too (2.4.3.5), since streams
    joined at a key frame each count from zero, which readers would take for damage.
    """
    for start in _unit_starts(chunk):
        if _random_access(chunk, start):
            chunk[start + 5] |= 0x80
        header = _pes_header(chunk, start)
        if header is None:
            continue
        flags = chunk[header + 7] >> 6
        if flags & 2:
            _write_stamp(chunk, header + 9, _read_stamp(chunk, header + 9) + ticks)
        if flags == 3:
            _write_stamp(chunk, header + 14, _read_stamp(chunk, header + 14) + ticks)


class _Walk:
    """The state of one scan."""

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._tables: dict[int, bytes] = {}
        self._pmt_pid: int | None = None
        self._video: tuple[int, int] | None = None
        self._head = bytearray()
        self._layout: SequenceSet | None = None
        """How slices begin, where pictures may be fields."""
        self._field: fields.Field | None = None
        """The one that the last picture began with, while its other may follow."""
        self._size = 0

    def take(self, chunk: bytearray, base: int) -> None:
        if base == 0 and chunk[0] != SYNC:
            raise UnreadableStreamError("not an MPEG transport stream")
        self._size = base + len(chunk)
        for start in _unit_starts(chunk):
            pid = _pid(chunk, start)
            if self._video is not None and pid == self._video[0]:
                self._take_picture(chunk, start, base)
            elif pid in (PAT_PID, self._pmt_pid) and pid not in self._tables:
                self._take_table(chunk, start, pid)

    def _take_table(self, chunk: bytearray, start: int, pid: int) -> None:
        section = _section(chunk, start)
        if section is None:
            return
        if pid == PAT_PID:
            self._pmt_pid = _first_program(section)
        else:
            self._video = _first_video(section)
        self._tables[pid] = bytes(chunk[start : start + PACKET])

    def _take_picture(self, chunk: bytearray, start: int, base: int) -> None:
        header = _pes_header(chunk, start)
        if header is None or not chunk[header + 7] >> 6 & 2:
            return
        pts = _read_stamp(chunk, header + 9)
        dts = _read_stamp(chunk, header + 14) if chunk[header + 7] >> 6 == 3 else pts
        key = _random_access(chunk, start)
        if key and not self._head:
            self._head = self._beginning(chunk, start, header)
            self._layout = self._layout_told()
        if self._layout and self._completes(self._beginning(chunk, start, header), self._layout):
            self._frames[-1] = self._frames[-1]._replace(units=2)
            return
        self._frames.append(Frame(pts, dts, key, base + start))

    def _layout_told(self) -> SequenceSet | None:
        if self._video is None or VIDEO_TYPES[self._video[1]] != "h264":
            return None
        told = nal.sequence_set(bytes(self._head))
        return fields.layout(told) if told else None

    def _completes(self, picture: bytearray, layout: SequenceSet) -> bool:
        """Whether what begins here is the second field of the picture before."""
        field = fields.field_of(bytes(picture), layout)
        completes = field is not None and field.completes(self._field)
        self._field = None if completes else field
        return completes

    def _beginning(self, chunk: bytearray, start: int, header: int) -> bytearray:
        """The first bytes of the picture whose packets begin at `start`."""
        assert self._video is not None
        head = chunk[header + 9 + chunk[header + 8] : start + PACKET]
        for packet in range(start + PACKET, len(chunk), PACKET):
            if len(head) >= PARAMETER_BYTES:
                break
            if _pid(chunk, packet) == self._video[0]:
                if chunk[packet + 1] & 0x40:
                    break
                head += chunk[_payload(chunk, packet) : packet + PACKET]
        return head

    def result(self) -> Scan:
        if self._video is None:
            raise UnreadableStreamError("no video stream in it")
        if not any(frame.key for frame in self._frames):
            raise UnreadableStreamError("no key frame in it")
        pid, stream_type = self._video
        codec = VIDEO_TYPES[stream_type]
        fingerprint = hashlib.sha256(f"{codec} {pid}".encode())
        sets = nal.parameter_sets(codec, bytes(self._head))
        for parameter_set in sets:
            fingerprint.update(len(parameter_set).to_bytes(4) + parameter_set)
        tables = b"".join(self._tables.values())
        is_whole = bool(sets) or codec not in nal.PARAMETER_TYPES
        name = fingerprint.hexdigest()[:16]
        return Scan(tuple(self._frames), self._size, codec, name, tables, is_whole)


def _unit_starts(chunk: bytearray) -> list[int]:
    """Offsets of the packets in which a section or PES packet begins (payload_unit_start)."""
    second_bytes = bytes(chunk[1::PACKET])
    starts = (match.start() * PACKET for match in _UNIT_START.finditer(second_bytes))
    return [start for start in starts if chunk[start] == SYNC]


def _pid(chunk: bytearray, start: int) -> int:
    return (chunk[start + 1] & 0x1F) << 8 | chunk[start + 2]


def _payload(chunk: bytearray, start: int) -> int:
    """Where the payload of the packet begins; the packet's end when it has none."""
    control = chunk[start + 3] >> 4 & 3
    if not control & 1:
        return start + PACKET
    return min(start + 5 + chunk[start + 4], start + PACKET) if control & 2 else start + 4


def _random_access(chunk: bytearray, start: int) -> bool:
    """The random_access_indicator, which ffmpeg sets on key frames."""
    return bool(chunk[start + 3] & 0x20 and chunk[start + 4] and chunk[start + 5] & 0x40)


def _pes_header(chunk: bytearray, start: int) -> int | None:
    """Where the PES header in this packet begins, None when there is none that fits in it."""
    header = _payload(chunk, start)
    room = start + PACKET - header
    if room < 19 or chunk[header : header + 3] != b"\0\0\1" or chunk[header + 6] >> 6 != 2:
        return None
    return header


def _section(chunk: bytearray, start: int) -> bytes | None:
    """The PSI section that begins in this packet, without its CRC; None when it is not whole."""
    payload = _payload(chunk, start)
    if payload >= start + PACKET:
        return None
    begin = payload + 1 + chunk[payload]
    if begin + 3 > start + PACKET:
        return None
    length = (chunk[begin + 1] & 0x0F) << 8 | chunk[begin + 2]
    end = begin + 3 + length
    return bytes(chunk[begin : end - 4]) if length >= 9 and end <= start + PACKET else None


def _first_program(section: bytes) -> int | None:
    """PID of the first PMT that a PAT names."""
    for at in range(8, len(section) - 3, 4):
        if section[at : at + 2] != b"\0\0":
            return (section[at + 2] & 0x1F) << 8 | section[at + 3]
    return None


def _first_video(section: bytes) -> tuple[int, int] | None:
    """(PID, stream type) of the first video stream in a PMT."""
    if len(section) < 12:
        return None
    at = 12 + ((section[10] & 0x0F) << 8 | section[11])
    while at + 5 <= len(section):
        stream_type = section[at]
        if stream_type in VIDEO_TYPES:
            return (section[at + 1] & 0x1F) << 8 | section[at + 2], stream_type
        at += 5 + ((section[at + 3] & 0x0F) << 8 | section[at + 4])
    return None


def _read_stamp(chunk: bytearray, at: int) -> int:
    return (
        (chunk[at] & 0x0E) << 29
        | chunk[at + 1] << 22
        | (chunk[at + 2] & 0xFE) << 14
        | chunk[at + 3] << 7
        | chunk[at + 4] >> 1
    )


def _write_stamp(chunk: bytearray, at: int, ticks: int) -> None:
    ticks %= WRAP
    chunk[at] = chunk[at] & 0xF0 | ticks >> 29 & 0x0E | 1
    chunk[at + 1] = ticks >> 22 & 0xFF
    chunk[at + 2] = ticks >> 14 & 0xFE | 1
    chunk[at + 3] = ticks >> 7 & 0xFF
    chunk[at + 4] = ticks << 1 & 0xFE | 1
