"""Recall against false alarms an hour, over all thresholds: the free-response ROC.

An alarm counts by the greatest confidence that its incident was told with, as it is told once that
is reached (Bunch et al. 1978, "A free-response approach to the measurement and characterization of
radiographic-observer performance"). Pure.

- **Recall**: incidents found, of all that are there; Wilson's interval (Wilson 1927), 95 %.
- **Rate**: incidents told where there is none, an hour of video in which none had begun; the exact
  Poisson interval (Garwood 1936), 95 %.
- Only scored clips of fixed cameras count; of the others alarms are told apart, as the right answer
  to a moving camera is silence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scipy.stats import chi2

from detector.evaluation.labels import Clip
from detector.evaluation.scoring import ONSET_EARLY_S, ClipResult, is_false, is_hit

AN_HOUR, A_DAY = 1.0, 1 / 24
"""The rates to steer by, false alarms an hour."""
WILSON_Z = 1.959964
LEAST_SOURCES = 2


class Told(NamedTuple):
    """What one clip contributes."""

    clip: Clip
    hit: float | None
    """The greatest confidence of the labelled incident; None: it was not told."""
    event: bool
    """Whether there is an incident to be found."""
    false: tuple[float, ...]
    """The greatest confidence of each false incident."""
    hours: float
    """Of video in which nothing had happened yet."""


class Interval(NamedTuple):
    """A 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Point:
    """What is found, and what is told for nothing, when alarms below `threshold` are held back."""

    threshold: float
    found: int
    events: int
    false_alarms: int
    hours: float

    @property
    def recall(self) -> float:
        """Share of the events that are found; 0 where there is none."""
        return self.found / self.events if self.events else 0.0

    @property
    def rate(self) -> float:
        """False alarms an hour; infinite over no video."""
        return self.false_alarms / self.hours if self.hours else math.inf

    @property
    def recall_interval(self) -> Interval:
        """By Wilson."""
        return wilson(self.found, self.events)

    @property
    def rate_interval(self) -> Interval:
        """By Garwood."""
        return garwood(self.false_alarms, self.hours)


def wilson(found: int, events: int) -> Interval:
    """The interval of a share."""
    if not events:
        return Interval(0.0, 1.0)
    share, square = found / events, WILSON_Z**2
    centre = share + square / (2 * events)
    spread = WILSON_Z * math.sqrt(share * (1 - share) / events + square / (4 * events**2))
    scale = 1 + square / events
    return Interval(max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale))


def garwood(count: int, hours: float) -> Interval:
    """The interval of a rate, events an hour."""
    if not hours:
        return Interval(0.0, math.inf)
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return Interval(float(low) / hours, float(chi2.ppf(0.975, 2 * count + 2)) / 2 / hours)


def told_of(clip: Clip, result: ClipResult) -> Told:
    """What of a clip's result counts."""
    surest: dict[float, float] = {}
    for one in result.found:
        surest[one.incident] = max(surest.get(one.incident, 0.0), one.confidence)
    hits = {one.incident for one in result.found if is_hit(clip, one)}
    false = {
        one.incident for one in result.found if is_false(clip, one) and one.incident not in hits
    }
    event = clip.type is not None
    calm_s = result.duration_s
    if clip.t_event_s is not None:
        calm_s = max(0.0, min(calm_s, clip.t_event_s - ONSET_EARLY_S))
    return Told(
        clip,
        hit=max((surest[one] for one in hits), default=None),
        event=event,
        false=tuple(surest[one] for one in sorted(false)),
        hours=calm_s / 3600,
    )


def counted(told: Iterable[Told]) -> list[Told]:
    """Those that are scored and come from a fixed camera."""
    return [one for one in told if one.clip.labelled and one.clip.scored and one.clip.fixed]


def at(told: Sequence[Told], threshold: float) -> Point:
    """The point of one threshold."""
    return Point(
        threshold,
        found=sum(one.hit is not None and one.hit >= threshold for one in told),
        events=sum(one.event for one in told),
        false_alarms=sum(value >= threshold for one in told for value in one.false),
        hours=sum(one.hours for one in told),
    )


def curve(told: Sequence[Told]) -> list[Point]:
    """A point for each threshold that changes anything, the highest first."""
    values = {value for one in told for value in (*one.false, one.hit) if value is not None}
    return [at(told, value) for value in sorted(values, reverse=True)]


def frontier(points: Iterable[Point]) -> list[Point]:
    """Of a curve the points that find more than any with as few false alarms."""
    best: list[Point] = []
    for point in sorted(points, key=lambda one: (one.false_alarms, -one.found, -one.threshold)):
        if not best or point.found > best[-1].found:
            best.append(point)
    return best


def within(told: Sequence[Told], rate: float) -> Point:
    """The most that is found with at most `rate` false alarms an hour; perhaps nothing."""
    fitting = [point for point in curve(told) if point.rate <= rate]
    silence = at(told, math.inf)
    return max([silence, *fitting], key=lambda point: (point.recall, point.threshold))


def cross_validated(told: Sequence[Told], rate: float) -> Point | None:
    """The same with each source judged at the threshold that the other sources ask for.

    None with fewer than two sources.
    """
    sources = sorted({one.clip.source for one in told})
    if len(sources) < LEAST_SOURCES:
        return None
    found = false = 0
    for source in sources:
        own = [one for one in told if one.clip.source == source]
        others = [one for one in told if one.clip.source != source]
        point = at(own, within(others, rate).threshold)
        found, false = found + point.found, false + point.false_alarms
    events, hours = sum(one.event for one in told), sum(one.hours for one in told)
    return Point(math.nan, found, events, false, hours)


def parts(told: Sequence[Told], of: Callable[[Told], Iterable[str]]) -> dict[str, list[Told]]:
    """Clips by what `of` says of them; one that it says nothing of is in none."""
    found: dict[str, list[Told]] = {}
    for one in told:
        for key in of(one):
            found.setdefault(key, []).append(one)
    return dict(sorted(found.items()))


def of_type(told: Sequence[Told], kind: str) -> list[Told]:
    """The events of one type, and every clip's false alarms of any."""
    return [
        one if not one.event or (one.clip.type and one.clip.type.value == kind)
        else one._replace(event=False, hit=None)
        for one in told
    ]  # fmt: skip
