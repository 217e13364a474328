"""Does the clip play, and hold every frame it should? Read from its pictures, not its labels."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hazardcast import burnt_clock
from hazardcast.errors import HazardcastError
from hazardcast.processes import run_captured

DECODE_TIMEOUT_S = 120.0
STRIP_WIDTH, STRIP_HEIGHT = 960, 16
MISSING_FROM = 1.6
"""A step of so many frame intervals between two frames means that one is missing."""
_STRIP = f"crop=iw:max(1\\,iw/60):0:0,scale={STRIP_WIDTH}:{STRIP_HEIGHT},format=gray"
_EVERY_FRAME_ONCE = "setpts=N/FRAME_RATE/TB"


class UnplayableClipError(HazardcastError):
    """The clip cannot be decoded."""


@dataclass(frozen=True)
class ClipProof:
    """What the pictures of a clip tell."""

    frames: int
    readings_ms: tuple[int | None, ...]
    """The burnt-in clock of every frame, None where it cannot be read."""

    @property
    def unreadable(self) -> int:
        """Frames without a readable clock."""
        return sum(reading is None for reading in self.readings_ms)

    @property
    def first_at(self) -> float | None:
        """When the first frame was taken (epoch seconds)."""
        return None if not self._read else self._read[0] / 1000.0

    @property
    def last_at(self) -> float | None:
        """When the last frame was taken (epoch seconds)."""
        return None if not self._read else self._read[-1] / 1000.0

    @property
    def missing(self) -> int:
        """Frames that should lie between two that are there."""
        return missing_frames(self._read)

    @property
    def _read(self) -> list[int]:
        return [reading for reading in self.readings_ms if reading is not None]


def missing_frames(readings_ms: Sequence[int]) -> int:
    """How many frames the steps between consecutive clock readings leave out.

    The ordinary step is the median one. A step backwards, or none, counts as one missing frame,
    as the clip then shows something other than what happened.
    """
    steps = [after - before for before, after in itertools.pairwise(readings_ms)]
    if not steps:
        return 0
    usual_ms = max(1.0, statistics.median(steps))
    missing = 0
    for step in steps:
        if step <= 0:
            missing += 1
        elif step >= MISSING_FROM * usual_ms:
            missing += round(step / usual_ms) - 1
    return missing


def prove(clip: Path, *, ffmpeg: str) -> ClipProof:
    """Decode the whole clip and read the clock of every frame.

    Raises:
        UnplayableClipError: the clip is not there or does not decode cleanly.
    """
    filters = f"{_STRIP},{_EVERY_FRAME_ONCE}"
    command = [ffmpeg, "-v", "error", "-nostdin", "-i", str(clip), "-map", "0:v:0", "-an"]
    code, raw, problem = run_captured(
        [*command, "-vf", filters, "-f", "rawvideo", "-"], timeout_s=DECODE_TIMEOUT_S
    )
    if code or problem.strip():
        raise UnplayableClipError(f"{clip} does not play: {problem.strip()[-300:] or code}")
    strips = np.frombuffer(raw, dtype=np.uint8).reshape(-1, STRIP_HEIGHT, STRIP_WIDTH)
    return ClipProof(len(strips), tuple(burnt_clock.read(strip) for strip in strips))
