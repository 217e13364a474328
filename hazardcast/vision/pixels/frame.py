"""One picture of a camera, with the time it was taken."""

from __future__ import annotations

from dataclasses import dataclass, field

from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.image import Image

SHARED_PX = 384
"""Width of the smaller version that all still smaller ones are made from."""


@dataclass(frozen=True)
class Frame:
    """A decoded picture."""

    image: Image
    """(H, W, 3) BGR; whoever gets it may read it, not change it."""
    t: float
    """Capture time: epoch seconds of a live camera, seconds from the start of a file."""
    index: int
    """Its number in its stream."""
    run: int = 0
    """The connection by which it came, of a live camera."""
    _smaller: dict[int, Image] = field(default_factory=dict, repr=False, compare=False)

    @property
    def width(self) -> int:
        """In px."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """In px."""
        return int(self.image.shape[0])

    def shrunk(self, width: int) -> Image:
        """The picture at `width` px (never larger than it is), made once for all who ask."""
        if width not in self._smaller:
            source = self.image if width >= SHARED_PX else self.shrunk(SHARED_PX)
            self._smaller[width] = image.shrunk(source, width)
        return self._smaller[width]
