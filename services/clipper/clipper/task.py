"""A job while it is being worked on, and what is to be said of it. Decisions are pure."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass

from clipper.coverage import Coverage
from clipper.jobs import Job, window_of
from clipper.manifest import Manifest
from hazardcast.contract.messages import ClipRequest, ClipState, Gap
from hazardcast.contract.vocabulary import ClipStage, GapCause
from hazardcast.service.backoff import backoff_s

SLACK_S = 5.0
"""For a recorder to flush and name its last segment."""
MOST_FAILURES = 8
LONGEST_PAUSE_S = 300.0
"""A disk that is full gets some ten minutes to be emptied before a job is given up."""


@dataclass
class Task:
    """The working state of one job; everything here can be found out again from the disk."""

    job: Job
    waits_until: float
    """Monotonic clock at which nothing more is waited for."""
    starts_at: float = float("-inf")
    """Monotonic clock from which there may be video of the window."""
    found: Coverage | None = None
    building: Future[Manifest] | None = None
    failures: int = 0
    retry_at: float = float("-inf")
    """Monotonic clock before which a failed build is not tried again."""
    detail: str | None = None
    again: bool = False
    """There is a clip already, which is to be made anew."""

    @property
    def gave_up(self) -> bool:
        """True when building failed too often; the kept segments stay."""
        return self.failures >= MOST_FAILURES

    def fail(self, reason: str, monotonic: float) -> None:
        """A build failed."""
        self.failures += 1
        self.retry_at = monotonic + backoff_s(self.failures, first_s=2.0, most_s=LONGEST_PAUSE_S)
        self.detail = reason

    def try_again(self) -> None:
        """Someone asked once more."""
        self.failures, self.retry_at, self.detail = 0, float("-inf"), None


def patience_s(job: Job, segment_s: float, now: float) -> float:
    """How long from `now` something may still come: two segments beyond the window's end.

    Counted on the monotonic clock from then on: a wall clock that is set forward for a while must
    not make a clip of what has been recorded so far. One that was set back while the clipper was
    down makes nobody wait longer than from the request on.
    """
    after_s = 2 * segment_s + SLACK_S
    longest_s = max(0.0, job.window.end - job.accepted_at) + after_s
    return max(0.0, min(longest_s, job.window.end + after_s - now))


def head_start_s(job: Job, now: float) -> float:
    """How long from `now` it is to the window's beginning, at most as long as from the request."""
    return max(0.0, min(job.window.start - job.accepted_at, job.window.start - now))


def is_due(task: Task, found: Coverage, monotonic_s: float) -> bool:
    """Whether the clip can be built: nothing more will come.

    A recorder closes segments in order, and adopts what a crash left before it goes on: once the
    window's end is there, what is missing before it stays missing.
    """
    has_end = bool(found.stretches) and found.stretches[-1].end >= task.job.window.end
    return has_end or monotonic_s >= task.waits_until


def state_of(task: Task, now: float) -> ClipState:
    """What is to be said of an unfinished job."""
    found = task.found
    return ClipState(
        event_id=task.job.request.event_id,
        camera=task.job.request.camera,
        state=_stage(task),
        requested=task.job.window,
        updated_at=now,
        delivered=found.delivered if found else None,
        coverage=found.ratio if found else 0.0,
        gaps=_settled(found.gaps) if found else (),
        detail=task.detail,
    )


def refused(request: ClipRequest, reason: str, cause: GapCause, now: float) -> ClipState:
    """What is to be said of a request that gets no clip: why, in words."""
    window = window_of(request)
    return ClipState(
        event_id=request.event_id,
        camera=request.camera,
        state=ClipStage.FAILED,
        requested=window,
        updated_at=now,
        gaps=(Gap(start=window.start, end=window.end, cause=cause),),
        detail=reason,
    )


def _stage(task: Task) -> ClipStage:
    if task.gave_up:
        return ClipStage.FAILED
    if task.building or task.failures:
        return ClipStage.BUILDING
    has_video = bool(task.found and task.found.stretches)
    return ClipStage.RECORDING if has_video else ClipStage.PENDING


def _settled(gaps: tuple[Gap, ...]) -> tuple[Gap, ...]:
    """Gaps that will stay: what is still to come is not missing."""
    return tuple(gap for gap in gaps if gap.cause != GapCause.NOT_RECORDED_YET)
