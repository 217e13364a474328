"""What the picture did inside the box of every vehicle, from frame to frame.

Boxes of small networks jitter by a tenth of their size, which hides in noise what happens within a
third of a second. The pixels inside tell it: dense optical flow (DIS, Kroeger et al. 2016, arXiv
1603.03590), taken over the part of the box that moves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import IntEnum

import numpy as np

from detector.tracking.tracks import Track
from hazardcast.vision.geometry import quantiles
from hazardcast.vision.geometry.boxes import Floats, cut_off
from hazardcast.vision.geometry.row_buffer import Rows
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.image import Image, Plane

WIDTH_PX = 384
KEPT_S = 4.0
UNSEEN_AT_MOST_S = 1.0
"""Networks lose what turns over or hides in dust; its place is watched a little longer."""
INNER = 0.1
"""This share of a box is left out on every side: it is road."""
ENOUGH_PX = 24
"""Of larger boxes so many rows and columns of pixels are looked at, evenly spread."""
FAST_SHARE, MOVING_SHARE = 0.8, 0.5
"""Of the motion of its fastest fifth: pixels slower than that are background."""


class Column(IntEnum):
    """The columns of a vehicle's samples."""

    T = 0
    X = 1
    """Bottom centre, px."""
    Y = 2
    WIDTH = 3
    HEIGHT = 4
    SIZE = 5
    """√(w·h), px."""
    VX = 6
    """Motion of its pixels since the frame before, body lengths per second."""
    VY = 7
    SHARE = 8
    """Of its pixels that move."""
    SPREAD = 9
    """Mean deviation of their motion from the common one, body lengths per second."""
    CHANGE = 10
    """Mean grey level that motion does not explain."""
    SCORE = 11
    SEEN = 12
    """1 when the network found it in this frame, 0 when its place was looked at all the same."""


class Samples:
    """The samples of one camera's vehicles over the last seconds."""

    def __init__(self) -> None:
        self._flow = image.OpticalFlow()
        self._before: Image | None = None
        self._before_t = float("-inf")
        self._rows: dict[int, Rows] = {}

    def reset(self) -> None:
        """Forget, as after a cut."""
        self._before = None
        self._rows.clear()

    def update(self, frame: Frame, tracks: Sequence[Track]) -> list[Track]:
        """Take the next frame into account; returns the vehicles that were sampled."""
        t, small = frame.t, image.grey(frame.shrunk(WIDTH_PX))
        before, before_t = self._before, self._before_t
        self._before, self._before_t = small, t
        self._forget(t)
        vehicles = [one for one in tracks if one.label.is_vehicle and _is_there(one, frame)]
        if before is None or before.shape != small.shape or not vehicles or t <= before_t:
            return []
        motion = self._flow.between(before, small)
        change = image.unexplained(before, small, motion)
        scale = small.shape[1] / frame.width
        for track in vehicles:
            box = track.history.box_at(before_t) * scale
            moved = inside(motion, change, box, t - before_t)
            known = self._rows.setdefault(track.track_id, Rows(len(Column)))
            known.append((t, *_shape(track), *moved, track.last_score, float(track.seen)))
        return vehicles

    def of(self, track_id: int) -> Floats:
        """(N, columns) samples of a vehicle, oldest first."""
        return self._rows[track_id].array

    def _forget(self, t: float) -> None:
        for track_id, rows in list(self._rows.items()):
            rows.drop_before(t - KEPT_S)
            if not len(rows):
                del self._rows[track_id]


def _is_there(track: Track, frame: Frame) -> bool:
    if track.seen:
        return True
    # Who was last seen at the edge has left the picture rather than hidden in it.
    left = cut_off(track.box, frame.width, frame.height)
    return track.unseen_s <= UNSEEN_AT_MOST_S and not left


def _shape(track: Track) -> tuple[float, ...]:
    x1, y1, x2, y2 = track.box.tolist()
    width, height = x2 - x1, y2 - y1
    return (x1 + x2) / 2, y2, width, height, math.sqrt(max(1.0, width * height))


def inside(motion: Plane, change: Plane, box: Floats, dt_s: float) -> tuple[float, ...]:
    """How the pixels in `box` (4,) moved: `VX`, `VY`, `SHARE`, `SPREAD` and `CHANGE` of a sample.

    Args:
        motion: (H, W, 2) px from one frame to the next.
        change: (H, W) grey levels that the motion does not explain.
        box: where the vehicle was in the first of the two, px of the planes.
        dt_s: time between the two.
    """
    x1, y1, x2, y2 = box.tolist()
    margin_x, margin_y = INNER * (x2 - x1), INNER * (y2 - y1)
    size = math.sqrt(max(1.0, (x2 - x1) * (y2 - y1)))
    step = max(1, int(size / ENOUGH_PX))
    rows = slice(max(0, int(y1 + margin_y)), max(0, int(y2 - margin_y + 1)), step)
    columns = slice(max(0, int(x1 + margin_x)), max(0, int(x2 - margin_x + 1)), step)
    vectors = motion[rows, columns].reshape(-1, 2)
    if len(vectors) < 4:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    lengths = np.hypot(vectors[:, 0], vectors[:, 1])
    moving = vectors[lengths >= MOVING_SHARE * quantiles.quantile(lengths, FAST_SHARE)]
    common = quantiles.medians(moving)
    spread = float(np.abs(moving - common).sum()) / len(moving)
    per_s = 1.0 / (size * dt_s)
    return (
        float(common[0]) * per_s,
        float(common[1]) * per_s,
        np.count_nonzero(lengths > 0.03 * size) / len(lengths),
        spread * per_s,
        float(change[rows, columns].mean()),
    )
