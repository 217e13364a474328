"""Recall against false alarms, as lines on a screen and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from detector.evaluation import froc
from detector.evaluation.froc import A_DAY, AN_HOUR, Point, Told

STEERED_BY = {"an hour": AN_HOUR, "a day": A_DAY}


def lines(everything: Sequence[Told]) -> Iterator[str]:
    """The table of `evaluate --froc`."""
    told = froc.counted(everything)
    sources = {one.clip.source for one in told}
    whole = froc.at(told, 0.0)
    yield (
        f"{whole.events} incidents and {whole.hours:.2f} hours of calm, fixed cameras, "
        f"{len(sources)} sources"
    )
    yield f"{'confidence':<12} {'found':<28} false alarms an hour"
    yield from (
        f"{point.threshold:<12.2f} {_point(point)}" for point in froc.frontier(froc.curve(told))
    )
    for name, rate in STEERED_BY.items():
        yield from _steered(told, name, rate)
    yield from _by("type", _types(told))
    yield from _by("condition", froc.parts(told, lambda one: one.clip.conditions))
    yield from _moving(everything)


def _point(point: Point) -> str:
    return f"{_recall(point):<28} {_rate(point)}"


def _recall(point: Point) -> str:
    low, high = point.recall_interval
    return f"{point.found}/{point.events} {point.recall:.0%} ({low:.0%} … {high:.0%})"


def _rate(point: Point) -> str:
    low, high = point.rate_interval
    return f"{point.rate:.1f} ({low:.1f} … {high:.1f}), {point.false_alarms} in {point.hours:.2f} h"


def _steered(told: Sequence[Told], name: str, rate: float) -> Iterator[str]:
    point = froc.within(told, rate)
    yield f"at most 1 {name}: {_recall(point)} from confidence {point.threshold:.2f}"
    if crossed := froc.cross_validated(told, rate):
        yield f"  each source at the threshold of the others: {_recall(crossed)}; {_rate(crossed)}"


def _by(what: str, parts: dict[str, list[Told]]) -> Iterator[str]:
    for name, of_part in parts.items():
        yield f"{what} {name:<12} {_point(froc.at(of_part, 0.0))}"


def _types(told: Sequence[Told]) -> dict[str, list[Told]]:
    kinds = sorted({one.clip.type.value for one in told if one.clip.type})
    return {kind: froc.of_type(told, kind) for kind in kinds}


def _moving(everything: Iterable[Told]) -> Iterator[str]:
    moving = [one for one in everything if one.clip.labelled and not one.clip.fixed]
    if moving:
        alarmed = sum(bool(one.false) for one in moving)
        yield f"not from fixed cameras: {alarmed} of {len(moving)} clips with a false alarm"


def as_json(everything: Sequence[Told]) -> dict[str, Any]:
    """The same, ready for JSON."""
    told = froc.counted(everything)
    conditions = froc.parts(told, lambda one: one.clip.conditions)
    return {
        "curve": [_told(point) for point in froc.curve(told)],
        "within": {name: _told(froc.within(told, rate)) for name, rate in STEERED_BY.items()},
        "cross_validated": {
            name: _told(point)
            for name, rate in STEERED_BY.items()
            if (point := froc.cross_validated(told, rate))
        },
        "by_type": {name: _told(froc.at(part, 0.0)) for name, part in _types(told).items()},
        "by_condition": {name: _told(froc.at(part, 0.0)) for name, part in conditions.items()},
    }


def _told(point: Point) -> dict[str, Any]:
    finite = point.threshold if 0 <= point.threshold <= 1 else None
    return {
        "confidence": finite,
        "found": point.found,
        "events": point.events,
        "recall": round(point.recall, 4),
        "recall_95": [round(side, 4) for side in point.recall_interval],
        "false_alarms": point.false_alarms,
        "hours": round(point.hours, 4),
        "per_hour": round(point.rate, 3) if point.hours else None,
        "per_hour_95": [round(side, 3) for side in point.rate_interval] if point.hours else None,
    }
