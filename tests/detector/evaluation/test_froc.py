"""Recall against false alarms: what counts, the intervals, the thresholds, sources left out."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from detector.evaluation import froc, froc_table
from detector.evaluation.froc import Told
from detector.evaluation.labels import Clip, clips_of
from detector.evaluation.scoring import ClipResult, Found

from hazardcast.contract.incident_types import IncidentType


def clip(
    name: str, event: float | None = None, *, source: str = "", fixed: bool = True,
    conditions: frozenset[str] = frozenset(), kind: IncidentType = IncidentType.COLLISION,
) -> Clip:  # fmt: skip
    return Clip(
        Path(name), name, None if event is None else kind, event, labelled=True,
        source=source or name, fixed=fixed, conditions=conditions,
    )  # fmt: skip


def told(one: Clip, *found: tuple[float, float, float], duration_s: float = 360.0) -> Told:
    """`found`: (onset, confidence, which incident)."""
    reports = tuple(Found("collision", onset, onset + 1, sure, key) for onset, sure, key in found)
    result = ClipResult(one.name, "x", one.t_event_s, True, 10, reports, duration_s=duration_s)
    return froc.told_of(one, result)


def test_an_incident_counts_once_by_the_most_that_it_was_told_with() -> None:
    said = [(101.0, 0.6, 1.0), (101.0, 0.9, 1.0), (20.0, 0.7, 2.0), (20.0, 0.8, 2.0)]
    one = told(clip("a", 100.0), *said)

    assert one.hit == 0.9
    assert one.false == (0.8,)
    assert one.hours == pytest.approx(98.5 / 3600)


def test_the_calm_before_an_event_counts_and_what_comes_after_does_not() -> None:
    calm = told(clip("n"))
    late = told(clip("a", 0.5), (1.0, 0.9, 1.0))

    assert (calm.hours, calm.event) == (0.1, False)
    assert (late.hours, late.event, late.false) == (0.0, True, ())


EVERYTHING = [
    told(clip("a", 100.0), (100.0, 0.9, 1.0)),
    told(clip("b", 100.0), (100.0, 0.6, 1.0), (50.0, 0.7, 2.0)),
    told(clip("c", 100.0)),
    told(clip("n"), (5.0, 0.8, 1.0), (9.0, 0.5, 2.0)),
    told(clip("m"), duration_s=3600.0),
]


def test_the_curve_has_a_point_for_each_threshold() -> None:
    points = froc.curve(EVERYTHING)

    assert [(one.threshold, one.found, one.false_alarms) for one in points] == [
        (0.9, 1, 0), (0.8, 1, 1), (0.7, 1, 2), (0.6, 2, 2), (0.5, 2, 3),
    ]  # fmt: skip
    assert {one.events for one in points} == {3}
    assert [one.threshold for one in froc.frontier(points)] == [0.9, 0.6]


@pytest.mark.parametrize(("rate", "threshold", "found"), [(0.1, 0.9, 1), (2.0, 0.6, 2)])
def test_a_rate_has_its_threshold(rate: float, threshold: float, found: int) -> None:
    point = froc.within(EVERYTHING, rate)

    assert (point.threshold, point.found) == (threshold, found)
    assert point.rate <= rate


def test_where_any_threshold_tells_too_much_nothing_is_told() -> None:
    clips = [told(clip("n"), (5.0, 0.9, 1.0)), told(clip("a", 9.0), (9.0, 0.5, 1.0))]
    point = froc.within(clips, 1.0)

    assert (point.found, point.false_alarms, point.threshold) == (0, 0, math.inf)


def test_a_source_is_judged_at_the_threshold_of_the_others() -> None:
    """Alone each could do with a lower threshold than its own calm asks of the other."""
    clips = [
        told(clip("a", 100.0, source="one"), (100.0, 0.6, 1.0)),
        told(clip("n", source="one"), (9.0, 0.5, 1.0)),
        told(clip("b", 100.0, source="two"), (100.0, 0.9, 1.0)),
        told(clip("m", source="two"), (9.0, 0.8, 1.0)),
    ]
    point = froc.cross_validated(clips, 0.0)

    assert point is not None
    assert (point.found, point.false_alarms) == (1, 1)
    assert froc.cross_validated(clips[:2], 0.0) is None


def test_intervals_are_those_of_the_tables() -> None:
    """Wilson: Agresti & Coull 1998; Garwood: 3 events, 0.62 … 8.77 (Ulm 1990)."""
    assert froc.wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert froc.wilson(0, 0) == (0.0, 1.0)
    assert froc.garwood(3, 1.0) == pytest.approx((0.6187, 8.7673), abs=1e-4)
    assert froc.garwood(0, 2.0) == pytest.approx((0.0, 3.6889 / 2), abs=1e-4)


def test_moving_cameras_and_clips_that_are_not_scored_are_told_apart() -> None:
    moving = told(clip("pan", fixed=False), (5.0, 0.9, 1.0))
    rainy = told(clip("r", 100.0, conditions=frozenset({"rain"})), (100.0, 0.7, 1.0))

    assert froc.counted([moving, rainy]) == [rainy]
    lines = "\n".join(froc_table.lines([moving, rainy, *EVERYTHING]))
    assert "not from fixed cameras: 1 of 1 clips with a false alarm" in lines
    assert "condition rain         1/1 100%" in lines
    assert "type collision" in lines


def test_of_one_type_only_its_events_count_and_every_false_alarm() -> None:
    fire = told(clip("f", 10.0, kind=IncidentType.FIRE))
    point = froc.at(froc.of_type([fire, *EVERYTHING], "collision"), 0.0)

    assert (point.found, point.events, point.false_alarms) == (2, 3, 3)


def test_as_json_it_can_be_read_again() -> None:
    again = json.loads(json.dumps(froc_table.as_json(EVERYTHING), allow_nan=False))

    assert again["within"]["an hour"]["found"] == 1
    assert again["by_type"]["collision"]["events"] == 3


def test_labels_tell_source_camera_and_conditions(tmp_path: Path) -> None:
    (tmp_path / "MANIFEST.csv").write_text(
        "path,label,t_event_s,repo,camera,note\n"
        "accident/argus_1519.mp4,collision,3,x/argus,fixed,at night\n"
        "blockage/tail_argus_1519.mp4,blockage,0,x/argus,fixed,\n"
        "normal/pan.mp4,normal (snow),,y/pan,camera pans,dense traffic\n"
    )
    crash, wreck, pan = clips_of(tmp_path / "MANIFEST.csv")

    assert crash.source == wreck.source == "x/argus#1519"
    assert (crash.conditions, crash.fixed) == (frozenset({"night"}), True)
    assert (pan.source, pan.fixed) == ("y/pan", False)
    assert pan.conditions == {"snow", "density"}
