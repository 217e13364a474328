"""When the next frame is due: against the clock, so that nothing drifts and nothing lags."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor


@dataclass(frozen=True)
class Turn:
    """The next frame's number, when it is due, and how many were skipped to keep up."""

    number: int
    due_s: float
    skipped: int


def next_turn(number: int, elapsed_s: float, fps: float) -> Turn:
    """The frame to draw after `number`, when `elapsed_s` have passed since frame 0.

    A frame whose time has passed already is skipped: a late picture would show a wrong moment.
    """
    following = number + 1
    newest = floor(elapsed_s * fps + 1e-6)
    chosen = max(following, newest + 1 if newest > following else following)
    return Turn(chosen, chosen / fps, chosen - following)
