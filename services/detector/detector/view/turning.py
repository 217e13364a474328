"""Whether a camera still looks where it looked: what is learnt of a road holds for that view alone.

A hard change is a cut. Who turns a camera by hand or by its motor does it over seconds, and each
picture is like the one before; so the picture is compared with one of up to a minute ago.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hazardcast.vision.geometry.boxes import Floats
from hazardcast.vision.pixels.image import Image
from hazardcast.vision.pixels.registration import shift_px

EVERY_S = 0.5
KEPT_S = 60.0
"""For how long one picture is compared with: longer, and the light has changed."""
TURNED_PX = 3.2
"""Movement of the thumbnail, 64 px wide, from which it is another view: a twentieth of the picture
parts what stands in a lane from what stands beside it."""
SETTLED_PX = 0.7
"""Two looks that agree so well tell of a camera that stands, and not of traffic or wind."""
SAME_LIKENESS = 0.7
"""Correlation of two pictures of one view with other traffic, at least."""
BETTER_BY = 0.2
"""By so much more must the pictures be alike once the movement is undone: else traffic moved."""
VEILED_SHARE = 0.5
"""With less of its usual detail a picture tells of fog, rain or dirt, and not of where it looks."""
USUAL_S = 7200.0
"""Time constant with which less detail becomes usual: dusk is no fog."""


def likeness(first: Floats, second: Floats) -> float:
    """Correlation of two pictures, 1 when they differ in brightness and contrast only."""
    a, b = first - first.mean(), second - second.mean()
    return float((a * b).sum() / max(1e-6, float(np.sqrt((a * a).sum() * (b * b).sum()))))


def detail(picture: Floats) -> float:
    """Mean step of grey from a pixel to its neighbours: fog takes it, and banks of fog add none."""
    across, down = np.diff(picture, axis=1), np.diff(picture, axis=0)
    return float(np.abs(across).mean() + np.abs(down).mean())


def same_view(before: Image | None, after: Image) -> bool:
    """Whether two grey thumbnails (H, W), with whatever between, show one view."""
    if before is None or before.shape != after.shape:
        return False
    return _same_view(before.astype(np.float32), after.astype(np.float32))


def _same_view(before: Floats, after: Floats) -> bool:
    if likeness(before, after) < SAME_LIKENESS:
        return False
    move = _movement(before, after)
    return move is None or not _far(move)


def _movement(before: Floats, after: Floats) -> Floats | None:
    """(2,) px by which the whole picture moved; None where it did not, or cannot be told."""
    move = shift_px(before, after)
    if move is None or not _far(move):
        return move
    x, y = (round(float(step)) for step in move)
    height, width = before.shape
    if abs(x) >= width or abs(y) >= height:
        return None
    undone = after[max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)]
    left = before[max(0, -y) : height + min(0, -y), max(0, -x) : width + min(0, -x)]
    return move if likeness(left, undone) >= likeness(before, after) + BETTER_BY else None


def _far(move: Floats) -> bool:
    return float(np.hypot(*move)) >= TURNED_PX


def _stands(step: Floats) -> bool:
    return float(np.hypot(*step)) <= SETTLED_PX


@dataclass
class TurnWatch:
    """Notices that a camera was turned, once it stands again."""

    _anchor: tuple[float, Floats] | None = None
    _looked_t: float = float("-inf")
    _move: Floats | None = None
    """From the anchor to the last look."""
    _passing: Floats | None = None
    """The last look of a camera that is being turned; None of one that stands."""
    _usual_detail: float = 0.0

    def update(self, thumb: Image, t: float) -> bool:
        """Whether it was turned, told once, by the grey thumbnail (H, W) taken at `t`."""
        if t - self._looked_t < EVERY_S:
            return False
        passed_s, self._looked_t = t - self._looked_t, t
        picture = thumb.astype(np.float32)
        if self._anchor is None or self._anchor[1].shape != picture.shape:
            self._take(picture, t)
            return False
        if self._is_veiled(picture, passed_s):
            self._move = None
            return False
        turned = self._has_turned(picture, self._anchor[1])
        if turned:
            self._usual_detail = detail(picture)
        if turned or (not self._far_off and t - self._anchor[0] >= KEPT_S):
            self._take(picture, t)
        return turned

    def reset(self) -> None:
        """Compare with nothing of before, as after a cut."""
        self._anchor = self._move = self._passing = None
        self._usual_detail = 0.0

    def _is_veiled(self, picture: Floats, passed_s: float) -> bool:
        """Whether so little is to be seen that nothing can be said, until that is usual."""
        found = detail(picture)
        falls = min(1.0, passed_s / USUAL_S) * (self._usual_detail - found)
        self._usual_detail = max(found, self._usual_detail - falls)
        return found < VEILED_SHARE * self._usual_detail

    @property
    def _far_off(self) -> bool:
        return self._passing is not None or (self._move is not None and _far(self._move))

    def _has_turned(self, picture: Floats, anchor: Floats) -> bool:
        if self._passing is not None:
            return self._has_stopped(picture, anchor)
        before, self._move = self._move, _movement(anchor, picture)
        if before is None or self._move is None or not _far(self._move):
            return False
        if _stands(self._move - before):
            return True
        if _far(before):
            self._passing = picture
        return False

    def _has_stopped(self, picture: Floats, anchor: Floats) -> bool:
        """At the end of a turn little of the first view may be left to compare with."""
        assert self._passing is not None
        step, self._passing = _movement(self._passing, picture), picture
        if step is None or not _stands(step):
            return False
        self._move = self._passing = None
        return not _same_view(anchor, picture)

    def _take(self, picture: Floats, t: float) -> None:
        self._anchor, self._move, self._passing = (t, picture), None, None
