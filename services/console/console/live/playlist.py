"""Playlists over the recorder's files (RFC 8216, and its second edition for parts). Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from console.live.line import Line, LiveFile
from hazardcast.media.coverage import FRAME_TOLERANCE_S
from hazardcast.media.parts import Part
from hazardcast.media.segments import Segment

MEDIA_TYPE = "application/vnd.apple.mpegurl"
HOLD_BACK_PARTS = 3
"""Measured in browsers: three parts of half a second show pictures 1.6 s old without a stall."""
PARTED_FILES = 2
"""Parts are listed of the newest files only."""
LAST_PICTURE_S = 0.04
"""A name tells when the last picture begins; how long it lasts is unknown where none follows."""


def low_latency(line: Line) -> str:
    """The playlist with parts; `line` has a file."""
    parted = line.files[-PARTED_FILES:]
    hold_back_s = HOLD_BACK_PARTS * line.part_target_s
    holds = f"PART-HOLD-BACK={hold_back_s:.3f},HOLD-BACK={3 * line.target_s}"
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:9",
        f"#EXT-X-TARGETDURATION:{line.target_s}",
        f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,{holds}",
        f"#EXT-X-PART-INF:PART-TARGET={line.part_target_s:.3f}",
        *_numbers(line.files, line.discontinuities),
    ]
    for file in line.files:
        lines += _opening(file)
        if file in parted:
            lines += [_part(file, part) for part in file.parts]
        if file.duration_s is not None:
            lines += [f"#EXTINF:{file.duration_s:.3f},", f"{file.number}.ts"]
    return _text(lines)


def classic(line: Line, *, prefix: str = "") -> str:
    """The playlist of closed files alone, begun one file before its end: at the present.

    Args:
        line: the newest files.
        prefix: of the files' names.
    """
    files = [file for file in line.files if file.duration_s is not None]
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:6",
        f"#EXT-X-TARGETDURATION:{line.target_s}",
        f"#EXT-X-START:TIME-OFFSET=-{line.target_s}",
        *_numbers(files, line.discontinuities),
    ]
    for file in files:
        lines += [*_opening(file), f"#EXTINF:{file.duration_s:.3f},", f"{prefix}{file.number}.ts"]
    return _text(lines)


def recorded(segments: Sequence[Segment], begins: frozenset[int], *, ended: bool) -> str:
    """The playlist of a window of recordings.

    Args:
        segments: oldest first.
        begins: start (ms) of the segments that begin a run.
        ended: True when nothing can be added to the window any more.
    """
    lengths = list(_lengths_s(segments))
    target_s = max(1, math.floor(max(lengths, default=1.0) + 0.5))
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:6",
        f"#EXT-X-TARGETDURATION:{target_s}",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}",
        "#EXT-X-MEDIA-SEQUENCE:0",
    ]
    before: Segment | None = None
    for segment, length_s in zip(segments, lengths, strict=True):
        if before is not None and (segment.start_ms in begins or not _follows(before, segment)):
            lines.append("#EXT-X-DISCONTINUITY")
        lines += [_moment(segment.start), f"#EXTINF:{length_s:.3f},", segment.path.name]
        before = segment
    return _text([*lines, "#EXT-X-ENDLIST"] if ended else lines)


def _lengths_s(segments: Sequence[Segment]) -> Iterable[float]:
    for segment, following in pairwise(segments):
        if _follows(segment, following):
            yield max(following.start - segment.start, 0.001)
        else:
            yield segment.end - segment.start + LAST_PICTURE_S
    if segments:
        yield segments[-1].end - segments[-1].start + LAST_PICTURE_S


def _follows(before: Segment, after: Segment) -> bool:
    return 0 <= after.start - before.end <= FRAME_TOLERANCE_S


def _numbers(files: Sequence[LiveFile], discontinuities: int) -> list[str]:
    return [
        f"#EXT-X-MEDIA-SEQUENCE:{files[0].number if files else 0}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{discontinuities}",
    ]


def _opening(file: LiveFile) -> list[str]:
    return [*(["#EXT-X-DISCONTINUITY"] if file.begins_run else []), _moment(file.start)]


def _moment(epoch_s: float) -> str:
    moment = datetime.fromtimestamp(epoch_s, UTC).replace(tzinfo=None)
    return f"#EXT-X-PROGRAM-DATE-TIME:{moment.isoformat(timespec='milliseconds')}Z"


def _part(file: LiveFile, part: Part) -> str:
    independent = ",INDEPENDENT=YES" if part.key else ""
    return (
        f'#EXT-X-PART:DURATION={part.duration_s:.4f},URI="{file.number}.ts",'
        f'BYTERANGE="{part.size}@{part.offset}"{independent}'
    )


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
