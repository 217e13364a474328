"""Chapters and metadata of a clip, as ffmpeg's metadata format has them. Pure.

Format: https://ffmpeg.org/ffmpeg-formats.html#Metadata-2 (`;FFMETADATA1`, `[CHAPTER]` sections).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from clipper.plan import Plan
from hazardcast.contract.messages import Gap

MOST_CHAPTERS = 250
"""Players that read Nero's list (`chpl`, an 8-bit count) see 255."""
_SPECIAL = re.compile(r"([=;#\\\n])")


@dataclass(frozen=True)
class Chapter:
    """A stretch of the clip's own time with a title."""

    start_s: float
    end_s: float
    title: str


def iso_time(moment: float) -> str:
    """ISO 8601 in UTC with milliseconds: `2027-01-15T08:00:00.000Z`."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def chapters(plan: Plan, gaps: Sequence[Gap]) -> list[Chapter]:
    """One chapter a segment (a stretch when those are too many), one a gap inside the clip."""
    marks = [(piece.media_s, iso_time(piece.wall)) for piece in plan.pieces]
    if len(marks) + len(gaps) > MOST_CHAPTERS:
        marks = [
            (media_s, iso_time(stretch.start))
            for media_s, stretch in zip(plan.media, plan.stretches, strict=True)
        ]
    marks += [
        (gap.start - plan.first_wall, f"{iso_time(gap.start)} no video: {gap.cause}")
        for gap in gaps
        if plan.first_wall < gap.start and gap.end < plan.stretches[-1].end
    ]
    ordered = sorted(marks)[:MOST_CHAPTERS]
    ends = [*(start_s for start_s, _ in ordered[1:]), plan.duration_s]
    return [
        Chapter(start_s, end_s, title)
        for (start_s, title), end_s in zip(ordered, ends, strict=True)
        if end_s > start_s
    ]


def ffmetadata(tags: Mapping[str, str], titled: Sequence[Chapter]) -> str:
    """The text of a metadata file."""
    lines = [";FFMETADATA1", *(f"{key}={_escaped(value)}" for key, value in tags.items())]
    for chapter in titled:
        lines += [
            "[CHAPTER]",
            "TIMEBASE=1/1000",
            f"START={round(chapter.start_s * 1000)}",
            f"END={round(chapter.end_s * 1000)}",
            f"title={_escaped(chapter.title)}",
        ]
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return _SPECIAL.sub(r"\\\1", value)
