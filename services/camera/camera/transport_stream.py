"""Reading an MPEG transport stream: where frames begin, which are keyframes, and their times.

ISO/IEC 13818-1: packets §2.4.3.2, adaptation field §2.4.3.4, PES header §2.4.3.6, PAT §2.4.4.3,
PMT §2.4.4.8.
"""

from __future__ import annotations

from dataclasses import dataclass

PACKET_BYTES = 188
SYNC = 0x47
PAT_PID = 0
CLOCK_HZ = 90_000
TIME_MODULUS = 1 << 33
STREAM_TYPE_H264 = 0x1B
_VIDEO_STREAM_TYPES = frozenset({0x01, 0x02, 0x10, STREAM_TYPE_H264, 0x24, 0x33})


@dataclass(frozen=True)
class Chunk:
    """Whole packets of one frame, or the rest of one; what precedes the first frame is dropped."""

    data: bytes
    starts_frame: bool
    keyframe: bool = False
    pts: int | None = None
    dts: int | None = None
    """90 kHz ticks, modulo 2^33; None unless the chunk starts a frame."""


class Splitter:
    """Cuts the bytes of a transport stream into chunks at the start of each video frame."""

    def __init__(self) -> None:
        self._rest = b""
        self._pmt_pid: int | None = None
        self._video_pid: int | None = None
        self._pat = b""
        self._pmt = b""
        self._begun = False
        self.stream_type: int | None = None
        """What the PMT says the video is; 0x1B is H.264."""

    @property
    def tables(self) -> bytes:
        """The latest PAT and PMT packets: what a decoder needs before its first frame."""
        return self._pat + self._pmt

    def feed(self, data: bytes) -> list[Chunk]:
        """The chunks in `data`; a packet that is not complete yet is kept for the next call."""
        data = self._aligned(self._rest + data)
        whole = len(data) // PACKET_BYTES * PACKET_BYTES
        self._rest = data[whole:]
        return self._cut(data[:whole])

    @staticmethod
    def _aligned(data: bytes) -> bytes:
        """Skips to the first byte from which packets follow each other."""
        start = 0
        while start < len(data) and not _in_step(data, start):
            start += 1
        return data[start:] if start else data

    def _cut(self, data: bytes) -> list[Chunk]:
        chunks: list[Chunk] = []
        start, opening = 0, Chunk(b"", starts_frame=False)
        for at in range(0, len(data), PACKET_BYTES):
            if data[at] != SYNC:
                self._rest = b""  # out of step: the next call looks for the rhythm again
                data = data[:at]
                break
            if not data[at + 1] & 0x40:
                continue
            found = self._unit_start(data[at : at + PACKET_BYTES])
            if found:
                self._append(chunks, opening, data[start:at])
                start, opening, self._begun = at, found, True
        self._append(chunks, opening, data[start:])
        return chunks

    def _append(self, chunks: list[Chunk], opening: Chunk, data: bytes) -> None:
        if data and self._begun:
            chunks.append(
                Chunk(data, opening.starts_frame, opening.keyframe, opening.pts, opening.dts)
            )

    def _unit_start(self, packet: bytes) -> Chunk | None:
        """Notes tables; describes the frame if one starts with this packet."""
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        if pid == PAT_PID:
            self._pat, self._pmt_pid = packet, _pmt_pid(_payload(packet)) or self._pmt_pid
        elif pid == self._pmt_pid:
            self._pmt = packet
            self._video_pid, self.stream_type = _video_of(_payload(packet))
        elif pid == self._video_pid:
            pts, dts = _times(_payload(packet))
            return Chunk(b"", starts_frame=True, keyframe=_random_access(packet), pts=pts, dts=dts)
        return None


def _in_step(data: bytes, at: int) -> bool:
    following = at + PACKET_BYTES
    return data[at] == SYNC and (following >= len(data) or data[following] == SYNC)


def _payload(packet: bytes) -> bytes:
    control = packet[3] >> 4 & 3
    start = 5 + packet[4] if control & 2 else 4
    return packet[start:] if control & 1 else b""


def _random_access(packet: bytes) -> bool:
    has_field = bool(packet[3] >> 4 & 2) and packet[4] > 0
    return has_field and bool(packet[5] & 0x40)


def _section(payload: bytes) -> bytes:
    """The table section after the pointer field, without its CRC."""
    if not payload:
        return b""
    section = payload[1 + payload[0] :]
    if len(section) < 3:
        return b""
    length = (section[1] & 0x0F) << 8 | section[2]
    return section[: max(0, 3 + length - 4)]


def _pmt_pid(payload: bytes) -> int | None:
    section = _section(payload)
    for at in range(8, len(section) - 3, 4):
        if section[at] or section[at + 1]:  # program 0 is the network information table
            return (section[at + 2] & 0x1F) << 8 | section[at + 3]
    return None


def _video_of(payload: bytes) -> tuple[int | None, int | None]:
    """PID and stream type of the first video stream in a PMT."""
    section = _section(payload)
    if len(section) < 12:
        return None, None
    at = 12 + ((section[10] & 0x0F) << 8 | section[11])
    while at + 4 < len(section):
        if section[at] in _VIDEO_STREAM_TYPES:
            return (section[at + 1] & 0x1F) << 8 | section[at + 2], section[at]
        at += 5 + ((section[at + 3] & 0x0F) << 8 | section[at + 4])
    return None, None


def _times(pes: bytes) -> tuple[int | None, int | None]:
    """PTS and DTS of a PES packet; the DTS is the PTS where the stream does not tell it."""
    if len(pes) < 14 or pes[:3] != b"\x00\x00\x01":
        return None, None
    flags = pes[7] >> 6
    pts = _time(pes[9:14]) if flags & 2 else None
    dts = _time(pes[14:19]) if flags == 3 and len(pes) >= 19 else pts
    return pts, dts


def _time(field: bytes) -> int:
    return (
        (field[0] >> 1 & 7) << 30
        | (field[1] << 7 | field[2] >> 1) << 15
        | (field[3] << 7 | field[4] >> 1)
    )


def ticks_after(first: int, later: int) -> int:
    """Ticks from `first` to `later`, across the wrap of the 33-bit counter."""
    return (later - first) % TIME_MODULUS
