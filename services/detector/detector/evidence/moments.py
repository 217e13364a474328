"""One frame and what was made of it, kept though tracks go on to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detector.pipeline import Outcome
from detector.rules.hypothesis import Hypothesis
from detector.tracking.motion import feet
from detector.tracking.tracks import Track
from hazardcast.vision.geometry.boxes import Floats
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.image import Image

TRAIL_S = 2.0


@dataclass(frozen=True)
class TracedTrack:
    """A track as it was at one moment."""

    track_id: int
    label: str
    box: Floats
    speed_blps: float
    trail: Floats
    """(N, 2) px, where its foot was during the last `TRAIL_S`."""


@dataclass(frozen=True)
class Moment:
    """One frame and what was made of it."""

    t: float
    picture: Image | None
    """Kept where it was asked for; a clip's pictures are many."""
    tracks: Sequence[TracedTrack]
    hypotheses: Sequence[Hypothesis]
    scene: str
    resting: bool


def moment(frame: Frame, outcome: Outcome, *, shown: bool = True) -> Moment:
    """One frame's outcome, kept though tracks go on to change."""
    return Moment(
        frame.t, frame.image if shown else None, [_kept(track) for track in outcome.tracks],
        outcome.hypotheses, outcome.scene.value, outcome.resting,
    )  # fmt: skip


def _kept(track: Track) -> TracedTrack:
    trail = feet(track.history.since(track.last_t - TRAIL_S))
    return TracedTrack(
        track.track_id, track.label.name.lower(), track.box.copy(), track.speed_blps, trail
    )
