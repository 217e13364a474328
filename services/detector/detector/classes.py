"""Which of a network's classes are ours: COCO's numbering, or the names that a file says it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.boxes import ROAD_USERS, Ints, Label
from hazardcast.errors import ConfigError

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

    def ours(self, numbers: Ints) -> Ints:
        """Our label of each class number; -1 for what is no road user."""
        table: Ints = np.full(max(self.count, int(numbers.max(initial=0)) + 1), -1, np.int64)
        table[self.columns] = self.labels
        ours: Ints = table[numbers]
        return ours


COCO = Classes(COCO_CLASSES, np.array(ROAD_USERS, int), np.array(ROAD_USERS, int))


def named(names: Sequence[str]) -> Classes:
    """The classes of a network whose classes are called so, in its order.

    Raises:
        ConfigError: none of them is a vehicle.
    """
    known = [(place, NAMES.get(name.strip().lower())) for place, name in enumerate(names)]
    own = [(place, label) for place, label in known if label is not None]
    if not any(label.is_vehicle for _, label in own):
        shown = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
        raise ConfigError(
            f"its classes are {shown}: no vehicle among them; expected COCO's 80 classes, or some "
            f"of {', '.join(sorted(NAMES))}"
        )
    return Classes(
        len(names), np.array([place for place, _ in own]), np.array([int(one) for _, one in own])
    )
