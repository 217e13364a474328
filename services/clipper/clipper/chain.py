"""Segments whose stamps continue each other, and the frames that a window needs of them. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, pairwise
from typing import NamedTuple

from clipper.scanning import Frame, Scan
from hazardcast.contract.messages import Window
from hazardcast.media.mpegts import CLOCK_HZ, ticks_between
from hazardcast.media.segments import Segment

SEAM_INTERVALS = 3.0
LEAST_SEAM_S = 0.5
MOST_DRIFT_S = 0.25
"""Stamps that continue while the wall clock has moved on by this much hide a gap."""
LEAP_S = 3.0
"""A frame this far outside of a segment's name is not where the name says."""
LONGEST_STEP_S = 35.0
"""A camera that sends no picture for 30 s is connected to anew, and a file is of one connection."""
USUAL_INTERVAL_S = 0.04
"""Assumed for a single frame, which has no interval."""


@dataclass(frozen=True)
class Source:
    """A segment and what was found in it."""

    segment: Segment
    scan: Scan

    @cached_property
    def first_pts(self) -> int:
        """Stamp of the frame shown first, which need not be the one that is decoded first."""
        frames = self.scan.frames
        return min(frames, key=lambda frame: ticks_between(frame.pts, frames[0].pts)).pts

    def wall(self, frame: Frame) -> float:
        """Wall clock of one of its frames: the name gives that of the first shown."""
        return self.segment.start + self.ticks(frame) / CLOCK_HZ

    def ticks(self, frame: Frame) -> int:
        """Ticks from the first frame shown to `frame`."""
        return ticks_between(frame.pts, self.first_pts)


def as_named(source: Source) -> Source:
    """`source` up to the first frame that its name cannot mean: behind a leap of the stamps.

    The camera's clock was set while it was recorded, and what follows has no known time. A name
    that spans all frames, wild ones included, was given by them: it dates the frame shown first.
    """
    scan = source.scan
    place = _leap(source)
    if place == len(scan.frames):
        return source
    size = scan.frames[place].offset
    kept = Source(source.segment, replace(scan, frames=scan.frames[:place], size=size))
    ticks = [source.ticks(frame) for frame in scan.frames]
    if abs((max(ticks) - min(ticks)) / CLOCK_HZ - _length_s(source.segment)) > LEAP_S:
        return kept
    later_ms = round(ticks_between(kept.first_pts, source.first_pts) * 1000 / CLOCK_HZ)
    start_ms = min(source.segment.start_ms + later_ms, source.segment.end_ms)
    return replace(kept, segment=replace(source.segment, start_ms=start_ms))


def _length_s(segment: Segment) -> float:
    return segment.end - segment.start


def _leap(source: Source) -> int:
    """Place of the first frame behind a leap; the number of frames without one."""
    frames = source.scan.frames
    longest_s = _length_s(source.segment) + LEAP_S
    for place, (before, frame) in enumerate(pairwise(frames), start=1):
        from_first_s = abs(ticks_between(frame.pts, frames[0].pts)) / CLOCK_HZ
        step_s = abs(ticks_between(frame.pts, before.pts)) / CLOCK_HZ
        if from_first_s > longest_s or step_s > LONGEST_STEP_S:
            return place
    return len(frames)


def told_before(sources: Sequence[Source]) -> list[Source]:
    """Sources in order, those that do not tell how their pictures are made as the one before."""
    told: list[Source] = []
    for source in sources:
        if told and not source.scan.is_whole and source.scan.codec == told[-1].scan.codec:
            scan = replace(source.scan, format=told[-1].scan.format)
            told.append(Source(source.segment, scan))
        else:
            told.append(source)
    return told


