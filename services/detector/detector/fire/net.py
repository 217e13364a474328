"""The two small networks of our own that see flames and smoke.

Both tell, for every cell of 8 × 8 px of a small picture, how likely it is that it burns or
smokes. They were trained by `training/fire`; its README says on what, and how well they do.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from hazardcast.vision.models import bundled
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.image import Image, Plane

CELL_PX = 8


class CellNet:
    """Shared by all cameras; safe from several threads."""

    def __init__(self, weights: bytes) -> None:
        self._session = bundled.opened(weights)

    def likelihood(self, *pictures: Image) -> Plane:
        """(⌈H / 8⌉, ⌈W / 8⌉) in [0, 1] for pictures (H, W, 3) of one size, BGR."""
        tensor = image.stacked(pictures, CELL_PX)
        found: Any = self._session.run(None, {"picture": tensor})[0]
        plane: Plane = found[0, 0]
        return plane


@lru_cache(maxsize=2)
def load(name: str) -> CellNet:
    """The network `flames` or `smoke`, loaded once."""
    return CellNet(bundled.shipped("detector", name))
