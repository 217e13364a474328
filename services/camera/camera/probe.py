"""Whether a file can be streamed as it is, judged by how it looks as a transport stream."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from camera.transport_stream import Chunk, ticks_after
from hazardcast.media.mpegts import CLOCK_HZ, H264_TYPE

LONGEST_GROUP_S = 2.2
"""A client waits this long at most for its first keyframe."""
SAME_S = 0.005
_UNIT = re.compile(rb"^#tb 0: (\d+)/(\d+)", re.MULTILINE)
_ROW = re.compile(rb"^0, +-?\d+, +(-?\d+),", re.MULTILINE)
_SIZE = re.compile(rb"^#dimensions 0: (\d+)x(\d+)", re.MULTILINE)
_DOTS = re.compile(rb"^#sar 0: (\d+)/(\d+)", re.MULTILINE)
_TURNED = re.compile(r"displaymatrix: rotation of (?!-?0\.00 )|^\s+rotate\s+: (?!0$)", re.MULTILINE)
_DURATION = re.compile(r"Duration: (\d+):(\d{2}):(\d{2}(?:\.\d+)?)")


@dataclass(frozen=True)
class Verdict:
    """Copy the stream or encode it again, and why."""

    copy: bool
    reason: str


def judge(stream_type: int | None, chunks: Iterable[Chunk]) -> Verdict:
    """Look at the first seconds of a file's video, copied into a transport stream."""
    frames = [chunk for chunk in chunks if chunk.starts_frame]
    if stream_type != H264_TYPE:
        return Verdict(copy=False, reason="not H.264")
    if not frames or not frames[0].keyframe:
        return Verdict(copy=False, reason="does not begin with a keyframe")
    if any(frame.pts is None or frame.pts != frame.dts for frame in frames):
        return Verdict(copy=False, reason="has B-frames")
    longest_s = _longest_group_s(frames)
    if longest_s > LONGEST_GROUP_S:
        return Verdict(copy=False, reason=f"keyframes {longest_s:.1f} s apart")
    return Verdict(copy=True, reason="H.264, short groups, no B-frames")


def _longest_group_s(frames: list[Chunk]) -> float:
    """From keyframe to keyframe, the last one counted to the end."""
    starts = [frame.dts for frame in frames if frame.keyframe and frame.dts is not None]
    ends = [*starts[1:], frames[-1].dts]
    lengths = [
        ticks_after(start, end) / CLOCK_HZ
        for start, end in zip(starts, ends, strict=True)
        if end is not None
    ]
    return max(lengths, default=0.0)


def is_turned(words: str) -> bool:
    """Whether players turn the picture, which a transport stream cannot tell them."""
    return _TURNED.search(words) is not None


def first_time_s(framecrc: bytes) -> float | None:
    """When the first packet or picture of ffmpeg's `framecrc` is shown; None if there is none."""
    unit = _UNIT.search(framecrc)
    first = _ROW.search(framecrc)
    return int(first[1]) * int(unit[1]) / int(unit[2]) if unit and first else None


def duration_s(words: str) -> float | None:
    """The duration that ffmpeg tells of its input, or None when it does not know."""
    found = _DURATION.search(words)
    if not found:
        return None
    hours, minutes, seconds = found.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def picture_size(framecrc: bytes) -> tuple[int, int] | None:
    """Width and height of what is shown, of ffmpeg's `framecrc`: with square dots, pixels."""
    size = _SIZE.search(framecrc)
    if not size:
        return None
    width, height = int(size[1]), int(size[2])
    dots = _DOTS.search(framecrc)
    if dots and int(dots[1]) and int(dots[2]):
        width = round(width * int(dots[1]) / int(dots[2]))
    return width, height