class Picture(NamedTuple):
    """A frame of a chain: whose it is, its place there, ticks since the chain's first frame."""

    source: Source
    frame: Frame
    place: int
    ticks: int

    def follows(self, other: Picture) -> bool:
        """True when it is the next frame of the same segment."""
        return self.source is other.source and self.place == other.place + 1

    @property
    def wall(self) -> float:
        """Wall clock, epoch seconds."""
        return self.source.wall(self.frame)


def chains(sources: Sequence[Source]) -> list[list[Source]]:
    """Sources grouped where stamps and format continue, each group and all groups in order."""
    grown: list[list[Source]] = []
    for source in sorted(sources, key=lambda source: source.segment):
        fitting = [chain for chain in grown if _continues(chain[-1], source)]
        if fitting:
            min(fitting, key=lambda chain: abs(_drift_s(chain[-1], source))).append(source)
        else:
            grown.append([source])
    return grown


def _continues(earlier: Source, later: Source) -> bool:
    if earlier.scan.format != later.scan.format:
        return False
    ticks = [earlier.ticks(frame) for frame in earlier.scan.frames]
    usual_s = interval_s(ticks)
    seam_s = (_step_ticks(earlier, later) - max(ticks)) / CLOCK_HZ
    near = usual_s / SEAM_INTERVALS <= seam_s <= max(LEAST_SEAM_S, SEAM_INTERVALS * usual_s)
    return near and abs(_drift_s(earlier, later)) <= MOST_DRIFT_S


def _step_ticks(earlier: Source, later: Source) -> int:
    """From first frame to first frame by the stamps."""
    return ticks_between(later.first_pts, earlier.first_pts)


def _drift_s(earlier: Source, later: Source) -> float:
    """How much longer that step is by the wall clock."""
    step_s = _step_ticks(earlier, later) / CLOCK_HZ
    return later.segment.start - earlier.segment.start - step_s


def interval_s(ticks: Sequence[int]) -> float:
    """The usual time between frames."""
    steps = [later - earlier for earlier, later in pairwise(sorted(ticks))]
    return statistics.median_low(steps) / CLOCK_HZ if steps else USUAL_INTERVAL_S


def pictures_of(chain: Sequence[Source]) -> Iterator[Picture]:
    """The chain's frames in decoding order."""
    origin = 0
    for earlier, source in zip([chain[0], *chain], chain, strict=False):
        origin += _step_ticks(earlier, source)
        for index, frame in enumerate(source.scan.frames):
            yield Picture(source, frame, index, origin + source.ticks(frame))


def cut(chain: Sequence[Source], window: Window) -> list[Picture]:
    """The chain's pictures that the window needs, in decoding order."""
    pictures = list(pictures_of(chain))
    usual_s = interval_s([picture.ticks for picture in pictures])
    keys = [index for index, picture in enumerate(pictures) if picture.frame.key]
    if not keys:
        return []
    last_wall = max(picture.wall for picture in pictures)
    if last_wall + usual_s <= window.start or pictures[keys[0]].wall > window.end:
        return []
    first = max((index for index in keys if pictures[index].wall <= window.start), default=keys[0])
    pictures = _without_leading(pictures[first:])
    return pictures[: _end(pictures, window.end)]


def _without_leading(pictures: list[Picture]) -> list[Picture]:
    """Leave out what is shown before its key frame and leans on frames that are not there."""
    key = pictures[0]
    return [key, *(picture for picture in pictures[1:] if picture.ticks > key.ticks)]


def _end(pictures: Sequence[Picture], window_end: float) -> int:
    """How many pictures in decoding order show everything up to the first at `window_end`."""
    target = min(
        (picture.ticks for picture in pictures if picture.wall >= window_end),
        default=max(picture.ticks for picture in pictures),
    )
    latest = list(accumulate((picture.ticks for picture in pictures), max))
    soonest = list(accumulate((picture.ticks for picture in reversed(pictures)), min))[::-1]
    for count in range(1, len(pictures)):
        if latest[count - 1] >= target and latest[count - 1] < soonest[count]:
            return count
    return len(pictures)
