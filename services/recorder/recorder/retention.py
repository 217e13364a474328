"""Which segments must go: by age, by bytes, and to keep disk space free. Never the newest."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hazardcast.machine.steady import Moment
from hazardcast.media.segments import Segment

FUTURE_S = 3600.0
"""A segment dated further ahead was named by a clock that has since been set: it goes first."""
GB = 1e9


@dataclass(frozen=True, order=True)
class Stored:
    """A segment on disk and its size."""

    segment: Segment
    size: int


@dataclass(frozen=True)
class Limits:
    """How much of one camera is kept."""

    max_age_s: float
    max_bytes: float


def surplus(stored: Sequence[Stored], limits: Limits, *, now: Moment) -> list[Stored]:
    """What of one camera must go by age or bytes, in the order in which it should.

    Args:
        stored: by start, oldest first.
        limits: of this camera.
        now: the wall clock, and the time that nobody can set.
    """
    kept_bytes = sum(item.size for item in stored)
    if not (stored and is_old(stored[0], limits, now)) and kept_bytes <= limits.max_bytes:
        return []
    victims = []
    for item in _oldest_first(stored, now):
        if is_old(item, limits, now) or kept_bytes > limits.max_bytes:
            victims.append(item)
            kept_bytes -= item.size
        elif not _is_ahead(item, now):
            break  # what is ahead is never old, and holds up no other
    return victims


def is_old(item: Stored, limits: Limits, now: Moment) -> bool:
    """Whether it is surely older than may be kept, whatever the clock was set to meanwhile."""
    return now.age_s(item.segment.end) > limits.max_age_s


def oldest_of_all(
    stored: Mapping[str, Sequence[Stored]], *, now: Moment
) -> Iterator[tuple[str, Stored]]:
    """Every segment that may go, oldest first across cameras; each camera keeps its newest."""
    queues = [
        [(_rank(item, now), camera, item) for item in _oldest_first(items, now)]
        for camera, items in stored.items()
    ]
    for _, camera, item in heapq.merge(*queues):
        yield camera, item


def _oldest_first(stored: Sequence[Stored], now: Moment) -> list[Stored]:
    """All but the newest, what is dated in the future first."""
    return sorted(stored, key=lambda item: _rank(item, now))[:-1]


def _rank(item: Stored, now: Moment) -> tuple[bool, float]:
    return not _is_ahead(item, now), item.segment.start


def _is_ahead(item: Stored, now: Moment) -> bool:
    return item.segment.start > max(now.wall, now.steady) + FUTURE_S
