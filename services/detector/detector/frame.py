"""One picture of a camera, with the time it was taken."""

from __future__ import annotations

from dataclasses import dataclass

from detector.image import Image


@dataclass(frozen=True)
class Frame:
    """A decoded picture."""

    image: Image
    """(H, W, 3) BGR; whoever gets it may read it, not change it."""
    t: float
    """Capture time: epoch seconds of a live camera, seconds from the start of a file."""
    index: int
    """Its number in its stream."""
