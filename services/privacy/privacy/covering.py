"""One file from its first to its last picture: decoded, looked at, covered, encoded.

A picture waits until all has been looked at that may tell of it (`bridging.AHEAD_S`), so that a
head is covered before the look that found it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from hazardcast.vision.pixels.image import Image
from privacy import cover, looking
from privacy.bridging import AHEAD_S, Bridge
from privacy.cover import Grid, Planes
from privacy.ffmpeg import Decoder, Encoder, Encoding, list_packets
from privacy.ffmpeg_words import Packets, Shown, UnreadableError
from privacy.looking import Look
from privacy.matroska import TICKS_PER_S, WRAP

log = logging.getLogger(__name__)
MOST_WAITING_BYTES = 400_000_000
"""Pictures that wait for what comes after them: 4K at 30 a second just fits."""
MOST_COVERED = 0.6
"""A picture of which more is covered was looked at by a detector that errs."""
LOST_SHARE = 0.02
LOST_FRAMES = 2
"""So much of a file may be damaged beyond decoding; a connection that stumbles does that."""


class CoverError(Exception):
    """A file cannot be covered as it must be; the message says why."""


@dataclass(frozen=True)
class Recipe:
    """How files are covered."""

    cells: int = 4
    """Across a head."""
    solid: bool = False
    look_every: int = 5
    bridged: bool = True
    encoding: Encoding = field(default_factory=Encoding)
    decoder_threads: int = 1


@dataclass
class Covered:
    """What was written of a file."""

    source: Packets
    width: int = 0
    height: int = 0
    pts: list[int] = field(default_factory=list)
    """Of the pictures handed to the encoder, ticks of 90 kHz within 33 bits."""
    grids: list[list[Grid]] = field(default_factory=list)
    """What was covered of each."""
    looks: int = 0
    area: float = 0.0
    """Share of the pictures that was covered, in the mean."""

    @property
    def lost(self) -> int:
        """Pictures of the source that could not be decoded."""
        return len(self.source.pts) - len(self.pts)

    @property
    def regions(self) -> int:
        """Covered regions of all pictures together."""
        return sum(map(len, self.grids))


@dataclass
class _Waiting:
    index: int
    ticks: int
    """Going on where the stream's 33 bits begin anew."""
    buffer: Image

    @property
    def t(self) -> float:
        return self.ticks / TICKS_PER_S


class Covering:
    """Covers one file."""

    def __init__(
        self, program: str, recipe: Recipe, look: Look, *, beat: Callable[[], None] = lambda: None
    ) -> None:
        """By the ffmpeg `program`; `beat` is called as it goes on."""
        self._program = program
        self._recipe = recipe
        self._look = look
        self._beat = beat
        self._waiting: deque[_Waiting] = deque()

    def run(self, source: Path, output: Path) -> Covered:
        """Write the covered pictures of `source` to `output`.

        Raises:
            CoverError: it must not be shown as it would be.
            LookError: a look failed.
            UnreadableError: it cannot be decoded or encoded.
        """
        listed = list_packets(self._program, source)
        self._done = Covered(listed)
        self._due = looking.due(_seconds(listed.pts), every=self._recipe.look_every)
        with Decoder(self._program, source, threads=self._recipe.decoder_threads) as decoder:
            self._cover_all(decoder, output)
        if self._done.lost > max(LOST_FRAMES, LOST_SHARE * len(listed.pts)) or self._done.lost < 0:
            raise CoverError(
                f"{len(self._done.pts)} pictures decoded of {len(listed.pts)} packets: damaged"
            )
        self._done.area /= max(1, len(self._done.pts))
        return self._done

    def _cover_all(self, decoder: Decoder, output: Path) -> None:
        frames = decoder.frames()
        first = next(frames, None)
        if first is None:
            raise UnreadableError(f"no picture can be decoded: {decoder.words()}")
        seen, buffer = first
        self._done.width, self._done.height = seen.width, seen.height
        self._bridge = Bridge(seen.width, seen.height, bridged=self._recipe.bridged)
        self._newest = self._last_look = -1
        fps = _rate(self._done.source.pts)
        with Encoder(self._program, output, self._recipe.encoding, first=seen, fps=fps) as encoder:
            self._take(seen, buffer, encoder)
            for seen, buffer in frames:
                self._take(seen, buffer, encoder)
            self._look_at_last()
            self._emit(encoder, float("inf"))
            encoder.finish()

    def _take(self, seen: Shown, buffer: Image, encoder: Encoder) -> None:
        ticks = seen.pts
        if self._newest >= 0:  # 33 bits begin anew within a file, once in 26 h
            ticks += (self._newest - ticks + WRAP // 2) // WRAP * WRAP
        if ticks <= self._newest:
            raise CoverError(f"picture {seen.number} is shown before the one before it")
        self._newest = ticks
        waiting = _Waiting(seen.number, ticks, buffer)
        self._waiting.append(waiting)
        if len(self._waiting) * buffer.nbytes > MOST_WAITING_BYTES:
            raise CoverError("pictures too large, or too many a second, to look ahead by 1 s")
        if self._is_due(seen.number):
            self._look_at(waiting)
            self._emit(encoder, waiting.t - AHEAD_S)
        self._beat()

    def _is_due(self, index: int) -> bool:
        near = self._is_near and index - self._last_look >= looking.NEAR_EVERY
        return index in self._due or near or index - self._last_look >= self._recipe.look_every

    _is_near = False

    def _look_at(self, waiting: _Waiting) -> None:
        found = self._look(self._planes(waiting), waiting.t, waiting.index)
        found = looking.checked(found)
        self._bridge.look(waiting.t, found)
        self._is_near = looking.is_near(found)
        self._last_look = waiting.index
        self._done.looks += 1

    def _look_at_last(self) -> None:
        """Where pictures are lost, the last one is another than was foreseen."""
        if self._waiting and self._waiting[-1].index != self._last_look:
            self._look_at(self._waiting[-1])

    def _planes(self, waiting: _Waiting) -> Planes:
        return cover.planes_of(waiting.buffer, self._done.width, self._done.height)

    def _emit(self, encoder: Encoder, until: float) -> None:
        while self._waiting and self._waiting[0].t <= until:
            waiting = self._waiting.popleft()
            self._cover(waiting)
            encoder.write(waiting.ticks, waiting.buffer)
            self._done.pts.append(waiting.ticks % WRAP)
            self._bridge.forget(waiting.t)

    def _cover(self, waiting: _Waiting) -> None:
        done = self._done
        wanted = cover.grids(
            self._bridge.at(waiting.t), cells=self._recipe.cells, width=done.width,
            height=done.height,
        )  # fmt: skip
        share = cover.share_covered(wanted, done.width, done.height)
        if share > MOST_COVERED:
            raise CoverError(f"{share:.0%} of picture {waiting.index} would be covered")
        cover.apply(self._planes(waiting), wanted, solid=self._recipe.solid)
        done.grids.append(wanted)
        done.area += share


def _seconds(pts: tuple[int, ...]) -> list[float]:
    return [tick / TICKS_PER_S for tick in pts]


def _rate(pts: tuple[int, ...]) -> float:
    """Pictures a second, in the median of their distances; 15 where that cannot be told."""
    steps = sorted(after - before for before, after in pairwise(pts))
    middle = steps[len(steps) // 2] if steps else 0
    return TICKS_PER_S / middle if 0 < middle < 10 * TICKS_PER_S else 15.0
