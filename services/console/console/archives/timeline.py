"""A stretch of time of one camera: what is recorded, what is not and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hazardcast.media import coverage
from hazardcast.media.coverage import FRAME_TOLERANCE_S, Stretch
from hazardcast.media.segments import Run, Segment


def timeline(
    segments: Sequence[Segment],
    runs: Iterable[Run],
    *,
    start: float,
    end: float,
    live: Iterable[Stretch] = (),
) -> dict[str, Any]:
    """`segments: [[start, end]]` and `gaps: [[start, end, cause]]` in [start, end].

    Args:
        segments: those that touch the window.
        runs: of the camera.
        start: of the window, epoch seconds.
        end: of the window, or now.
        live: what can be shown of files that are not closed yet.
    """
    closed = [Stretch(one.start, one.end) for one in segments]
    touching = [one for one in live if one.end > start and one.start < end]
    video = coverage.join([*closed, *touching], FRAME_TOLERANCE_S)
    known = coverage.known_runs(runs, video)
    gaps = [
        [gap.start, gap.end, str(gap.cause)]
        for hole in _holes(video, start, end)
        for gap in coverage.explain(hole, known, video)
    ]
    shown = [[max(one.start, start), min(one.end, end)] for one in video]
    return {"segments": [one for one in shown if one[0] < one[1]], "gaps": gaps}


def _holes(video: Sequence[Stretch], start: float, end: float) -> Iterable[Stretch]:
    at = start
    for stretch in video:
        if stretch.start - at > FRAME_TOLERANCE_S:
            yield Stretch(at, min(stretch.start, end))
        at = max(at, stretch.end)
    if end - at > FRAME_TOLERANCE_S:
        yield Stretch(at, end)
