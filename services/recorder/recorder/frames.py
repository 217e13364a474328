"""What ffmpeg says about the recording as it goes: a line a frame, a line a segment.

Frames come from the `framecrc` muxer (`stream, dts, pts, duration, size, crc[, F=flags][, …]`, in
ticks of the `#tb` line), segments from the `segment` muxer's csv list (`name,start,end`, seconds).
Source: libavformat/framecrcenc.c, libavformat/segment.c.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_FRAME = re.compile(
    r"\d+,\s*-?\d+,\s*(-?\d{1,18}),\s*(-?\d{1,18}),\s*(\d{1,12}),\s*0x[0-9a-fA-F]+"
    r"(?:,\s*F=0x([0-9a-fA-F]{1,8}))?(?:,.*)?"
)
_TIME_BASE = re.compile(r"#tb \d+: (\d{1,9})/(\d{1,9})")
_CODEC = re.compile(r"#codec_id \d+: (\w+)")
_SEGMENT = re.compile(r"([\w.-]+),(-?\d{1,12}(?:\.\d+)?),(-?\d{1,12}(?:\.\d+)?)")
_KEY = 1


@dataclass(frozen=True, slots=True)
class Frame:
    """One coded picture, in decoding order."""

    pts_s: float
    duration_s: float
    key: bool
    size: int


@dataclass(frozen=True)
class ClosedSegment:
    """A file that ffmpeg has finished, and the stream time it covers."""

    name: str
    start_s: float
    """Of its first key frame; 0 for the first file of a run, whatever it holds."""
    end_s: float
    """End of its last frame: presentation time plus duration."""


class FrameLines:
    """Reads the lines of `framecrc`; what is no frame is not one."""

    def __init__(self) -> None:
        self.codec: str | None = None
        self._tick_s = 1 / 90_000

    def read(self, line: str) -> Frame | None:
        """The frame of this line, None for a header or garbage."""
        match = _FRAME.fullmatch(line)
        if match is None:
            self._read_header(line)
            return None
        pts, duration, size, flags = match.groups()
        key = flags is None or bool(int(flags, 16) & _KEY)
        return Frame(int(pts) * self._tick_s, int(duration) * self._tick_s, key, int(size))

    def _read_header(self, line: str) -> None:
        if (base := _TIME_BASE.fullmatch(line)) and int(base[1]) and int(base[2]):
            self._tick_s = int(base[1]) / int(base[2])
        elif codec := _CODEC.fullmatch(line):
            self.codec = codec[1]


def read_segment(line: str) -> ClosedSegment | None:
    """The segment of a line of the csv list, None when it is none."""
    match = _SEGMENT.fullmatch(line)
    if match is None:
        return None
    start_s, end_s = float(match[2]), float(match[3])
    return ClosedSegment(match[1], start_s, end_s) if math.isfinite(end_s - start_s) else None
