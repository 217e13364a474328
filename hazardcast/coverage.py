"""What is recorded of a camera and where it has gaps, from the names of its segments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hazardcast.segments import Run, Segment

FRAME_TOLERANCE_S = 0.5
"""A step from last frame to first frame of up to this is the ordinary distance of frames."""
CAUSE_TOLERANCE_S = 1.0


@dataclass(frozen=True)
class RecordingGap:
    """A stretch without video between two segments, epoch seconds."""

    start: float
    end: float
    cause: str

    @property
    def length_s(self) -> float:
        """How long."""
        return self.end - self.start


def gaps(segments: Sequence[Segment], runs: Iterable[Run] = ()) -> list[RecordingGap]:
    """The gaps between `segments` (oldest first), each with the reason its run ended."""
    ended = [run for run in runs if run.ended_at is not None]
    return [
        RecordingGap(before.end, after.start, _cause(before.end, ended))
        for before, after in pairwise(segments)
        if after.start - before.end > FRAME_TOLERANCE_S
    ]


def _cause(moment: float, runs: Iterable[Run]) -> str:
    for run in runs:
        assert run.ended_at is not None
        if abs(run.ended_at - moment) <= CAUSE_TOLERANCE_S:
            return run.cause or "unknown"
    return "recorder_killed"
