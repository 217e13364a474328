"""Looking at a picture: what is to be covered of it, and at which pictures one looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hazardcast.vision.geometry import boxes
from hazardcast.vision.geometry.boxes import Boxes
from hazardcast.vision.models.opener import Model
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.image import Image
from privacy import regions
from privacy.cover import Planes
from privacy.regions import Found, Kind

EDGE_S = 1.0
EDGE_EVERY = 2
"""A file's first and last second are looked at more often: beyond them nothing can be seen."""
NEAR_PX = 200.0
NEAR_EVERY = 3
"""So large a head's person crosses much of the picture from look to look."""
HALVED_FROM_PX = 1280
"""A narrower picture is looked at as it is."""
HEAD_OF_NEAR_PX = NEAR_PX * regions.HEAD_SHARE


class LookError(Exception):
    """A look failed: what it did not tell cannot be trusted to be nothing."""


class Look(Protocol):
    """Finds what is to be covered, in one camera's pictures."""

    def __call__(self, planes: Planes, t: float, index: int) -> Found:
        """What to cover of picture `index` at `t` seconds, px of the picture.

        Raises:
            LookError: it cannot tell.
        """
        ...


def due(pts_s: Sequence[float], *, every: int) -> set[int]:
    """Which pictures of a file, shown at these times, are looked at."""
    if not pts_s:
        return set()
    first, last = pts_s[0] + EDGE_S, pts_s[-1] - EDGE_S
    edges = (n for n, t in enumerate(pts_s) if t <= first or t >= last)
    return {
        *range(0, len(pts_s), every),
        *(n for n in edges if n % EDGE_EVERY == 0),
        len(pts_s) - 1,
    }


def is_near(found: Found) -> bool:
    """Whether somebody near is in the picture, so that one looks more often."""
    heads = found.kinds != int(Kind.PLATE)
    tall = found.xyxy[heads, 3] - found.xyxy[heads, 1]
    return bool((tall > HEAD_OF_NEAR_PX).any())


def small(planes: Planes) -> tuple[Image, float]:
    """The picture to look at, BGR, and how many px of the planes each of its px is."""
    if planes.y.shape[1] >= HALVED_FROM_PX:
        return image.from_planes(*planes), 2.0
    whole = np.concatenate([plane.reshape(-1) for plane in planes])
    height, width = planes.y.shape
    return image.whole_from_planes(whole.reshape(height * 3 // 2, width)), 1.0


@dataclass
class NetworkLook:
    """Looks by two networks: one for road users, one for faces."""

    model: Model
    """Knows persons and vehicles."""
    faces: Callable[[Image], Boxes] | None = None
    whole_persons: bool = False
    plates: bool = True

    def __call__(self, planes: Planes, t: float, index: int) -> Found:
        """As `Look`."""
        picture, scale = small(planes)
        height, width = planes.y.shape
        try:
            users = self.model.detect(Frame(picture, t, index))
            faces = self.faces(picture) if self.faces else boxes.empty()
        except Exception as error:
            raise LookError(f"the look at picture {index} failed: {error!r}"[:300]) from error
        return checked(
            regions.of_look(
                _scaled(users, scale), _scaled(faces, scale),
                width=width, height=height, whole_persons=self.whole_persons, plates=self.plates,
            )
        )  # fmt: skip


def _scaled(found: Boxes, scale: float) -> Boxes:
    return Boxes(found.xyxy * np.float32(scale), found.scores, found.labels)


def checked(found: Found) -> Found:
    """`found`, if it can be true.

    Raises:
        LookError: it holds what are no numbers.
    """
    if not np.isfinite(found.xyxy).all() or not np.isfinite(found.scores).all():
        raise LookError("a look found boxes that are no numbers")
    return found
