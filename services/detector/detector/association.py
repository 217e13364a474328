"""Which box belongs to which track: assignment by buffered IoU, in stages.

ByteTrack (arXiv 2110.06864) matches sure boxes first and lets unsure ones only keep tracks alive;
C-BIoU (arXiv 2211.14317) grows boxes before comparing them, because at 5-10 frames per second an
object moves by much of its own size from one frame to the next.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from detector.boxes import Bools, Boxes, Floats, Ints, Label, grown, ious

SURE_SCORE = 0.35
BUFFERS = (0.3, 0.6)
"""How much boxes grow in the first and in the second look."""
LEAST_BUFFERED_IOU = 0.2
LEAST_IOU_UNSURE = 0.3
OTHER_KIND_COST = 0.3
"""A person is rarely the continuation of a vehicle, but networks do mix them up."""

Pairs = list[tuple[int, int]]
"""(track row, box row)."""


def associate(predicted: Floats, persons: Bools, alive: Bools, found: Boxes) -> Pairs:
    """Match tracks to boxes, each at most once.

    Args:
        predicted: (N, 4) where the tracks should be now.
        persons: (N,) tracks that are people.
        alive: (N,) tracks seen in the frame before; only these may take an unsure box.
        found: the boxes of this frame.
    """
    sure = found.scores >= SURE_SCORE
    free_tracks: Ints = np.arange(len(predicted))
    free_boxes: Ints = np.flatnonzero(sure)
    pairs: Pairs = []
    for buffer in BUFFERS:
        stage = _match(predicted, persons, found, free_tracks, free_boxes, buffer=buffer)
        pairs += stage
        free_tracks, free_boxes = _rest(free_tracks, free_boxes, stage)
    waiting = free_tracks[alive[free_tracks]]
    unsure = np.flatnonzero(~sure)
    return pairs + _match(
        predicted, persons, found, waiting, unsure, buffer=0.0, least=LEAST_IOU_UNSURE
    )


def _match(
    predicted: Floats,
    persons: Bools,
    found: Boxes,
    tracks: Ints,
    candidates: Ints,
    *,
    buffer: float,
    least: float = LEAST_BUFFERED_IOU,
) -> Pairs:
    if not len(tracks) or not len(candidates):
        return []
    likeness = ious(grown(predicted[tracks], buffer), grown(found.xyxy[candidates], buffer))
    is_person = found.labels[candidates] == Label.PERSON
    other = persons[tracks][:, None] != is_person[None, :]
    rows, columns = linear_sum_assignment(OTHER_KIND_COST * other - likeness)
    return [
        (int(tracks[row]), int(candidates[column]))
        for row, column in zip(rows, columns, strict=True)
        if likeness[row, column] >= least
    ]


def _rest(tracks: Ints, candidates: Ints, pairs: Pairs) -> tuple[Ints, Ints]:
    taken_tracks = [track for track, _ in pairs]
    taken_boxes = [box for _, box in pairs]
    return (
        tracks[~np.isin(tracks, taken_tracks)],
        candidates[~np.isin(candidates, taken_boxes)],
    )
