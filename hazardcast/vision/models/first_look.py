"""A second look at the first boxes of a network: what its shape does not say, they do."""

from __future__ import annotations

import numpy as np

from hazardcast.vision.geometry.boxes import Boxes, Floats
from hazardcast.vision.models import plausible
from hazardcast.vision.models.decoders import Named
from hazardcast.vision.models.layouts import Layout

FRAMES = 30
"""With boxes; no frame after them is looked at."""
DOUBTS = 3
"""Odd boxes there may be; so many, and most of all seen, there may not."""
REACH_PX = 2.0
"""Boxes of a picture's own pixels reach farther: so small and in the corner there is nothing."""


class FirstLook:
    """Judges the first frames of one camera."""

    def __init__(self, layout: Layout, width: int, height: int) -> None:
        self._layout, self._size = layout, (width, height)
        self._frames = FRAMES
        self._seen = self._odd = 0

    @property
    def over(self) -> bool:
        """Whether enough was seen."""
        return self._frames == 0

    def objection(self, outputs: Named, found: Boxes, least: float) -> str | None:
        """Why what was found so far cannot be right, if so.

        Args:
            outputs: of the network, for one frame.
            found: the boxes they were read as, in pixels of its input.
            least: score from which boxes count.
        """
        reason = self._listed(outputs, least) or _odd_scores(found.scores)
        if len(found) == 0 and reason is None:
            return None
        self._frames -= 1
        self._seen += max(1, len(found))
        if reason is None:
            odd, reason = _odd_boxes(found.xyxy, *self._size)
        else:
            odd = max(1, len(found))
        self._odd += odd
        if self._odd >= DOUBTS and 2 * self._odd > self._seen:
            return f"read as {self._layout.name}, {reason}"
        return None

    def _listed(self, outputs: Named, least: float) -> str | None:
        if self._layout.listing is None:
            return None
        xyxy, scores, numbers = self._layout.listing(outputs)
        sure = scores >= least
        if not sure.any():
            return None
        most = numbers[sure].max()
        if most > self._layout.most_number:
            return f"class number {most:.0f} is more than the {self._layout.most_number} there is"
        return plausible.not_listed(xyxy[sure], scores[sure], numbers[sure])


def _odd_scores(scores: Floats) -> str | None:
    if scores.size and not (scores.max() <= 1 + plausible.SPARE):
        return f"its scores reach {scores.max():.3g}: no probabilities"
    return None


def _odd_boxes(xyxy: Floats, width: int, height: int) -> tuple[int, str]:
    """How many boxes can be none, and what is wrong with most of them."""
    ends = xyxy[:, 2:]
    size = np.array([width, height], np.float32)
    odd = {
        "its boxes are no numbers": ~np.isfinite(xyxy).all(axis=1),
        f"its boxes lie within {REACH_PX:.0f} px: fractions of the picture, or logits; say "
        '{"boxes": "fractions"} in the .json file beside it if they are': (
            np.abs(xyxy).max(axis=1, initial=0) <= REACH_PX
        ),
        "its boxes end before they begin: no corners": (ends <= xyxy[:, :2]).any(axis=1),
        f"its boxes lie outside {width}x{height}": (
            (xyxy[:, :2] > size) | (ends < 0) | (ends - xyxy[:, :2] > 4 * size)
        ).any(axis=1),
    }
    worst = max(odd, key=lambda reason: int(odd[reason].sum()))
    return int(odd[worst].sum()), worst
