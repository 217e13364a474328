"""What is known about a jolt, as numbers: the input of `net`.

Velocities and lengths are in body lengths (√(w·h) of the vehicle's box); what cannot be told is
`UNKNOWN`. The cues are those of the literature: velocity lost and turned (Ijjina et al. 2019,
arXiv 1911.10037), contact and closing speed of two tracks (Ghahremannezhad et al. 2022, arXiv
2208.06461), disorder of the motion inside (violent flow, Hassner et al. 2012), rest that lasts.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np

from detector.impact.delta_v import Jolt
from detector.impact.samples import Column
from hazardcast.vision.geometry import quantiles
from hazardcast.vision.geometry.boxes import Floats, Label
from hazardcast.vision.geometry.proximity import Box, gap_bl, on_same_ground, side

UNKNOWN = -1.0
NEAR_BL = 2.5
"""Further off no other vehicle is a party to it."""
APART_BL = 1.5
"""Boxes whose lower edges are too far apart to touch on the road are that much further off."""
LATE_S = 9.0
"""Stands for the time between two jolts where the other vehicle had none."""
SLOW_BLPS = 0.15
"""Slower than this has no direction."""


@dataclass(frozen=True)
class Party:
    """A vehicle with its samples and its latest jolt."""

    track_id: int
    rows: Floats
    jolt: Jolt | None
    label: Label

    @property
    def known(self) -> bool:
        """Whether it was sampled often enough to be compared with."""
        return len(self.rows) >= 6

    @property
    def width_px(self) -> float:
        """√(w·h) of its box of late."""
        return _size(self.rows)

    @property
    def change_blps(self) -> float:
        """Of its jolt; 0 without one."""
        return self.jolt.change_blps if self.jolt else 0.0


def features(
    party: Party, others: Sequence[Party], *, frame_size: tuple[int, int]
) -> dict[str, float]:
    """Every number about the jolt of `party` (which has one), by name, in the net's order.

    Args:
        party: the vehicle, as sampled until now.
        others: the other vehicles that were sampled within the last second.
        frame_size: width and height, px.
    """
    jolt = party.jolt
    if jolt is None:
        raise ValueError("a party without a jolt has no features")
    others = [other for other in others if other.known]
    moved = {**_jolt(jolt, party.rows), **_boxes(party.rows, jolt), **_pixels(party.rows, jolt)}
    mate, gaps = nearest(party, jolt, others)
    rest = [other for other in others if other is not mate]
    met = _mate(party, jolt, mate, gaps)
    told = {**moved, **met, **_traffic(rest), **_look(party, jolt, frame_size)}
    told |= _agreed(told)
    return {name: _plain(value) for name, value in told.items()}


def _plain(value: float) -> float:
    return float(value) if math.isfinite(value) else UNKNOWN


def _jolt(jolt: Jolt, rows: Floats) -> dict[str, float]:
    before, after = np.hypot(*jolt.before), np.hypot(*jolt.after)
    slow = min(before, after) <= SLOW_BLPS
    cross = jolt.before[0] * jolt.after[1] - jolt.before[1] * jolt.after[0]
    return {
        "change": jolt.change_blps,
        "before": before,
        "after": after,
        "lost": before - after,
        "cosine": 1.0 if slow else float(jolt.before @ jolt.after) / (before * after),
        "aside": abs(cross) / max(before, 0.1),
        "since": rows[-1, Column.T] - jolt.t,
    }


def _boxes(rows: Floats, jolt: Jolt) -> dict[str, float]:
    """The same as its boxes tell it, and how their shape changed."""
    now = float(rows[-1, Column.T])
    before = box_velocity(rows, jolt.t - 0.6, jolt.t)
    after = box_velocity(rows, jolt.t, min(now, jolt.t + 0.5))
    seen = rows[rows[:, Column.SEEN] > 0]
    times = seen[:, Column.T]
    early = seen[(times >= jolt.t - 0.8) & (times < jolt.t - 0.05)]
    late = seen[times > jolt.t + 0.15]
    foot = _foot(box_at(rows, now)) - _foot(box_at(rows, jolt.t))
    expected = before * (now - jolt.t)
    return {
        "apart_before": np.hypot(*(jolt.before - before)),
        "apart_after": np.hypot(*(jolt.after - after)),
        "seen_after": float(np.mean(rows[rows[:, Column.T] > jolt.t, Column.SEEN])),
        "box_before": np.hypot(*before),
        "box_after": np.hypot(*after),
        "box_now": np.hypot(*box_velocity(rows, now - 0.4, now)),
        "box_change": np.hypot(*(after - before)),
        "aspect_change": abs(_log_aspect(late) - _log_aspect(early)),
        "size_change": _log_size(late) - _log_size(early),
        "off_course": np.hypot(*(foot / _size(rows) - expected)),
    }


def _pixels(rows: Floats, jolt: Jolt) -> dict[str, float]:
    """How its pixels moved at the jolt, before and after it."""
    times, now = rows[:, Column.T], float(rows[-1, Column.T])
    cues = [Column.SPREAD, Column.CHANGE]
    burst = mean_of(rows, jolt.t - 0.15, jolt.t + 0.35, cues)
    calm = mean_of(rows, jolt.t - 0.9, jolt.t - 0.2, cues)
    latest = mean_of(rows, now - 0.3, now, [Column.SPREAD, Column.SHARE, Column.VX, Column.VY])
    speeds = np.hypot(rows[:, Column.VX], rows[:, Column.VY])
    early = speeds[(times >= jolt.t - 1.2) & (times < jolt.t - 0.05)]
    late = speeds[times > jolt.t + 0.3]
    return {
        "spread": burst[0],
        "unexplained": burst[1],
        "spread_ratio": burst[0] / max(0.05, calm[0]),
        "unexplained_ratio": burst[1] / max(1.0, calm[1]),
        "spread_now": latest[0],
        "share_now": latest[1],
        "speed_now": np.hypot(latest[2], latest[3]),
        "usual_speed": quantiles.median(early) if len(early) >= 3 else np.nan,
        "unsteady": early.std() if len(early) >= 3 else np.nan,
        "later_speed": quantiles.median(late) if len(late) >= 2 else np.nan,
        "later_top_speed": late.max() if len(late) >= 2 else np.nan,
    }


def nearest(party: Party, jolt: Jolt, others: Sequence[Party]) -> tuple[Party | None, list[float]]:
    """The vehicle that was nearest at the jolt, and the gaps to all that were there."""
    others = [other for other in others if other.known]
    mine = box_at(party.rows, jolt.t)
    there = [one for one in others if one.rows[0, Column.T] <= jolt.t]
    gaps = [ground_gap_bl(mine, box_at(one.rows, jolt.t)) for one in there]
    if not gaps or min(gaps) >= NEAR_BL:
        return None, gaps
    return there[int(np.argmin(gaps))], gaps


def _mate(party: Party, jolt: Jolt, mate: Party | None, gaps: Sequence[float]) -> dict[str, float]:
    """What the nearest vehicle did."""
    told = {"near": float(sum(gap < 0.5 for gap in gaps))}
    if mate is None:
        return {**told, **dict.fromkeys(MATE, UNKNOWN)}
    mine, theirs = box_at(party.rows, jolt.t), box_at(mate.rows, jolt.t)
    speeds = [Column.VX, Column.VY]
    before = mean_of(mate.rows, jolt.t - 0.45, jolt.t - 0.05, speeds)
    after = mean_of(mate.rows, jolt.t + 0.05, jolt.t + 0.45, speeds)
    now = party.rows[-1, Column.T]
    values = (
        min(gaps),
        math.log(side(theirs) / side(mine)),
        mate.change_blps,
        mate.jolt.t - jolt.t if mate.jolt else LATE_S,
        np.hypot(*(jolt.before - before)),
        np.hypot(*(jolt.after - after)),
        np.hypot(*(after - before)),
        gap_bl(box_at(party.rows, jolt.t - 0.7), box_at(mate.rows, jolt.t - 0.7)),
        gap_bl(box_at(party.rows, now), box_at(mate.rows, now)),
        np.hypot(*before),
    )
    return {**told, **dict(zip(MATE, values, strict=True))}


MATE = (
    "gap", "mate_size", "mate_change", "mate_late", "closing", "parting", "mate_shift",
    "gap_before", "gap_now", "mate_speed",
)  # fmt: skip


def _traffic(others: Sequence[Party]) -> dict[str, float]:
    """What those do who are not a party to it: a jolt of everybody is the camera's."""
    changes = sorted(other.change_blps for other in others) or [0.0]
    return {"others_change": median(changes), "others_top": fmean(changes[-2:])}


