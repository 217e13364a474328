"""Which bytes of which segments make the clip, and where they stand on its time line. Pure.

Segments whose stamps continue each other form a chain; inside a chain the stream's own stamps are
kept to the tick. Chains are set on the clip's time line by the wall clock, so that a gap in the
recording is a gap of the same length in the clip: media time = wall time − wall time of the first
frame, throughout.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from clipper.chain import Picture, Source, chains, cut, interval_s
from hazardcast.contract.messages import Window
from hazardcast.media.coverage import Stretch
from hazardcast.media.mpegts import CLOCK_HZ

ORIGIN_TICKS = 10 * CLOCK_HZ
"""Stamp of the clip's first frame on the way to the muxer: room below it for decoding stamps."""
HOLE_INTERVALS = 5.0
LEAST_HOLE_S = 1.0
MOST_AHEAD_S = 0.25
"""What media time may be ahead of the wall clock within a stretch, or behind it."""


@dataclass(frozen=True)
class Piece:
    """Bytes of one segment that go into the clip, and what to add to their stamps."""

    source: Source
    start_byte: int
    end_byte: int
    stamp_ticks: int
    """Stamp of its first frame on the way to the muxer."""
    shift_ticks: int
    frames: int
    units: int
    """Coded pictures: more than frames where those are sent as fields."""
    media_s: float
    """Where its first frame stands in the clip."""
    wall: float
    """Wall clock of its first frame."""
    codec: str
    format: str


@dataclass(frozen=True)
class PlannedFrame:
    """The frame nearest the incident."""

    wall: float
    media_s: float


@dataclass(frozen=True)
class Plan:
    """A clip before it is built."""

    pieces: tuple[Piece, ...]
    stretches: tuple[Stretch, ...]
    media: tuple[float, ...]
    """Where each stretch begins in the clip, seconds."""
    duration_s: float
    snapshot: PlannedFrame
    interval_s: float

    @property
    def frames(self) -> int:
        """Pictures in the clip."""
        return sum(piece.frames for piece in self.pieces)

    @property
    def units(self) -> int:
        """Coded pictures in the clip where it is copied."""
        return sum(piece.units for piece in self.pieces)

    @property
    def formats(self) -> int:
        """How many different formats there are: more than one cannot be copied."""
        return len({piece.format for piece in self.pieces})

    @property
    def first_wall(self) -> float:
        """Wall clock of the clip's first frame."""
        return self.stretches[0].start


def delivered(plan: Plan) -> Window:
    """Wall clock from the first frame to the end of the last."""
    return Window(start=plan.stretches[0].start, end=plan.stretches[-1].end)


def groups(plan: Plan) -> list[list[Piece]]:
    """Neighbouring pieces of one format."""
    return [list(pieces) for _, pieces in groupby(plan.pieces, key=lambda piece: piece.format)]


def whole(source: Source, *, like: Sequence[Piece]) -> Piece:
    """All of `source` as one piece that stands where the pieces `like` it stood."""
    earliest = min(frame.pts for frame in source.scan.frames)
    return replace(
        like[0],
        source=source,
        start_byte=0,
        end_byte=source.scan.size,
        shift_ticks=like[0].stamp_ticks - earliest,
        frames=len(source.scan.frames),
        units=sum(frame.units for frame in source.scan.frames),
        codec=source.scan.codec,
        format=source.scan.format,
    )


class NothingToShowError(ValueError):
    """No decodable frame of the sources lies in the window."""


def make(window: Window, moment: float, sources: Sequence[Source]) -> Plan:
    """Plan the clip of `window` with a snapshot at `moment` (epoch seconds).

    The clip starts at the last key frame at or before the window's start and ends with the first
    frame at or after its end, or with the next in decoding order that leaves no picture out.

    Raises:
        NothingToShowError: there is no video in the window.
    """
    needed = [part for chain in chains(sources) if (part := cut(chain, window))]
    if not needed:
        raise NothingToShowError("no decodable video in the window")
    return _lay_out(needed, moment)


