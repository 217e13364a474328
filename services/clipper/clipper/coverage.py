"""How much of a wanted window there is video for, and why the rest is missing. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest
from typing import NamedTuple

from hazardcast.messages import Gap, Window
from hazardcast.segments import Run, Segment

NOT_RECORDED_YET = "not_recorded_yet"
NEVER_RECORDED = "never_recorded"
RECORDER_KILLED = "recorder_killed"
RETENTION = "retention"
NO_FRAMES = "no_frames"
UNREADABLE = "unreadable"
GAVE_WAY = "gave_way"
UNKNOWN = "unknown"

FRAME_INTERVALS = 3.0
"""Contiguous segments are one frame interval apart; up to this many are jitter, not a gap."""
LEAST_TOLERANCE_S = 0.25
MOST_TOLERANCE_S = 2.0
LEAD_S = 5.0
"""A connection may bring frames for so long before its first key frame."""
LOST_AT_THE_END_S = 61.0
"""A run may end up to one segment after its last closed one: that one was lost with the cause."""


class Stretch(NamedTuple):
    """Video without a hole, epoch seconds of its first frame and of its last frame's end."""

    start: float
    end: float


@dataclass(frozen=True)
class Coverage:
    """What of `window` is there; stretches and gaps together are exactly the window."""

    window: Window
    stretches: tuple[Stretch, ...]
    gaps: tuple[Gap, ...]

    @property
    def covered_s(self) -> float:
        """Seconds of the window with video."""
        return sum(stretch.end - stretch.start for stretch in self.stretches)

    @property
    def ratio(self) -> float:
        """Share of the window with video; an instant counts as covered when nothing is missing."""
        length_s = self.window.end - self.window.start
        if length_s <= 0:
            return 0.0 if self.gaps or not self.stretches else 1.0
        return min(1.0, self.covered_s / length_s)

    @property
    def complete(self) -> bool:
        """True when nothing is missing."""
        return bool(self.stretches) and not self.gaps

    @property
    def delivered(self) -> Window | None:
        """From the first video to the last, holes included; None when there is none."""
        if not self.stretches:
            return None
        return Window(start=self.stretches[0].start, end=self.stretches[-1].end)


def tolerance_s(segments: Sequence[Segment]) -> float:
    """The longest seam between segments that is no gap: a few of the stream's frame intervals.

    A segment's name ends at its last frame and the next begins one interval later, so the usual
    seam is the frame interval; it is not known when there are fewer than two segments.
    """
    seams = [later.start - earlier.end for earlier, later in pairwise(segments)]
    usual = [seam for seam in seams if 0 <= seam <= MOST_TOLERANCE_S / FRAME_INTERVALS]
    if not usual:
        return LEAST_TOLERANCE_S
    widest = FRAME_INTERVALS * statistics.median(usual)
    return min(MOST_TOLERANCE_S, max(LEAST_TOLERANCE_S, widest))


def of_segments(segments: Iterable[Segment], *, now: float) -> list[Stretch]:
    """Each segment as a stretch, as far as its name tells and can know: nothing after `now`."""
    return [
        Stretch(segment.start, min(segment.end, max(segment.start, now))) for segment in segments
    ]


def join(stretches: Iterable[Stretch], tolerance: float) -> list[Stretch]:
    """Stretches in order, those no further apart than `tolerance` seconds made one."""
    joined: list[Stretch] = []
    for stretch in sorted(stretches):
        if joined and stretch.start - joined[-1].end <= tolerance:
            joined[-1] = Stretch(joined[-1].start, max(joined[-1].end, stretch.end))
        else:
            joined.append(stretch)
    return joined


def cover(
    window: Window, stretches: Iterable[Stretch], *, tolerance: float, runs: Sequence[Run] = ()
) -> Coverage:
    """Compare `window` with the video there is; `runs` explain what is missing."""
    joined = join(stretches, tolerance)
    inside = [
        Stretch(
            window.start if stretch.start <= window.start + tolerance else stretch.start,
            window.end if stretch.end >= window.end - tolerance else stretch.end,
        )
        for stretch in joined
        if stretch.end >= window.start - tolerance and stretch.start <= window.end + tolerance
    ]
    inside = [stretch for stretch in inside if stretch.start <= stretch.end]
    known = _known_runs(runs, joined)
    gaps = [gap for hole in _holes(window, inside) for gap in explain(hole, known, joined)]
    return Coverage(window, tuple(inside), tuple(gaps))


def _holes(window: Window, inside: Sequence[Stretch]) -> list[Stretch]:
    if not inside:
        return [Stretch(window.start, window.end)]
    edges = [window.start, *(edge for stretch in inside for edge in stretch), window.end]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [Stretch(start, end) for start, end in pairs if end > start]


def _known_runs(runs: Sequence[Run], joined: Sequence[Stretch]) -> list[Run]:
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
        return run if is_last else replace(run, ended_at=last, cause=run.cause or RECORDER_KILLED)
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


def _cause(start: float, end: float, runs: Sequence[Run], joined: Sequence[Stretch]) -> str:
    middle = (start + end) / 2
    before = [run for run in runs if run.started_at <= middle]
    later_video = any(stretch.start >= end for stretch in joined)
    if not before:
        return _outside_runs(start, runs, joined)
    run = before[-1]
    if run.ended_at is not None and run.ended_at <= middle:
        return run.cause or UNKNOWN
    if run.ended_at is None and not later_video:
        return NOT_RECORDED_YET
    if start <= run.started_at and end - start <= LEAD_S:
        return _cause_before(run, runs)
    earlier_video = any(stretch.end <= start for stretch in joined)
    return NO_FRAMES if earlier_video and later_video else RETENTION


def _cause_before(run: Run, runs: Sequence[Run]) -> str:
    """What a run began after."""
    at = runs.index(run)
    return (runs[at - 1].cause or UNKNOWN) if at else NEVER_RECORDED


def _outside_runs(start: float, runs: Sequence[Run], joined: Sequence[Stretch]) -> str:
    if runs:
        return NEVER_RECORDED
    if any(stretch.end <= start for stretch in joined):
        return NOT_RECORDED_YET
    return UNKNOWN if joined else NEVER_RECORDED
