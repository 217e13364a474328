"""The evaluation as lines on a screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from detector.evaluation.scoring import ClipResult, Found

WIDEST_NAME = 44


def line_of(result: ClipResult) -> str:
    """One clip's line."""
    if result.error:
        return f"ERROR  {result.name}: {result.error}"
    told = ", ".join(map(_told, result.found))
    return f"{verdict(result):<6} {result.name:<{WIDEST_NAME}} {told or '-'}"


def _told(found: Found) -> str:
    x = round((found.box[0] + found.box[2]) / 2)
    y = round((found.box[1] + found.box[3]) / 2)
    return (
        f"{found.type} at {found.onset_s:.1f} s, place {x},{y} "
        f"(said at {found.alarm_s:.1f} s, {found.confidence:.2f})"
    )


def verdict(result: ClipResult) -> str:
    """Empty without a label."""
    if result.label is None:
        return ""
    if not result.scored:
        return "n/a"
    if result.hit:
        return "hit" if not result.false_alarms else "hit+FA"
    if result.false_alarms:
        return "FALSE"
    return "ok" if result.label == "normal" else "miss"


def summary_lines(total: dict[str, Any]) -> Iterator[str]:
    """The table's foot."""
    for label, numbers in total["by_label"].items():
        yield (
            f"{label:<10} found {numbers['found']}/{numbers['clips']} ({numbers['recall']:.0%})"
            + _delays(numbers)
        )
    if total["scored"]:
        yield from _alarms(total)
    for label, row in total["confusion"].items():
        called = ", ".join(f"{name} {count}" for name, count in row.items())
        yield f"{label:<10} called {called}"
    if total["type_right"] is not None:
        yield f"type right in {total['type_right']:.0%} of the events that were told"
    yield f"{total['clips']} clips, {total['frames_per_s']} frames/s"


def _delays(numbers: dict[str, Any]) -> str:
    if numbers["median_delay_s"] is None:
        return ""
    return f", delay median {numbers['median_delay_s']:.1f} s, p90 {numbers['p90_delay_s']:.1f} s"


def _alarms(total: dict[str, Any]) -> Iterator[str]:
    rate = total["false_alarms_per_normal_hour"]
    alarmed, repeated = total["normal_clips_with_alarm"], total["normal_clips_with_repeated_alarms"]
    hourly = "" if rate is None else f"; {rate:g} an hour over {60 * total['normal_hours']:.1f} min"
    yield (
        f"normal     {alarmed}/{total['normal_clips']} clips with an alarm, {repeated} with several"
        + hourly
    )
    share = total["false_alarms_per_clip"]
    yield (
        f"all        {total['false_alarms']} false alarms ({share:g} a clip) "
        f"and {total['wrong_type']} of another type over {total['scored']} clips"
    )