def _look(party: Party, jolt: Jolt, frame_size: tuple[int, int]) -> dict[str, float]:
    rows, (frame_width, _) = party.rows, frame_size
    now = float(rows[-1, Column.T])
    return {
        "width": party.width_px / frame_width,
        "score": float(rows[-8:, Column.SCORE].mean()),
        "score_now": float(mean_of(rows, now - 0.3, now, [Column.SCORE])[0]),
        "two_wheels": float(party.label in (Label.BICYCLE, Label.MOTORCYCLE)),
        "large": float(party.label in (Label.BUS, Label.TRUCK)),
        "border": _to_border_bl(box_at(rows, jolt.t), frame_size),
        "border_now": _to_border_bl(box_at(rows, now), frame_size),
    }


def _to_border_bl(box: Box, frame_size: tuple[int, int]) -> float:
    """From the box to the nearest side of the picture; a vehicle cut off by it changes shape."""
    width, height = frame_size
    return max(0.0, min(box[0], box[1], width - box[2], height - box[3])) / side(box)


def _agreed(told: Mapping[str, float]) -> dict[str, float]:
    """Where pixels and boxes, or both vehicles, say the same."""

    def least(*names: str) -> float:
        return float(np.fmin.reduce([told[name] for name in names]))

    late = min(told["mate_late"], 4.0) if told["gap"] != UNKNOWN else np.nan
    now = np.nan_to_num(told["box_now"])
    return {
        "both_before": least("before", "box_before"),
        "disagreement": abs(told["before"] - told["box_before"]),
        "both_change": least("change", "box_change"),
        "both_lost": float(np.fmin(told["lost"], told["box_before"] - told["box_after"])),
        "stopped": least("usual_speed", "box_before") - float(np.fmax(told["later_speed"], now)),
        "contact": max(told["gap"], 0.0) + 0.5 * abs(late),
        "pair_change": min(told["change"], max(told["mate_change"], 0.0)),
    }


