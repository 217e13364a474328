"""What a manifest says of a planned clip. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import hazardcast
from clipper import coverage
from clipper.chapters import chapters, ffmetadata, iso_time
from clipper.coverage import Coverage
from clipper.jobs import Job
from clipper.manifest import StretchRecord
from clipper.plan import Plan
from hazardcast.contract.messages import Gap
from hazardcast.contract.vocabulary import GapCause
from hazardcast.media.coverage import FRAME_TOLERANCE_S, Stretch, join
from hazardcast.media.segments import Run, Segment

SOFTWARE = f"hazardcast {hazardcast.__version__}"
MOST_GAPS_IN_WORDS = 5
TEARS_A_FILE = frozenset({GapCause.DISK_FULL, GapCause.RECORDER_KILLED})
"""What ends a recording in the middle of a file."""


def explain_in_words(found: Coverage) -> str | None:
    """What is missing and why, in one sentence; None when nothing is."""
    if not found.gaps:
        return None
    missing_s = sum(gap.end - gap.start for gap in found.gaps)
    parts = [
        f"{iso_time(gap.start)} to {iso_time(gap.end)} ({gap.cause})"
        for gap in found.gaps[:MOST_GAPS_IN_WORDS]
    ]
    more = (
        f" and {len(found.gaps) - MOST_GAPS_IN_WORDS} more"
        if len(found.gaps) > MOST_GAPS_IN_WORDS
        else ""
    )
    return f"{missing_s:.1f} s missing: {', '.join(parts)}{more}"


def coverage_of(
    job: Job, planned: Plan, unreadable: Sequence[Stretch], runs: Sequence[Run]
) -> Coverage:
    """How much of the wanted window the planned frames cover."""
    tolerance = max(coverage.LEAST_TOLERANCE_S, coverage.FRAME_INTERVALS * planned.interval_s)
    found = coverage.cover(job.window, planned.stretches, tolerance=tolerance, runs=runs)
    return explained(found, unreadable)


def explained(found: Coverage, unreadable: Sequence[Stretch]) -> Coverage:
    """Gaps, split where a segment lies that is there and cannot be read: that part says so.

    A gap that the recorder itself left by ending in the middle of a file keeps its cause: the torn
    file is the trace of it, not a reason of its own.
    """
    gaps = tuple(
        part for gap in found.gaps for part in _split(gap, join(unreadable, FRAME_TOLERANCE_S))
    )
    return replace(found, gaps=gaps)


def _split(gap: Gap, unreadable: Sequence[Stretch]) -> list[Gap]:
    inside = [
        Stretch(
            gap.start if part.start - gap.start <= FRAME_TOLERANCE_S else part.start,
            gap.end if gap.end - part.end <= FRAME_TOLERANCE_S else part.end,
        )
        for part in unreadable
        if part.start < gap.end and part.end > gap.start
    ]
    if not inside or gap.cause in TEARS_A_FILE:
        return [gap]
    edges = [gap.start, *(edge for part in inside for edge in part), gap.end]
    causes = [gap.cause, GapCause.UNREADABLE] * len(inside) + [gap.cause]
    return [
        Gap(start=start, end=end, cause=cause)
        for (start, end), cause in zip(pairwise(edges), causes, strict=True)
        if end > start
    ]


def head(job: Job, found: Coverage, now: float) -> dict[str, object]:
    """The manifest's fields that every result has."""
    request = job.request
    return {
        "event_id": request.event_id,
        "camera": request.camera,
        "requested": job.window,
        "coverage": found.ratio,
        "gaps": found.gaps,
        "detail": explain_in_words(found),
        "incident_at": request.ts,
        "request": request.model_copy(update={"alert": None}),
        "alert": request.alert,
        "software": SOFTWARE,
        "created_at": now,
    }


def description(job: Job, planned: Plan, found: Coverage) -> str:
    """Metadata and chapters, in ffmpeg's metadata format."""
    alert = job.request.alert
    kind = alert.type.value if alert else "incident"
    tags = {
        "title": f"{kind} {job.request.event_id} at {job.request.camera}",
        "creation_time": iso_time(planned.first_wall),
        "comment": f"incident at {iso_time(job.request.ts)}",
    }
    return ffmetadata(tags, chapters(planned, found.gaps))


def clock_error_s(planned: Plan, runs: Sequence[Run]) -> float | None:
    """The worst bound among the runs that the clip touches."""
    bounds = [
        run.clock_error_ms / 1000.0
        for run in runs
        if run.clock_error_ms is not None
        and run.started_at <= planned.stretches[-1].end
        and (run.ended_at is None or run.ended_at >= planned.first_wall)
    ]
    return max(bounds, default=None)


def stretch_records(planned: Plan) -> list[StretchRecord]:
    """The clip's stretches as the manifest lists them."""
    return [
        StretchRecord(start=stretch.start, end=stretch.end, media_s=media_s)
        for stretch, media_s in zip(planned.stretches, planned.media, strict=True)
    ]


def frames_used(planned: Plan) -> dict[Segment, int]:
    """How many frames of each segment are in the clip, in order."""
    used: dict[Segment, int] = {}
    for piece in planned.pieces:
        segment = piece.source.segment
        used[segment] = used.get(segment, 0) + piece.frames
    return used
