"""Vehicles that merge into one blob: what has no class has no parts, so its tracks must tell.

When a blob covers where several tracks should be, each keeps its size and moves as predicted, but
not out of the blob. So two blobs that hit each other and stop are two tracks that stop, and a
standing vehicle stays in its place while others pass in front of it.
"""

from __future__ import annotations

import numpy as np

from hazardcast.vision.geometry.boxes import Bools, Boxes, Floats, Label, areas, intersections

COVER = 0.6
"""A track belongs to the blob that covers this share of where it should be."""
LARGER = 1.15
"""A group's blob is larger than its largest member by at least this factor."""


def grouped(predicted: Floats, eligible: Bools, found: Boxes) -> tuple[dict[int, Floats], Bools]:
    """Which tracks are hidden in a group, and where.

    Args:
        predicted: (N, 4) where the tracks should be.
        eligible: (N,) tracks that may be members.
        found: the frame's boxes; only those without class are blobs.

    Returns:
        Track row → its box (4,), and (M,) which boxes are groups.
    """
    members: dict[int, Floats] = {}
    groups = np.zeros(len(found), bool)
    blobs = np.flatnonzero(found.labels == Label.OBJECT)
    rows = np.flatnonzero(eligible)
    if len(rows) < 2 or not len(blobs):
        return members, groups
    size = areas(predicted[rows])
    cover = intersections(predicted[rows], found.xyxy[blobs]) / np.maximum(size, 1.0)[:, None]
    for column, blob in enumerate(blobs):
        inside = np.flatnonzero(cover[:, column] >= COVER)
        outer = found.xyxy[blob]
        if len(inside) < 2 or areas(outer[None])[0] < LARGER * size[inside].max():
            continue
        groups[blob] = True
        members.update({int(rows[one]): moved_into(predicted[rows[one]], outer) for one in inside})
    return members, groups


def moved_into(box: Floats, outer: Floats) -> Floats:
    """`box` moved (and shrunk if need be) so that it lies within `outer`."""
    low, high = outer[:2], outer[2:]
    size = np.minimum(box[2:] - box[:2], high - low)
    start = np.clip(box[:2], low, high - size)
    return np.concatenate([start, start + size])
