"""The small network of our own that parts what stands out from the empty road into vehicles.

It sees the picture and the empty road behind it, and tells for every cell of 4 × 4 px how likely
a road user has its centre there, and how far its sides are. It was trained by
`training/vehicles`; the README there says on what, and how well it does.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from hazardcast.vision.geometry.boxes import Boxes, Label, clipped, make, nms
from hazardcast.vision.models import bundled
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.image import Image

CELL_PX = 4
STRIDE_PX = 16
LEAST_LIKELIHOOD = 0.15
LABELS = np.array([Label.CAR, Label.TRUCK, Label.MOTORCYCLE, Label.PERSON])


class VehicleNet:
    """Shared by all cameras; safe from several threads."""

    def __init__(self, weights: bytes) -> None:
        self._session = bundled.opened(weights)

    def find(self, picture: Image, road: Image) -> Boxes:
        """Road users in `picture` (H, W, 3), boxes in its pixels, best first.

        Args:
            picture: BGR.
            road: the same view without vehicles; the picture itself while nobody knows it.
        """
        tensor = image.stacked((picture, road), STRIDE_PX)
        told: Any = self._session.run(None, {"pictures": tensor})
        found = _boxes(told[0][0], told[1][0])
        return clipped(nms(found), picture.shape[1], picture.shape[0])


def _boxes(likelihood: Any, reach: Any) -> Boxes:
    """From likelihoods (4, h, w) and distances (4, h, w) px to left, top, right, bottom."""
    kinds, rows, columns = np.nonzero(likelihood > LEAST_LIKELIHOOD)
    centre = (np.stack([columns, rows], axis=1) + 0.5) * CELL_PX
    sides = reach[:, rows, columns].T
    xyxy = np.concatenate([centre - sides[:, :2], centre + sides[:, 2:]], axis=1)
    return make(xyxy, likelihood[kinds, rows, columns], LABELS[kinds])


@lru_cache(maxsize=1)
def load() -> VehicleNet:
    """The network that comes with the detector, loaded once."""
    return VehicleNet(bundled.shipped("hazardcast.vision", "vehicles"))
