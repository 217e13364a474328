"""What is recorded of a camera, where it has gaps, and why: causes are decided here alone. Pure.

Times are epoch seconds, by the names of segments and the lines of the run log.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise, zip_longest
from typing import NamedTuple

from hazardcast.contract.messages import Gap
from hazardcast.contract.vocabulary import GapCause, RunCause
from hazardcast.media.segments import Run, Segment

FRAME_TOLERANCE_S = 0.5
"""A step from last frame to first frame of up to this is the ordinary distance of frames."""
LEAD_S = 5.0
"""A connection may bring frames for so long before its first key frame."""
LOST_AT_THE_END_S = 61.0
"""A run may end up to one segment after its last closed one: that one was lost with the cause."""


class Stretch(NamedTuple):
    """Video without a hole, epoch seconds of its first frame and of its last frame's end."""

    start: float
    end: float


def join(stretches: Iterable[Stretch], tolerance: float) -> list[Stretch]:
    """Stretches in order, those no further apart than `tolerance` seconds made one."""
    joined: list[Stretch] = []
    for stretch in sorted(stretches):
        if joined and stretch.start - joined[-1].end <= tolerance:
            joined[-1] = Stretch(joined[-1].start, max(joined[-1].end, stretch.end))
        else:
            joined.append(stretch)
    return joined


def gaps(segments: Iterable[Segment], runs: Iterable[Run] = ()) -> list[Gap]:
    """The gaps between segments, split where the cause changes; `runs` explain them."""
    video = join((Stretch(one.start, one.end) for one in segments), FRAME_TOLERANCE_S)
    known = known_runs(runs, video)
    return [
        gap
        for before, after in pairwise(video)
        for gap in explain(Stretch(before.end, after.start), known, video)
    ]


def known_runs(runs: Iterable[Run], joined: Sequence[Stretch]) -> list[Run]:
    """Runs in order, one line each, those killed or cut short given the end that video shows."""
    by_start = {run.started_at: run for run in runs}
    ordered = [by_start[started_at] for started_at in sorted(by_start)]
    known = []
    for run, after in zip_longest(ordered, ordered[1:]):
        until = after.started_at if after else float("inf")
        known.append(_with_end(run, until, joined, is_last=after is None))
    return known


def _with_end(run: Run, until: float, joined: Sequence[Stretch], *, is_last: bool) -> Run:
    last = max(
        (min(s.end, until) for s in joined if s.start < until and s.end > run.started_at),
        default=run.started_at,
    )
    if run.ended_at is None:
        return (
            run
            if is_last
            else replace(run, ended_at=last, cause=run.cause or RunCause.RECORDER_KILLED)
        )
    lost_s = run.ended_at - last
    if 0 < lost_s <= LOST_AT_THE_END_S:
        return replace(run, ended_at=last)
    return run


def explain(hole: Stretch, runs: Sequence[Run], joined: Sequence[Stretch]) -> list[Gap]:
    """Gaps that make up `hole`, split where the cause changes.

    Within a run the video was recorded and is no longer there (retention takes the oldest first),
    or is not there yet; between two runs it is what ended the earlier one; before the first nothing
    was recorded. A run begins with its first key frame: what comes before belongs to the gap.
    """
    cuts = {hole.start, hole.end}
    for run in runs:
        cuts |= {
            edge for edge in (run.started_at, run.ended_at) if edge and hole.start < edge < hole.end
        }
    gaps: list[Gap] = []
    for start, end in list(pairwise(sorted(cuts))) or [hole]:
        cause = _cause(start, end, runs, joined)
        if gaps and gaps[-1].cause == cause:
            gaps[-1] = Gap(start=gaps[-1].start, end=end, cause=cause)
        else:
            gaps.append(Gap(start=start, end=end, cause=cause))
    return gaps


def _cause(start: float, end: float, runs: Sequence[Run], joined: Sequence[Stretch]) -> GapCause:
    middle = (start + end) / 2
    before = [run for run in runs if run.started_at <= middle]
    later_video = any(stretch.start >= end for stretch in joined)
    if not before:
        return _outside_runs(start, runs, joined)
    run = before[-1]
    if run.ended_at is not None and run.ended_at <= middle:
        return GapCause.of_run(run.cause)
    if run.ended_at is None and not later_video:
        return GapCause.NOT_RECORDED_YET
    if start <= run.started_at and end - start <= LEAD_S:
        return _cause_before(run, runs)
    earlier_video = any(stretch.end <= start for stretch in joined)
    return GapCause.NO_FRAMES if earlier_video and later_video else GapCause.RETENTION


def _cause_before(run: Run, runs: Sequence[Run]) -> GapCause:
    """What a run began after."""
    at = runs.index(run)
    return GapCause.of_run(runs[at - 1].cause) if at else GapCause.NEVER_RECORDED


def _outside_runs(start: float, runs: Sequence[Run], joined: Sequence[Stretch]) -> GapCause:
    """Before the first run; or of a recording whose run log is lost, as far as video tells."""
    if runs or not joined:
        return GapCause.NEVER_RECORDED
    if joined[-1].end <= start:
        return GapCause.NOT_RECORDED_YET
    return GapCause.UNKNOWN
