"""Candidate flames in a frame (filled in by the fire evidence)."""

from __future__ import annotations

from dataclasses import dataclass

from detector.boxes import Floats


@dataclass(frozen=True)
class Flame:
    """A region that looks and moves like fire."""

    box: Floats
    since_t: float
    share: float
    """Area, share of the frame."""
    flicker: float
