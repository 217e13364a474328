"""The model that needs nothing fetched: background subtraction, parted into vehicles.

Background subtraction sees whatever was not there before, but two cars that touch are one blob to
it, and a shadow is part of its car. So a small network (`vehicle_net`) looks at the picture and the
empty road together and says where the vehicles are; blobs that it does not know stay as they are,
so that lost cargo or an animal on the road is seen as well.
"""

from __future__ import annotations

import numpy as np

from hazardcast.vision.geometry import boxes
from hazardcast.vision.geometry.boxes import Bools, Boxes
from hazardcast.vision.models import vehicle_net
from hazardcast.vision.models.background import WIDTH_PX, BackgroundModel
from hazardcast.vision.pixels.frame import Frame

KNOWN = 0.3
"""A blob that shares this much of the smaller of both with a vehicle is accounted for."""


class RoadsideModel:
    """Finds road users, and things of any kind, in one camera's frames."""

    name = "roadside"

    def __init__(self) -> None:
        self._background = BackgroundModel()
        self._net = vehicle_net.load()

    def detect(self, frame: Frame) -> Boxes:
        """Vehicles by the network, and what else stands out from the empty road."""
        blobs = self._background.detect(frame)
        small = frame.shrunk(WIDTH_PX)
        found = self._net.find(small, self._background.road_for(small))
        scale = np.float32(frame.width / small.shape[1])
        vehicles = Boxes(found.xyxy * scale, found.scores, found.labels)
        return together(vehicles, blobs)


def together(vehicles: Boxes, blobs: Boxes) -> Boxes:
    """All vehicles, and the blobs that none of them accounts for."""
    if not len(vehicles) or not len(blobs):
        return vehicles if len(vehicles) else blobs
    shared = boxes.intersections(blobs.xyxy, vehicles.xyxy)
    sizes = boxes.areas(blobs.xyxy)[:, None], boxes.areas(vehicles.xyxy)[None, :]
    known: Bools = np.any(shared >= KNOWN * np.minimum(*sizes), axis=1)
    unknown = blobs.take(~known)
    return Boxes(
        np.concatenate([vehicles.xyxy, unknown.xyxy]),
        np.concatenate([vehicles.scores, unknown.scores]),
        np.concatenate([vehicles.labels, unknown.labels]),
    )
