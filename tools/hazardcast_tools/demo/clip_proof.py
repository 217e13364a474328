"""Does the clip play, and hold every frame it should? Read from its pictures, not its labels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hazardcast.contract.errors import HazardcastError
from hazardcast.media import burnt_clock
from hazardcast.service.processes import run_captured

DECODE_TIMEOUT_S = 120.0
STRIP_WIDTH, STRIP_HEIGHT = 960, 16
LAST_FRAMES = 8
"""One late frame at the very end must not look like a missing one."""
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

    def missing(self, fps: float) -> int:
        """As `missing_frames`."""
        return missing_frames(self._read, fps=fps)

    @property
    def _read(self) -> list[int]:
        return [reading for reading in self.readings_ms if reading is not None]


def missing_frames(readings_ms: Sequence[int], *, fps: float) -> int:
    """How many frames of a steady camera are not there.

    Frame n is due `n / fps` after the first; it may be drawn late, never early. So a reading that
    is late counts for nothing, but when it and all that follow are late by a whole frame, one is
    missing. A reading that is not later than the one before counts too, as the clip then shows
    something other than what happened.
    """
    interval_ms = 1000.0 / fps
    late_ms = [reading - number * interval_ms for number, reading in enumerate(readings_ms)]
    last = min(late_ms[-LAST_FRAMES:], default=0.0)
    least_ms = [min(late, last) for late in late_ms]
    settled_ms = list(itertools.accumulate(reversed(least_ms), min))[::-1]
    shifts = (after - before for before, after in itertools.pairwise(settled_ms))
    missing = sum(round(shift / interval_ms) for shift in shifts)
    repeated = sum(after <= before for before, after in itertools.pairwise(readings_ms))
    return missing + repeated


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
