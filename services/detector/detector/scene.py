"""Whether the picture can be trusted: cuts, exposure jumps, a covered lens, a frozen picture.

What the rules make of tracks across such a moment is nonsense; incidents rest until it is over.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from detector.boxes import Floats
from detector.image import Image

THUMB_PX = 64
"""Width of the thumbnail that is looked at."""
CUT_DIFFERENCE = 22.0
"""Mean grey-level difference from which it may be another view …"""
CUT_LIKENESS = 0.6
"""… provided that the structure (correlation) has changed too."""
EXPOSURE_DIFFERENCE = 16.0
COMPARED_S = 0.7
COVERED_CONTRAST = 5.0
COVERED_AFTER_S = 1.0
FROZEN_AFTER_S = 10.0
"""Still pictures are common at night; but no camera is still bit for bit so long."""
SUPPRESSED_S = 5.0


class SceneState(StrEnum):
    """How the picture is."""

    CLEAR = "clear"
    CUT = "cut"
    EXPOSURE = "exposure"
    COVERED = "covered"
    FROZEN = "frozen"


@dataclass
class SceneWatch:
    """Judges one camera's thumbnails."""

    state: SceneState = SceneState.CLEAR
    suppressed_until_t: float = float("-inf")
    _thumbs: deque[tuple[float, Floats]] = field(default_factory=deque)
    _last: Image | None = None
    _changed_t: float | None = None
    _contrast_t: float | None = None

    def update(self, thumb: Image, t: float) -> SceneState:
        """Judge the picture (grey thumbnail) taken at `t`."""
        if self._last is None or self._last.shape != thumb.shape:
            self._thumbs.clear()
        state = self._judge(thumb, t)
        if state is not self.state and state in (SceneState.CUT, SceneState.EXPOSURE):
            self._thumbs.clear()
        if state is not SceneState.CLEAR:
            self.suppressed_until_t = t + SUPPRESSED_S
        self._last, self.state = thumb, state
        self._thumbs.append((t, thumb.astype(np.float32)))
        while self._thumbs[0][0] < t - COMPARED_S:
            self._thumbs.popleft()
        return state

    def suppressed(self, t: float) -> bool:
        """Whether incidents must rest."""
        return t < self.suppressed_until_t

    def _judge(self, thumb: Image, t: float) -> SceneState:
        if self._last is None or not np.array_equal(self._last, thumb):
            self._changed_t = t
        if thumb.std() >= COVERED_CONTRAST or self._contrast_t is None:
            self._contrast_t = t
        if t - self._contrast_t >= COVERED_AFTER_S:
            return SceneState.COVERED
        if self._changed_t is not None and t - self._changed_t >= FROZEN_AFTER_S:
            return SceneState.FROZEN
        return self._jump(thumb.astype(np.float32))

    def _jump(self, thumb: Floats) -> SceneState:
        if not self._thumbs:
            return SceneState.CLEAR
        difference = np.abs(thumb - self._thumbs[-1][1]).mean()
        if difference > CUT_DIFFERENCE and _likeness(thumb, self._thumbs[-1][1]) < CUT_LIKENESS:
            return SceneState.CUT
        shift = abs(float(thumb.mean() - self._thumbs[0][1].mean()))
        return SceneState.EXPOSURE if shift > EXPOSURE_DIFFERENCE else SceneState.CLEAR


def _likeness(first: Floats, second: Floats) -> float:
    """Correlation of two pictures, 1 when they differ in brightness and contrast only."""
    a, b = first - first.mean(), second - second.mean()
    return float((a * b).sum() / max(1e-6, float(np.sqrt((a * a).sum() * (b * b).sum()))))
