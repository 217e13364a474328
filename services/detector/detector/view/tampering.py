"""Whether the picture can be trusted: cuts, turns, exposure jumps, shake, covered, black, frozen.

What the rules make of tracks across such a moment is nonsense; incidents rest until it is over.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from detector.view.turning import TurnWatch, likeness
from hazardcast.vision.geometry.boxes import Floats
from hazardcast.vision.pixels.image import Image
from hazardcast.vision.pixels.registration import shift_px

THUMB_PX = 64
"""Width of the thumbnail that is looked at."""
CUT_DIFFERENCE = 22.0
"""Mean grey-level difference from which it may be another view …"""
CUT_LIKENESS = 0.6
"""… provided that the structure (correlation) has changed too."""
FLAT_DIFFERENCE, FLAT_LIKENESS = 14.0, 0.1
"""In a view of little contrast less difference is enough, if next to nothing has stayed."""
EXPOSURE_DIFFERENCE = 14.0
"""Median change of grey level: of the whole picture, not of a lorry that fills a third of it …"""
EXPOSURE_SHARE = 0.75
"""… in the same direction over this share of the picture."""
COMPARED_S = 0.7
COVERED_CONTRAST = 5.0
COVERED_SHARE = 0.2
"""Contrast below this share of the usual: something is before the lens, though not evenly dark."""
BLACK_LEVEL = 16.0
COVERED_AFTER_S = 1.0
USUAL_S = 30.0
"""Time constant of the usual contrast."""
FROZEN_AFTER_S = 10.0
"""Still pictures are common at night; but no camera is still bit for bit so long."""
SHAKE_SHARE = 0.006
"""Movement of the whole picture, share of its width, from one frame to the next …"""
SHAKE_FRAMES = 4
"""… so often within `SHAKE_S`, of which two in opposite directions: wind, a lorry on the bridge."""
SHAKE_S = 2.0
SHOWN_S = 10.0
"""For how long a moment such as a cut is shown: statuses are said every few seconds."""


class SceneState(StrEnum):
    """How the picture is."""

    CLEAR = "clear"
    CUT = "cut"
    TURNED = "turned"
    EXPOSURE = "exposure"
    SHAKE = "shake"
    COVERED = "covered"
    BLACK = "black"
    FROZEN = "frozen"


RESTS_S = {
    SceneState.CUT: 5.0, SceneState.TURNED: 0.0, SceneState.EXPOSURE: 2.0, SceneState.SHAKE: 2.0,
    SceneState.COVERED: 5.0, SceneState.BLACK: 5.0, SceneState.FROZEN: 5.0,
}  # fmt: skip
"""For how long incidents rest after it was last seen. Not for a turn: a crash that tears at the
camera's pole is a crash."""


@dataclass
class SceneWatch:
    """Judges one camera's thumbnails."""

    state: SceneState = SceneState.CLEAR
    suppressed_until_t: float = float("-inf")
    _thumbs: deque[tuple[float, Floats]] = field(default_factory=deque)
    _last: Image | None = None
    _changed_t: float | None = None
    _contrast_t: float | None = None
    _usual_contrast: float | None = None
    _moves: deque[tuple[float, Floats]] = field(default_factory=deque)
    _turn: TurnWatch = field(default_factory=TurnWatch)
    _shown: tuple[float, SceneState] = (float("-inf"), SceneState.CLEAR)

    def update(self, thumb: Image, t: float) -> SceneState:
        """Judge the picture (grey thumbnail) taken at `t`."""
        if self._last is None or self._last.shape != thumb.shape:
            self._thumbs.clear()
        state = self._judge(thumb, t)
        if state is not self.state and state in (SceneState.CUT, SceneState.EXPOSURE):
            self._thumbs.clear()
        if state is not SceneState.CLEAR:
            self.suppressed_until_t = max(self.suppressed_until_t, t + RESTS_S[state])
            self._shown = (t, state)
        self._last, self.state = thumb, state
        self._thumbs.append((t, thumb.astype(np.float32)))
        while self._thumbs[0][0] < t - COMPARED_S:
            self._thumbs.popleft()
        return state

    @property
    def last(self) -> Image | None:
        """The newest thumbnail."""
        return self._last

    def suppressed(self, t: float) -> bool:
        """Whether incidents must rest."""
        return t < self.suppressed_until_t

    def shown(self, t: float) -> SceneState:
        """What to tell people at `t`: the present state, or a moment ago's."""
        since, state = self._shown
        return state if t - since <= SHOWN_S else SceneState.CLEAR

    def _judge(self, thumb: Image, t: float) -> SceneState:
        if self._last is None or not np.array_equal(self._last, thumb):
            self._changed_t = t
        if not self._obscured(thumb, t) or self._contrast_t is None:
            self._contrast_t = t
        if t - self._contrast_t >= COVERED_AFTER_S:
            return SceneState.BLACK if thumb.mean() < BLACK_LEVEL else SceneState.COVERED
        if self._changed_t is not None and t - self._changed_t >= FROZEN_AFTER_S:
            return SceneState.FROZEN
        jump = self._jump(thumb.astype(np.float32))
        if jump is not SceneState.CLEAR:
            self._moves.clear()
            self._turn.reset()
            return jump
        if self._turn.update(thumb, t):
            return SceneState.TURNED
        return SceneState.SHAKE if self._shakes(thumb, t) else SceneState.CLEAR

    def _obscured(self, thumb: Image, t: float) -> bool:
        contrast = float(thumb.std())
        usual = self._usual_contrast
        if contrast < COVERED_CONTRAST:
            return True
        if usual is not None and contrast < COVERED_SHARE * usual:
            return True
        dt_s = t - self._thumbs[-1][0] if self._thumbs else 0.0
        weight = min(1.0, max(0.0, dt_s) / USUAL_S)
        self._usual_contrast = contrast if usual is None else usual + weight * (contrast - usual)
        return False

    def _jump(self, thumb: Floats) -> SceneState:
        if not self._thumbs:
            return SceneState.CLEAR
        difference = np.abs(thumb - self._thumbs[-1][1]).mean()
        if difference > FLAT_DIFFERENCE:
            alike = likeness(thumb, self._thumbs[-1][1])
            if alike < (CUT_LIKENESS if difference > CUT_DIFFERENCE else FLAT_LIKENESS):
                return SceneState.CUT
        change = thumb - self._thumbs[0][1]
        if abs(float(change.mean())) < EXPOSURE_DIFFERENCE / 3:
            return SceneState.CLEAR
        level = float(np.median(change))
        if abs(level) <= EXPOSURE_DIFFERENCE:
            return SceneState.CLEAR
        along = float(np.mean(np.sign(level) * change > EXPOSURE_DIFFERENCE / 2))
        return SceneState.EXPOSURE if along >= EXPOSURE_SHARE else SceneState.CLEAR

    def _shakes(self, thumb: Image, t: float) -> bool:
        while self._moves and self._moves[0][0] < t - SHAKE_S:
            self._moves.popleft()
        if not self._thumbs:
            return False
        move = shift_px(self._thumbs[-1][1], thumb.astype(np.float32))
        if move is not None and float(np.hypot(*move)) >= SHAKE_SHARE * thumb.shape[1]:
            self._moves.append((t, move))
        if len(self._moves) < SHAKE_FRAMES:
            return False
        steps = np.array([step for _, step in self._moves])
        turns = np.sum(steps[1:] * steps[:-1], axis=1) < 0
        return int(turns.sum()) >= 2
