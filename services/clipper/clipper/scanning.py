"""Where the frames of a transport stream lie, when they are shown, and what can be joined as it is.

Everything here works on bytes at hand; nothing is decoded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from clipper import fields
from hazardcast.media import mpegts, nal
from hazardcast.media.h264 import SequenceSet
from hazardcast.media.mpegts import H264_TYPE, PACKET_BYTES, PAT_PID, SYNC, Video

CHUNK_PACKETS = 8192


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
    most = PACKET_BYTES * CHUNK_PACKETS
    while data := file.read(most if end is None else min(most, end - offset)):
        whole = mpegts.whole_packets(len(data))
        if whole:
            yield offset, bytearray(memoryview(data)[:whole])
        offset += len(data)


class _Walk:
    """The state of one scan."""

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._tables: dict[int, bytes] = {}
        self._pmt_pid: int | None = None
        self._video: Video | None = None
        self._head = b""
        self._layout: SequenceSet | None = None
        """How slices begin, where pictures may be fields."""
        self._field: fields.Field | None = None
        """The one that the last picture began with, while its other may follow."""
        self._size = 0

    def take(self, chunk: bytearray, base: int) -> None:
        if base == 0 and chunk[0] != SYNC:
            raise UnreadableStreamError("not an MPEG transport stream")
        self._size = base + len(chunk)
        for start in mpegts.unit_starts(chunk):
            pid = mpegts.pid_at(chunk, start)
            if self._video is not None and pid == self._video.pid:
                self._take_picture(chunk, start, base, self._video)
            elif pid in (PAT_PID, self._pmt_pid) and pid not in self._tables:
                self._take_table(chunk, start, pid)

    def _take_table(self, chunk: bytearray, start: int, pid: int) -> None:
        section = mpegts.section_at(chunk, start)
        if not section:
            return
        if pid == PAT_PID:
            self._pmt_pid = mpegts.programme_pid(section)
        else:
            self._video = mpegts.video_in(section)
        self._tables[pid] = bytes(chunk[start : start + PACKET_BYTES])

    def _take_picture(self, chunk: bytearray, start: int, base: int, video: Video) -> None:
        stamps = mpegts.stamps_at(chunk, start)
        if stamps is None:
            return
        key = mpegts.is_random_access(chunk, start)
        if key and not self._head:
            self._head = _beginning(chunk, start, video)
            self._layout = _layout(self._head, video)
        if self._layout and self._completes(_beginning(chunk, start, video), self._layout):
            self._frames[-1] = self._frames[-1]._replace(units=2)
            return
        self._frames.append(Frame(*stamps, key, base + start))

    def _completes(self, picture: bytes, layout: SequenceSet) -> bool:
        """Whether what begins here is the second field of the picture before."""
        field = fields.field_of(picture, layout)
        completes = field is not None and field.completes(self._field)
        self._field = None if completes else field
        return completes

    def result(self) -> Scan:
        if self._video is None:
            raise UnreadableStreamError("no video stream in it")
        if not any(frame.key for frame in self._frames):
            raise UnreadableStreamError("no key frame in it")
        codec = self._video.codec
        fingerprint = hashlib.sha256(f"{codec} {self._video.pid}".encode())
        sets = nal.parameter_sets(codec, self._head)
        for parameter_set in sets:
            fingerprint.update(len(parameter_set).to_bytes(4) + parameter_set)
        tables = b"".join(self._tables.values())
        is_whole = bool(sets) or codec not in nal.PARAMETER_TYPES
        name = fingerprint.hexdigest()[:16]
        return Scan(tuple(self._frames), self._size, codec, name, tables, is_whole)


def _beginning(chunk: bytearray, start: int, video: Video) -> bytes:
    return mpegts.picture_beginning(chunk, start, video.pid, nal.PARAMETER_BYTES)


def _layout(head: bytes, video: Video) -> SequenceSet | None:
    """How slices begin by a key frame's beginning; None where every picture is a whole frame."""
    told = nal.sequence_sets(video.codec, head) if video.stream_type == H264_TYPE else ()
    return fields.layout(told[0]) if told else None
