"""What of a picture is covered: heads, faces and the band where a vehicle bears its plate; pure.

Heads are taken from the boxes of persons: at a roadside a face is often ten pixels high, where no
face detector sees it, while its person is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.geometry.boxes import Boxes, Floats, Ints, Label, areas

HEAD_SHARE = 0.40
"""Of a person's box, from above."""
HEAD_WIDER = 0.25
"""Of the box's width, on each side."""
FACE_GROWN = 0.35
"""Hair, ears and chin belong to a face that a detector has found; share of its sides."""
PLATE_TOP, PLATE_BOTTOM = 0.50, 0.95
PLATE_ACROSS = 0.70
"""The band where plates are: of a vehicle's height, and the middle of its width."""
LEAST_VEHICLE_PX = 40.0
"""A narrower vehicle's plate has under 12 px: nobody reads it."""
WEAKEST_CELLS = 4
PLATE_CELLS = 3
STRENGTH_CELLS = 60
MOST_OF_PICTURE = 0.5
"""A box larger than this is no road user, but a detector that errs."""


class Kind(IntEnum):
    """What a region hides; the value orders them in figures."""

    HEAD = 0
    PLATE = 1
    PERSON = 2
    FOREIGN = 3
    """Whatever a module of the operator's changed."""


@dataclass(frozen=True)
class Found:
    """What one look found: `xyxy` (N, 4) px of the picture, `scores` (N,), `kinds` (N,)."""

    xyxy: Floats
    scores: Floats
    kinds: Ints

    def __len__(self) -> int:
        return len(self.xyxy)


def make(rows: list[tuple[Floats, float, Kind]]) -> Found:
    """Found regions, from box (4,), score and kind each."""
    return Found(
        np.array([box for box, _, _ in rows], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in rows], np.float32),
        np.array([int(kind) for _, _, kind in rows], np.int64),
    )


def cells_across(strength: int) -> int:
    """How many cells a head is given across: 15 → 4, 30 → 2.

    Raises:
        ConfigError: they would be five or more, behind which networks still know faces.
    """
    if strength < 1:
        raise ConfigError(f"blur_strength: {strength}; expected 1 or more, 15 is usual")
    cells = max(1, round(STRENGTH_CELLS / strength))
    if cells > WEAKEST_CELLS:
        raise ConfigError(
            f"blur_strength: {strength} gives {cells} cells across a head, through which faces are "
            "known again; expected 14 or more (4 cells), 15 is usual"
        )
    return cells


def of_look(
    road_users: Boxes, faces: Boxes, *, width: int, height: int, whole_persons: bool = False,
    plates: bool = True,
) -> Found:  # fmt: skip
    """What is to be covered of a picture of `width` × `height` px.

    Args:
        road_users: persons and vehicles, px of the picture.
        faces: boxes of faces, px of the picture.
        width: of the picture, px.
        height: of the picture, px.
        whole_persons: cover all of a person: clothes tell who somebody is, too.
        plates: cover the bands where vehicles bear their plates.
    """
    rows: list[tuple[Floats, float, Kind]] = []
    believed = areas(road_users.xyxy) <= MOST_OF_PICTURE * width * height
    for box, score, label in zip(
        road_users.xyxy[believed], road_users.scores[believed], road_users.labels[believed],
        strict=True,
    ):  # fmt: skip
        if label == Label.PERSON:
            region = box if whole_persons else head_of(box)
            rows.append((region, float(score), Kind.PERSON if whole_persons else Kind.HEAD))
        elif plates and box[2] - box[0] >= LEAST_VEHICLE_PX:
            rows.append((plate_band_of(box), float(score), Kind.PLATE))
    for box, score in zip(faces.xyxy, faces.scores, strict=True):
        rows.append((grown(box, FACE_GROWN), float(score), Kind.HEAD))
    return make(rows)


def head_of(person: Floats) -> Floats:
    """(4,) where a person's head is, whatever way it is turned."""
    x1, y1, x2, y2 = person.tolist()
    wider = (x2 - x1) * HEAD_WIDER
    above = (y2 - y1) * 0.05  # boxes are often drawn through the hair
    return np.array(
        [x1 - wider, y1 - above, x2 + wider, y1 + (y2 - y1) * HEAD_SHARE], np.float32
    )  # fmt: skip


def plate_band_of(vehicle: Floats) -> Floats:
    """(4,) the band of a vehicle in which its plate is, seen from the front or from behind."""
    x1, y1, x2, y2 = vehicle.tolist()
    aside = (x2 - x1) * (1 - PLATE_ACROSS) / 2
    tall = y2 - y1
    return np.array(
        [x1 + aside, y1 + tall * PLATE_TOP, x2 - aside, y1 + tall * PLATE_BOTTOM], np.float32
    )  # fmt: skip


def grown(box: Floats, share: float) -> Floats:
    """(4,) the box, larger on each side by `share` of its width and height."""
    margin = (box[2:] - box[:2]) * share
    return np.concatenate([box[:2] - margin, box[2:] + margin])
