"""A live transport stream cut where its frames begin: which are keyframes, and their times."""

from __future__ import annotations

from dataclasses import dataclass

from hazardcast.media import mpegts
from hazardcast.media.mpegts import PACKET_BYTES, PAT_PID, SYNC, WRAP, Video


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
        self._video: Video | None = None
        self._pat = b""
        self._pmt = b""
        self._begun = False

    @property
    def stream_type(self) -> int | None:
        """What the PMT says the video is (`mpegts.VIDEO_CODECS`)."""
        return self._video.stream_type if self._video else None

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
            found = self._unit_start(data, at)
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

    def _unit_start(self, data: bytes, at: int) -> Chunk | None:
        """Notes tables; describes the frame if one starts with the packet at `at`."""
        pid = mpegts.pid_at(data, at)
        if pid == PAT_PID:
            self._pat = data[at : at + PACKET_BYTES]
            self._pmt_pid = mpegts.programme_pid(mpegts.section_at(data, at)) or self._pmt_pid
        elif pid == self._pmt_pid:
            self._pmt = data[at : at + PACKET_BYTES]
            self._video = mpegts.video_in(mpegts.section_at(data, at))
        elif self._video is not None and pid == self._video.pid:
            pts, dts = mpegts.stamps_at(data, at) or (None, None)
            keyframe = mpegts.is_random_access(data, at)
            return Chunk(b"", starts_frame=True, keyframe=keyframe, pts=pts, dts=dts)
        return None


def _in_step(data: bytes, at: int) -> bool:
    following = at + PACKET_BYTES
    return data[at] == SYNC and (following >= len(data) or data[following] == SYNC)


def ticks_after(first: int, later: int) -> int:
    """Ticks from `first` to `later`, across the wrap of the 33-bit counter."""
    return (later - first) % WRAP