def mean_of(rows: Floats, start_t: float, end_t: float, columns: Sequence[int]) -> Floats:
    """Mean of some columns from `start_t` to `end_t`; not a number without a sample there."""
    first, end = _span(rows, start_t, end_t)
    if first == end:
        return np.full(len(columns), np.nan)
    mean: Floats = rows[first:end].take(columns, axis=1).sum(axis=0) / (end - first)
    return mean


def _span(rows: Floats, start_t: float, end_t: float) -> tuple[int, int]:
    """The first row at or after `start_t`, and the first after `end_t`."""
    times: list[float] = rows[:, Column.T].tolist()
    return bisect_left(times, start_t), bisect_right(times, end_t)


def box_velocity(rows: Floats, start_t: float, end_t: float) -> Floats:
    """(2,) velocity of the bottom centre by least squares; not a number from fewer than two."""
    slack = 1e-6
    first, end = _span(rows, start_t - slack, end_t + slack)
    chosen = rows[first:end]
    chosen = chosen[chosen[:, Column.SEEN] > 0]
    if len(chosen) < 2:
        return np.full(2, np.nan)
    t = chosen[:, Column.T] - chosen[:, Column.T].mean()
    places = chosen[:, [Column.X, Column.Y]]
    velocity: Floats = t @ places / (t @ t) / _size(chosen)
    return velocity


def box_at(rows: Floats, t: float) -> Box:
    """x1, y1, x2, y2 at `t`, the first known before that."""
    row = rows[max(0, bisect_left(rows[:, Column.T].tolist(), t + 1e-6) - 1)].tolist()
    x, y, half = row[Column.X], row[Column.Y], row[Column.WIDTH] / 2
    return [x - half, y - row[Column.HEIGHT], x + half, y]


def ground_gap_bl(first: Box, second: Box) -> float:
    """`gap_bl`, larger where one box stands behind the other rather than beside it."""
    return gap_bl(first, second) + (0.0 if on_same_ground(first, second) else APART_BL)


def _foot(box: Box) -> Floats:
    return np.array([(box[0] + box[2]) / 2, box[3]])


def _size(rows: Floats) -> float:
    # Plain floats: for so few they are several times faster than an array's median.
    sizes: list[float] = rows[-16:, Column.SIZE].tolist()
    return median(sizes)


def _log_aspect(rows: Floats) -> float:
    if len(rows) < 2:
        return math.nan
    return math.log(quantiles.median(rows[:, Column.WIDTH] / np.maximum(rows[:, Column.HEIGHT], 1)))


def _log_size(rows: Floats) -> float:
    return math.log(quantiles.median(rows[:, Column.SIZE])) if len(rows) >= 2 else math.nan
