"""A clip as another day would have shown it: mirrored, lighter or darker, faster or slower.

One pass over a hundred clips is half luck, as a box a little to the left is found or not; several,
none of which repeats another, say more. Pictures change, and with them what a model finds in them;
detections from a file are jittered, and some dropped, instead.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from detector.evaluation.cached import CachedDetections
from detector.evaluation.labels import Clip
from hazardcast.vision.geometry.boxes import Boxes
from hazardcast.vision.models.opener import Model
from hazardcast.vision.pixels.frame import Frame

BOX_JITTER = 0.02
"""Standard deviation of a box's sides, share of its size."""
SCORE_JITTER = 0.03
DROPPED = 0.02
"""Share of the boxes that a variation does not see."""
LEAST_BEFORE_S = 2.0
"""So much of a clip's time before its event is never left out."""


@dataclass(frozen=True)
class Variation:
    """How one pass over a clip differs from the clip."""

    number: int
    mirrored: bool
    gain: float
    offset: float
    """Grey level → grey level · `gain` + `offset`."""
    speed: float
    skipped_s: float
    """So much of the clip's beginning is left out."""

    @classmethod
    def by_lot(cls, number: int) -> Variation:
        """The variation of this number; the same for ever."""
        lot = random.Random(number)
        return cls(
            number, lot.random() < 0.5, lot.uniform(0.85, 1.15), lot.uniform(-12, 12),
            lot.uniform(0.85, 1.15), lot.uniform(0, 1),
        )  # fmt: skip

    def begin_s(self, clip: Clip) -> float:
        """From when on, in the clip's own time, its frames are shown."""
        if clip.t_event_s is None:
            return self.skipped_s
        return min(self.skipped_s, max(0.0, clip.t_event_s - LEAST_BEFORE_S))

    def frames(self, frames: Iterable[Frame], *, begin_s: float = 0.0) -> Iterator[Frame]:
        """The frames from `begin_s` on as this variation shows them, and when it does."""
        levels = np.clip(np.arange(256) * self.gain + self.offset, 0, 255).astype(np.uint8)
        for frame in frames:
            if frame.t < begin_s:
                continue
            picture = frame.image[:, ::-1] if self.mirrored else frame.image
            yield Frame(levels[picture], frame.t / self.speed, frame.index)

    def label(self, clip: Clip, width: int) -> Clip:
        """The clip, `width` px wide, with its event when and where this variation shows it."""
        box = clip.box
        if box and self.mirrored:
            box = (width - box[0] - box[2], *box[1:])
        t_event_s = None if clip.t_event_s is None else clip.t_event_s / self.speed
        return replace(clip, t_event_s=t_event_s, box=box)

    def model(self, model: Model) -> Model:
        """The model as this variation needs it: only kept boxes do not see how pictures change."""
        return VariedDetections(model, self) if isinstance(model, CachedDetections) else model


@dataclass
class VariedDetections:
    """Detections from a file, changed as the pictures are."""

    cached: CachedDetections
    variation: Variation

    def __post_init__(self) -> None:
        self.name = self.cached.name
        self._chance = np.random.default_rng(self.variation.number)

    def detect(self, frame: Frame) -> Boxes:
        """The file's boxes about the frame's time."""
        found = self.cached.detect(replace(frame, t=frame.t * self.variation.speed))
        found = found.take(self._chance.random(len(found)) >= DROPPED)
        size = np.sqrt(np.prod(found.xyxy[:, 2:] - found.xyxy[:, :2], axis=1, keepdims=True))
        xyxy = found.xyxy + self._chance.normal(0, BOX_JITTER, found.xyxy.shape) * size
        if self.variation.mirrored:
            xyxy[:, [0, 2]] = frame.image.shape[1] - xyxy[:, [2, 0]]
        scores = np.clip(found.scores + self._chance.normal(0, SCORE_JITTER, len(found)), 0, 1)
        return Boxes(xyxy.astype(np.float32), scores.astype(np.float32), found.labels)


def rounds(clips: Sequence[Clip], first: int, last: int) -> Iterator[tuple[Clip, Variation]]:
    """Every clip in variation, round after round; a clip's are the same whatever else is run."""
    for number in range(first, last):
        for clip in clips:
            yield clip, Variation.by_lot(crc32(f"{number} {clip.name}".encode()))


def passes(clips: Sequence[Clip], variations: int) -> Iterator[tuple[Clip, Variation | None]]:
    """Every clip in so many variations; as it is, when there are to be none."""
    if variations:
        yield from rounds(clips, 0, variations)
    else:
        yield from ((clip, None) for clip in clips)
