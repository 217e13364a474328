"""Which of a network's classes are ours: COCO's numbering, or the names that a file says it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.geometry.boxes import ROAD_USERS, Ints, Label

COCO_CLASSES = 80
NAMES = {
    "person": Label.PERSON, "pedestrian": Label.PERSON, "people": Label.PERSON,
    "bicycle": Label.BICYCLE, "bike": Label.BICYCLE, "cyclist": Label.BICYCLE,
    "car": Label.CAR, "vehicle": Label.CAR, "van": Label.CAR, "taxi": Label.CAR,
    "motorcycle": Label.MOTORCYCLE, "motorbike": Label.MOTORCYCLE, "motor": Label.MOTORCYCLE,
    "scooter": Label.MOTORCYCLE,
    "bus": Label.BUS, "truck": Label.TRUCK, "lorry": Label.TRUCK,
}  # fmt: skip
"""What data sets call road users → what we do."""


@dataclass(frozen=True)
class Classes:
    """A network's classes."""

    count: int
    columns: Ints
    """(K,) numbers of its classes that are road users …"""
    labels: Ints
    """(K,) … and which of ours they are."""
    coco: bool = False
    """Whether they are COCO's."""
    assumed: bool = False
    """Whether nothing says so: COCO's are what is published without names."""

    def ours(self, numbers: Ints) -> Ints:
        """Our label of each class number; -1 for what is no road user."""
        table: Ints = np.full(max(self.count, int(numbers.max(initial=0)) + 1), -1, np.int64)
        table[self.columns] = self.labels
        ours: Ints = table[numbers]
        return ours


COCO = Classes(COCO_CLASSES, np.array(ROAD_USERS, int), np.array(ROAD_USERS, int), coco=True)
ASSUMED_COCO = replace(COCO, assumed=True)
COCO_91 = Classes(91, np.array([1, 2, 3, 4, 6, 8]), np.array(ROAD_USERS, int), coco=True)
"""COCO's own numbering, from 1 and with gaps: Torchvision, TensorFlow and RF-DETR keep it."""
COCO_SETS = {"coco": COCO, "coco-91": COCO_91}


def named(names: Sequence[str]) -> Classes:
    """The classes of a network whose classes are called so, in its order.

    Raises:
        ConfigError: none of them is a vehicle.
    """
    known = [(place, _ours(name)) for place, name in enumerate(names)]
    own = [(place, label) for place, label in known if label is not None]
    if not any(label.is_vehicle for _, label in own):
        shown = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
        raise ConfigError(
            f"its classes are {shown}: no vehicle among them; expected COCO's 80 classes, or some "
            f"of {', '.join(sorted(NAMES))}; if they are called otherwise than what they are, name "
            'them in the .json file beside it: {"classes": ["car", "…"]}'
        )
    return Classes(
        len(names), np.array([place for place, _ in own]), np.array([int(one) for _, one in own])
    )


def are_coco(names: Sequence[str]) -> bool:
    """Whether the names are COCO's 80: those of the road users stand where COCO has them."""
    return len(names) == COCO_CLASSES and all(_ours(names[one]) is one for one in ROAD_USERS)


def _ours(name: str) -> Label | None:
    return NAMES.get(name.strip().lower())
