"""A recording as a bar: what is there, what is partly there, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

FULL, PARTLY, MISSING = "█", "▒", "·"


def bar(
    stretches: Sequence[tuple[float, float]], start: float, end: float, *, width: int = 60
) -> str:
    """`width` cells for [start, end]: full, partly or not recorded.

    Args:
        stretches: recorded from … to …, epoch seconds, in order and apart.
        start: of the bar, epoch seconds.
        end: of the bar.
        width: cells.
    """
    cell_s = (end - start) / width
    return "".join(
        _cell(stretches, start + at * cell_s, start + (at + 1) * cell_s) for at in range(width)
    )


def _cell(stretches: Sequence[tuple[float, float]], start: float, end: float) -> str:
    there_s = sum(max(0.0, min(b, end) - max(a, start)) for a, b in stretches)
    if there_s >= (end - start) * (1 - 1e-6):
        return FULL
    return PARTLY if there_s > 0 else MISSING


def axis(start: float, end: float, *, width: int = 60) -> str:
    """The line above the bars: the first and the last moment, UTC."""
    left, right = _moment(start), _moment(end)
    return f"{left}{right:>{max(1, width - len(left))}}"


def stretches_between(
    start: float, end: float, gaps: Sequence[tuple[float, float]]
) -> list[tuple[float, float]]:
    """What is left of [start, end] without `gaps`."""
    edges = [start, *(edge for gap in gaps for edge in gap), end]
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a]


def _moment(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
