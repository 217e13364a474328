"""Hours of ordinary traffic: the normal clips over and over, each time in another variation.

Every pass begins anew, as a camera does that was just switched on: it knows no habits of the place,
which is harder than a day of one camera.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from detector.evaluation.labels import Clip
from detector.evaluation.running import Source, run_in_worker, spread
from detector.evaluation.scoring import ClipResult
from detector.evaluation.variation import rounds
from hazardcast.contract.errors import ConfigError


def soak(
    clips: Sequence[Clip], source: Source, *, hours: float, jobs: int,
    progress: Callable[[str], object] = lambda _line: None,
) -> list[ClipResult]:  # fmt: skip
    """Passes in turn over the normal clips until `hours` of video are full.

    Raises:
        ConfigError: there is no ordinary traffic among the clips, or none that can be read.
    """
    normal = [clip for clip in clips if clip.labelled and clip.type is None and clip.scored]
    if not normal:
        raise ConfigError(f"--soak {hours:g}: no clip is labelled normal")
    results = list(spread(run_in_worker, rounds(normal, 0, 1), source, jobs=jobs))
    round_s = sum(one.duration_s for one in results)
    if any(one.error for one in results) or not round_s:
        raise ConfigError(
            next((one.error for one in results if one.error), "no frames in any clip")
        )
    tasks = rounds(normal, 1, math.ceil(hours * 3600 / round_s))
    for result in spread(run_in_worker, tasks, source, jobs=jobs):
        results.append(result)
        if len(results) % len(normal) == 0:
            done = summary(results)
            progress(f"{done['hours']:.2f} of {hours:g} h, {done['false_alarms']} alarms")
    return results


def summary(results: Sequence[ClipResult]) -> dict[str, Any]:
    """Alarms an hour, and which clips and kinds they came from."""
    hours = sum(one.duration_s for one in results) / 3600
    by_clip, by_type = Counter[str](), Counter[str]()
    for one in results:
        if one.false_alarms:
            by_clip[one.name] += one.false_alarms
            by_type.update({found.incident: found.type for found in one.found}.values())
    alarms = sum(by_clip.values())
    return {
        "hours": round(hours, 3),
        "passes": len(results),
        "passes_with_alarm": sum(bool(one.false_alarms) for one in results),
        "false_alarms": alarms,
        "false_alarms_per_hour": round(alarms / hours, 3) if hours else None,
        "by_clip": dict(by_clip.most_common()),
        "by_type": dict(by_type.most_common()),
    }


def lines(total: dict[str, Any]) -> Iterator[str]:
    """What the soak says."""
    yield (
        f"{total['hours']:.2f} h of ordinary traffic in {total['passes']} passes: "
        f"{total['false_alarms']} false alarms, {total['false_alarms_per_hour']:g} an hour, in "
        f"{total['passes_with_alarm']} passes"
    )
    for name, count in total["by_clip"].items():
        yield f"  {name}: {count}"
    if total["by_type"]:
        yield "  " + ", ".join(f"{kind} {count}" for kind, count in total["by_type"].items())