@dataclass(frozen=True)
class _Placed:
    """A chain's pictures on the clip's time line; the key frame they begin with is shown first."""

    pictures: list[Picture]
    begin_ticks: int
    interval_s: float

    def media_ticks(self, picture: Picture) -> int:
        return self.begin_ticks + picture.ticks - self.pictures[0].ticks

    def media(self, picture: Picture) -> float:
        return self.media_ticks(picture) / CLOCK_HZ

    @property
    def end_s(self) -> float:
        return max(self.media(picture) for picture in self.pictures) + self.interval_s


def _lay_out(needed: Sequence[list[Picture]], moment: float) -> Plan:
    first_wall = needed[0][0].wall
    placed: list[_Placed] = []
    for pictures in needed:
        after_s = placed[-1].end_s if placed else 0.0
        begin_ticks = round(max(pictures[0].wall - first_wall, after_s) * CLOCK_HZ)
        usual_s = interval_s([picture.ticks for picture in pictures])
        placed.append(_Placed(pictures, begin_ticks, usual_s))
    stretches, media = zip(*(found for part in placed for found in _stretches(part)), strict=True)
    nearest = min(
        ((part, picture) for part in placed for picture in part.pictures),
        key=lambda found: abs(found[1].wall - moment),
    )
    return Plan(
        pieces=tuple(piece for part in placed for piece in _pieces(part)),
        stretches=stretches,
        media=media,
        duration_s=placed[-1].end_s,
        snapshot=PlannedFrame(nearest[1].wall, nearest[0].media(nearest[1])),
        interval_s=placed[0].interval_s,
    )


def _pieces(part: _Placed) -> Iterator[Piece]:
    ends = {}
    for run in _byte_runs(part.pictures):
        source = run[0].source
        if id(source) not in ends:
            offsets = [frame.offset for frame in source.scan.frames]
            ends[id(source)] = dict(pairwise([*offsets, source.scan.size]))
        first = min(run, key=lambda picture: picture.ticks)
        stamp = ORIGIN_TICKS + part.media_ticks(first)
        yield Piece(
            source=source,
            start_byte=0 if run[0].frame is source.scan.frames[0] else run[0].frame.offset,
            end_byte=ends[id(source)][run[-1].frame.offset],
            stamp_ticks=stamp,
            shift_ticks=stamp - first.frame.pts,
            frames=len(run),
            units=sum(picture.frame.units for picture in run),
            media_s=part.media(first),
            wall=first.wall,
            codec=source.scan.codec,
            format=source.scan.format,
        )


def _byte_runs(pictures: Sequence[Picture]) -> list[list[Picture]]:
    """Pictures of one segment that lie side by side in it."""
    runs: list[list[Picture]] = []
    for picture in pictures:
        if runs and picture.follows(runs[-1][-1]):
            runs[-1].append(picture)
        else:
            runs.append([picture])
    return runs


def _stretches(part: _Placed) -> Iterator[tuple[Stretch, float]]:
    """(stretch, where it begins in the clip): the part, split where the camera sent no frames.

    And where its clock has run away from the wall clock, so that each stretch dates its frames.
    """
    shown = sorted(part.pictures, key=lambda picture: picture.ticks)
    hole_s = max(LEAST_HOLE_S, HOLE_INTERVALS * part.interval_s)
    start = shown[0]
    for earlier, later in pairwise(shown):
        usual_end = earlier.wall + part.interval_s
        if (later.ticks - earlier.ticks) / CLOCK_HZ > hole_s:
            yield Stretch(start.wall, usual_end), part.media(start)
            start = later
        elif abs(_ahead_s(start, later)) > MOST_AHEAD_S:
            yield Stretch(start.wall, max(start.wall, later.wall)), part.media(start)
            start = later
    yield Stretch(start.wall, shown[-1].wall + part.interval_s), part.media(start)


def _ahead_s(start: Picture, later: Picture) -> float:
    """How much longer it is from one to the other by the stamps than by the wall clock."""
    return (later.ticks - start.ticks) / CLOCK_HZ - (later.wall - start.wall)
