"""How much of a wanted window there is video for. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hazardcast.contract.messages import Gap, Window
from hazardcast.media.coverage import Stretch, explain, join, known_runs
from hazardcast.media.segments import Run, Segment

FRAME_INTERVALS = 3.0
"""Contiguous segments are one frame interval apart; up to this many are jitter, not a gap."""
LEAST_TOLERANCE_S = 0.25
MOST_TOLERANCE_S = 2.0


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
    known = known_runs(runs, joined)
    gaps = [gap for hole in _holes(window, inside) for gap in explain(hole, known, joined)]
    return Coverage(window, tuple(inside), tuple(gaps))


def _holes(window: Window, inside: Sequence[Stretch]) -> list[Stretch]:
    if not inside:
        return [Stretch(window.start, window.end)]
    edges = [window.start, *(edge for stretch in inside for edge in stretch), window.end]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [Stretch(start, end) for start, end in pairs if end > start]
