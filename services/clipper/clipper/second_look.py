"""A clip that had to do without some video, looked at again when more of it has turned up.

A recorder that was killed adopts its open file at its next start, which may be long after the
clip's deadline. While everything that the clip was made from is still recorded, it is made anew.
"""

from __future__ import annotations

from collections.abc import Iterator

from clipper import coverage
from clipper.finished import FinishedClips
from clipper.jobs import Job
from clipper.library import Library
from clipper.manifest import Manifest
from clipper.recordings import Recordings
from hazardcast.contract.messages import ClipState
from hazardcast.machine.clock import Clock
from hazardcast.media.segments import Segment

INTERVAL_S = 10.0
LONGEST_S = 86_400.0
"""Nothing is expected to turn up later."""
WORTH_S = 0.25


class SecondLook:
    """Finds the clips that could be made better; each set of segments is tried once."""

    def __init__(
        self, library: Library, finished: FinishedClips, recordings: Recordings, clock: Clock
    ) -> None:
        self._library = library
        self._finished = finished
        self._recordings = recordings
        self._clock = clock
        self._due_at = float("-inf")
        self._tried: dict[str, frozenset[str]] = {}

    def jobs(self) -> Iterator[Job]:
        """Jobs, under the names of their clips, for what would gain by being made anew."""
        if self._clock.monotonic() < self._due_at:
            return
        self._due_at = self._clock.monotonic() + INTERVAL_S
        now = self._clock.now()
        for stem, state in self._finished.incomplete(since=now - LONGEST_S):
            there = self._recordings.segments(state.camera, state.requested)
            names = frozenset(segment.path.name for segment in there)
            if names == self._tried.get(stem) or not gains(state, there, now=now):
                continue
            self._tried[stem] = names
            manifest = self._library.manifest(stem)
            if manifest and {source.name for source in manifest.sources} <= names:
                yield job_of(stem, manifest, now)


def gains(state: ClipState, there: list[Segment], *, now: float) -> bool:
    """Whether the segments that are there cover more of the window than the clip does."""
    found = coverage.cover(
        state.requested,
        coverage.of_segments(there, now=now),
        tolerance=coverage.tolerance_s(there),
    )
    length_s = state.requested.end - state.requested.start
    return found.covered_s - state.coverage * length_s >= WORTH_S


def job_of(stem: str, manifest: Manifest, now: float) -> Job:
    """The job that made a clip, as if it had just been accepted."""
    request = manifest.request.model_copy(update={"alert": manifest.alert})
    return Job(name="", stem=stem, accepted_at=now, request=request)
