"""What a camera's pictures tell of it: rate, key frames, B-frames, bits, the pace of its clock.

Pure: pictures in decoding order in, figures out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from recorder.frames import Frame

BURST_S = 2.0
"""What a camera or ffmpeg held back comes first, all at once: it tells nothing of the clock."""
FEWEST_ARRIVALS = 20
TOGETHER_S = 0.002
LEAST_PAIRED = 0.4
"""Of the coded pictures so many share their moment with the one before where they are fields."""
REORDERED = 4
"""So many pictures told last may be shown after some that are still to come."""


@dataclass(frozen=True)
class Arrival:
    """A picture, and when it was told."""

    frame: Frame
    monotonic_s: float
    exact: bool = True
    """False where it may have been told earlier."""


def span_s(arrivals: Sequence[Arrival]) -> float:
    """Stream time from the earliest picture to the latest, s."""
    shown = [one.frame.pts_s for one in arrivals]
    return max(shown) - min(shown) if shown else 0.0


def fps(arrivals: Sequence[Arrival]) -> float | None:
    """Pictures a second, by the stream's own stamps: when they came does not matter.

    Left out are the first picture, whose stamp ffmpeg guesses over RTSP, and at the end all shown
    after one that may still be to come.
    """
    shown = [one.frame.pts_s for one in arrivals]
    if len(shown) > 2 * REORDERED:
        until_s = max(shown[1:-REORDERED])
        shown = [moment_s for moment_s in shown[1:] if moment_s <= until_s]
    length_s = max(shown) - min(shown) if shown else 0.0
    return (_pictures(shown) - 1) / length_s if length_s > 0 else None


def _pictures(shown: Sequence[float]) -> int:
    """How many pictures are shown at these moments: where most come in pairs, each is of fields."""
    steps = [later - earlier for earlier, later in pairwise(sorted(shown))]
    pairs = sum(step < TOGETHER_S for step in steps)
    return len(shown) - pairs if pairs > LEAST_PAIRED * len(shown) else len(shown)


def key_interval_s(arrivals: Sequence[Arrival]) -> float | None:
    """Median distance of key frames; None with fewer than two."""
    keys = [one.frame.pts_s for one in arrivals if one.frame.key]
    return median(after - before for before, after in pairwise(keys)) if len(keys) > 1 else None


def has_b_frames(arrivals: Sequence[Arrival]) -> bool:
    """Whether pictures are decoded in another order than shown."""
    return any(after.frame.pts_s < before.frame.pts_s for before, after in pairwise(arrivals))


def video_bps(arrivals: Sequence[Arrival]) -> float | None:
    """Bits a second over whole groups of pictures, as a key frame weighs more than others."""
    keys = [place for place, one in enumerate(arrivals) if one.frame.key]
    whole = arrivals[keys[0] : keys[-1]] if len(keys) > 1 else arrivals
    last = arrivals[keys[-1]] if len(keys) > 1 else arrivals[-1] if arrivals else None
    length_s = last.frame.pts_s - whole[0].frame.pts_s if last and whole else 0.0
    return 8 * sum(one.frame.size for one in whole) / length_s if length_s > 0 else None


def recorded_bps(
    arrivals: Sequence[Arrival], recorded_bytes: int, *, is_copied: bool
) -> float | None:
    """Bits a second that go to the disk, with sound and what MPEG-TS adds.

    Args:
        arrivals: the camera's pictures since the first that was recorded.
        recorded_bytes: what the files hold that were made of them.
        is_copied: the files hold these very pictures.
    """
    length_s = span_s(arrivals)
    if length_s <= 0:
        return None
    if not is_copied:
        return 8 * recorded_bytes / length_s
    pictures, bps = sum(one.frame.size for one in arrivals), video_bps(arrivals)
    return bps * max(1.0, recorded_bytes / pictures) if bps and pictures else None


def clock_rate(arrivals: Sequence[Arrival]) -> tuple[float, float] | None:
    """The camera's seconds per second of ours, and its standard error, by least squares.

    None where too few pictures came after the first burst.
    """
    if not arrivals:
        return None
    from_s = arrivals[0].monotonic_s + BURST_S
    told = [one for one in arrivals if one.exact and one.monotonic_s >= from_s]
    if len(told) < FEWEST_ARRIVALS:
        return None
    return _slope(
        [one.monotonic_s - from_s for one in told],
        [one.frame.pts_s - told[0].frame.pts_s for one in told],
    )


def _slope(x: Sequence[float], y: Sequence[float]) -> tuple[float, float] | None:
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    spread = sum((one - mean_x) ** 2 for one in x)
    if spread <= 0:
        return None
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread
    rest = sum((b - mean_y - slope * (a - mean_x)) ** 2 for a, b in zip(x, y, strict=True))
    return slope, math.sqrt(rest / (len(x) - 2) / spread)
