"""Which box belongs to which track: assignment by buffered IoU, in stages.

ByteTrack (arXiv 2110.06864) matches sure boxes first and lets unsure ones only keep tracks alive;
C-BIoU (arXiv 2211.14317) grows boxes before comparing them, because at 5-10 frames per second an
object moves by much of its own size from one frame to the next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from hazardcast.vision.geometry.boxes import Bools, Boxes, Floats, Ints, Label, grown, ious
from hazardcast.vision.pixels.colour_histogram import likenesses

SURE_SCORE = 0.35
BUFFERS = (0.3, 0.6)
"""How much boxes grow in the first and in the second look."""
LEAST_BUFFERED_IOU = 0.2
LEAST_IOU_UNSURE = 0.3
OTHER_KIND_COST = 0.3
"""A person is rarely the continuation of a vehicle, but networks do mix them up."""
OTHER_LOOK_COST, SAME_LOOK = 0.5, 0.5
"""Who has less than this share of its colours in common with a track is hardly its continuation;
with none at all it costs so much IoU."""

Pairs = list[tuple[int, int]]
"""(track row, box row)."""


@dataclass(frozen=True)
class Expected:
    """What the tracks lead to expect of a frame."""

    boxes: Floats
    """(N, 4) where they should be now."""
    persons: Bools
    """(N,) those that are people."""
    alive: Bools
    """(N,) those seen in the frame before; only these may take an unsure box."""
    looks: Floats | None = None
    """(N, COLOURS) what they look like."""


def associate(expected: Expected, found: Boxes) -> Pairs:
    """Match tracks to the boxes of a frame, each at most once."""
    sure = found.scores >= SURE_SCORE
    free_tracks: Ints = np.arange(len(expected.boxes))
    free_boxes: Ints = np.flatnonzero(sure)
    pairs: Pairs = []
    for buffer in BUFFERS:
        stage = _match(expected, found, free_tracks, free_boxes, buffer=buffer)
        pairs += stage
        free_tracks, free_boxes = _rest(free_tracks, free_boxes, stage)
    waiting = free_tracks[expected.alive[free_tracks]]
    unsure = np.flatnonzero(~sure)
    return pairs + _match(expected, found, waiting, unsure, buffer=0.0, least=LEAST_IOU_UNSURE)


def _match(
    expected: Expected, found: Boxes, tracks: Ints, candidates: Ints,
    *, buffer: float, least: float = LEAST_BUFFERED_IOU,
) -> Pairs:  # fmt: skip
    if not len(tracks) or not len(candidates):
        return []
    overlap = ious(grown(expected.boxes[tracks], buffer), grown(found.xyxy[candidates], buffer))
    likeness = overlap - _strangeness(expected.looks, found.looks, tracks, candidates)
    is_person = found.labels[candidates] == Label.PERSON
    other = expected.persons[tracks][:, None] != is_person[None, :]
    rows, columns = linear_sum_assignment(OTHER_KIND_COST * other - likeness)
    return [
        (int(tracks[row]), int(candidates[column]))
        for row, column in zip(rows, columns, strict=True)
        if likeness[row, column] >= least
    ]


def _strangeness(
    known: Floats | None, seen: Floats | None, tracks: Ints, candidates: Ints
) -> Floats | float:
    """(N, M) IoU that it costs to look otherwise."""
    if known is None or seen is None:
        return 0.0
    common = likenesses(known[tracks], seen[candidates])
    cost: Floats = OTHER_LOOK_COST * np.maximum(0.0, 1.0 - common / SAME_LOOK)
    return cost


def _rest(tracks: Ints, candidates: Ints, pairs: Pairs) -> tuple[Ints, Ints]:
    taken_tracks = [track for track, _ in pairs]
    taken_boxes = [box for _, box in pairs]
    return (
        tracks[~np.isin(tracks, taken_tracks)],
        candidates[~np.isin(candidates, taken_boxes)],
    )
