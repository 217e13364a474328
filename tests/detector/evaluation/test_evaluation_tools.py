"""Cached detections, contact sheets, the ten-scenario acceptance and the soak."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import replace

import cv2
import numpy as np
import pytest
from detector.evaluation import __main__, kpi, scoring, sheets, soak
from detector.evaluation.cached import DetectionsFile
from detector.evaluation.labels import Clip, clips_of
from detector.evaluation.running import Source
from detector.evaluation.variation import Variation
from detector.incidents import Report

from hazardcast.contract.errors import ConfigError
from hazardcast.contract.incident_types import IncidentType, Severity
from hazardcast.vision.geometry.boxes import Label
from hazardcast.vision.pixels.frame import Frame

STREET = np.full((90, 160, 3), 90, np.uint8)


def grain(width: int, height: int, seed: int) -> np.ndarray:
    chance = np.random.default_rng(seed)
    fine = chance.normal(100, 30, (height // 10, width // 10, 3)).clip(0, 255).astype(np.uint8)
    return cv2.resize(fine, (width, height), interpolation=cv2.INTER_NEAREST)


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    """Ten seconds of a street where two cars meet at 4 s and stay."""
    path = tmp_path_factory.mktemp("filmed") / "street.avi"
    still, car = grain(640, 360, 2), grain(60, 40, 3)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 360))
    for number in range(100):
        picture = cv2.add(still, np.full(still.shape, number % 3, still.dtype))
        for x1, y1, *_ in cars(number / 10)[:2]:
            left, top = int(x1), int(y1)
            picture[max(0, top) : top + 40, left : left + 60] = car[max(0, -top) :]
        writer.write(picture)
    writer.release()
    return path


@pytest.fixture
def street(filmed, tmp_path):
    """Three clips of it: labels say that two are normal and that a collision happens in the third.
    Cached boxes are of the third alone, so that nothing is seen of the cars in the others.
    """
    for name in ("a.avi", "b.avi", "crash.avi"):
        (tmp_path / name).symlink_to(filmed)
    (tmp_path / "MANIFEST.csv").write_text(
        "path,label,t_event_s,bbox_xywh\n"
        "a.avi,normal,,\nb.avi,normal,,\ncrash.avi,collision,4,240-140-90-70\n"
    )
    quiet = {"wh": [640, 360], "frames": [[k / 10, []] for k in range(100)]}
    crash = {"wh": [640, 360], "frames": [[k / 10, cars(k / 10)] for k in range(100)]}
    boxes = {"a.avi": quiet, "b.avi": quiet, "crash.avi": crash}
    (tmp_path / "boxes.json.gz").write_bytes(gzip.compress(json.dumps(boxes).encode()))
    return tmp_path


def cars(t: float) -> list[list[float]]:
    s = min(t, 4.0)
    return [
        [60 * s, 170, 60 * s + 60, 210, 0.9, 2],
        [270, -10 + 45 * s, 330, 30 + 45 * s, 0.9, 2],
        [600, 300, 630, 350, 0.9, 56],  # a chair is no road user
    ]


def test_cached_detections_are_scaled_to_the_picture_and_given_by_time(street) -> None:
    model = DetectionsFile(street / "boxes.json.gz").model("crash.avi")

    found = model.detect(Frame(np.zeros((180, 320, 3), np.uint8), 4.02, 40))
    nothing = model.detect(Frame(np.zeros((180, 320, 3), np.uint8), 30.0, 300))

    assert model.fps == pytest.approx(10)
    assert len(nothing) == 0
    assert set(found.labels.tolist()) == {Label.CAR}
    assert found.xyxy.max() <= 320


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("boxes?", "not JSON"),
        ("[]", "object of clips"),
        ('{"b.avi": {}}', "'a.avi'"),
        ('{"a.avi": {}}', "wh: missing"),
        ('{"a.avi": {"wh": [1, 1], "frames": [[0, [[1]]]]}}', "frames"),
        ('{"a.avi": {"wh": [1, 1], "frames": [[1, []], [0, []]]}}', "rise"),
    ],
)
def test_wrong_cached_detections_are_errors_that_say_where(tmp_path, text, problem) -> None:
    path = tmp_path / "boxes.json"
    path.write_text(text)

    with pytest.raises(ConfigError, match=problem) as caught:
        DetectionsFile(path).model("a.avi")
    assert str(path) in str(caught.value)


def test_rules_are_tried_on_cached_detections(street, capsys) -> None:
    asked = [str(street), "--detections", str(street / "boxes.json.gz"), "--json"]

    assert __main__.main(asked) == 0

    told = json.loads(capsys.readouterr().out)
    crash = told["clips"][2]
    assert crash["hit"]["type"] == "collision"
    assert crash["at_place"] is True
    assert told["summary"]["by_label"]["collision"]["found"] == 1
    assert told["summary"]["normal_clips_with_alarm"] == 0
    assert told["summary"]["normal_hours"] == pytest.approx(20 / 3600, abs=0.001)


def test_several_processes_find_the_same_as_one(street, capsys) -> None:
    asked = [str(street), "--detections", str(street / "boxes.json.gz"), "--json"]
    __main__.main(asked)
    alone = json.loads(capsys.readouterr().out)["clips"]
    __main__.main([*asked, "--jobs", "2"])

    assert json.loads(capsys.readouterr().out)["clips"] == alone


def test_a_miss_gets_a_sheet_that_names_its_cause(street, capsys) -> None:
    labels = street / "wrong.csv"
    labels.write_text("path,label,t_event_s\ncrash.avi,fire,4\na.avi,collision,5\n")
    folder = street / "sheets"
    asked = [str(labels), "--detections", str(street / "boxes.json.gz"), "--sheet", str(folder)]

    assert __main__.main([*asked, "--json"]) == 0

    drawn = {one["path"].rsplit("/", 1)[1]: one["cause"] for one in json.loads(capsys.readouterr().out)["sheets"]}  # fmt: skip
    assert drawn["miss-crash.jpg"] == "told, but as collision"
    assert drawn["miss-a.jpg"] == "no rule spoke; nothing tracked about the event"
    picture = cv2.imread(str(folder / "miss-crash.jpg"))
    assert picture is not None
    assert picture.shape[1] == 3 * 640
    green = (picture[..., 1] > 180) & (picture[..., 2] < 160) & (picture[..., 0] < 160)
    assert green.sum() > 200  # the tracks' boxes are drawn


def test_a_false_alarm_gets_a_sheet_with_the_rules_numbers(street, capsys) -> None:
    labels = street / "wrong.csv"
    labels.write_text("path,label\ncrash.avi,normal\n")
    folder = street / "sheets"
    asked = [str(labels), "--detections", str(street / "boxes.json.gz"), "--sheet", str(folder)]

    __main__.main([*asked, "--json"])

    told = json.loads(capsys.readouterr().out)
    assert told["summary"]["normal_clips_with_alarm"] == 1
    (sheet,) = told["sheets"]
    assert sheet["cause"].startswith("collision 0.")
    assert len(list(folder.glob("false-crash-*.jpg"))) == 1


def clip_of(kind, t_event_s=4.0) -> Clip:
    from pathlib import Path

    return Clip(Path("x.avi"), "x", kind, t_event_s if kind else None, labelled=True)


def told(kind, onset=4.0) -> Report:
    return Report("new", onset, kind, Severity.HIGH, onset, onset + 2, 0.8, np.zeros(4), {})


def scenarios(*, missed: int, false: int) -> list[scoring.ClipResult]:
    kinds = [IncidentType.COLLISION] * 3 + [IncidentType.FIRE] * 2 + [IncidentType.BLOCKAGE] * 2
    events = [
        scoring.judge(clip_of(kind), 80, [] if number < missed else [told(kind)])
        for number, kind in enumerate(kinds)
    ]
    normal = [
        scoring.judge(clip_of(None), 80, [told(IncidentType.FIRE)] if number < false else [])
        for number in range(3)
    ]
    return events + normal


@pytest.mark.parametrize(
    ("missed", "false", "passed"), [(0, 0, True), (1, 1, True), (2, 0, False), (0, 2, False)]
)
def test_one_miss_and_one_false_alarm_of_ten_are_accepted(missed, false, passed) -> None:
    assert kpi.judged(scenarios(missed=missed, false=false)).passed is passed


def test_a_scenario_that_could_not_be_run_is_no_pass() -> None:
    results = [*scenarios(missed=0, false=0)[:9], scoring.failed(clip_of(None), "gone")]

    assert not kpi.judged(results).passed


def test_ten_real_clips_are_drawn_in_the_fixed_mix() -> None:
    pool = 3 * scenarios(missed=0, false=0)

    chosen = kpi.ten(pool, random.Random(3))

    assert [one.label for one in chosen] == ["collision"] * 3 + ["fire"] * 2 + ["blockage"] * 2 + ["normal"] * 3  # fmt: skip
    assert kpi.share_passed(pool, seed=1) == 1.0
    with pytest.raises(ConfigError, match="3 scored clips of normal"):
        kpi.ten(pool[:7], random.Random(3))


def test_the_share_of_draws_that_pass_falls_with_the_misses() -> None:
    pool = 3 * scenarios(missed=2, false=0)

    assert 0.05 < kpi.share_passed(pool, seed=1) < 0.6


def test_the_drawn_acceptance_has_ten_scenarios_of_every_kind() -> None:
    kinds = [scenario.type for scenario in kpi.DRAWN]

    assert len(kinds) == 10
    assert {IncidentType.COLLISION, IncidentType.FIRE, IncidentType.BLOCKAGE, None} == set(kinds)


def test_a_soak_fills_the_hours_with_passes_that_differ(street) -> None:
    source = Source(detections=street / "boxes.json.gz")

    results = soak.soak(clips_of(street), source, hours=60 / 3600, jobs=1)
    total = soak.summary(results)

    assert total["hours"] >= 60 / 3600 * 0.9
    assert total["passes"] >= 6
    assert total["false_alarms"] == 0
    assert len({one.duration_s for one in results}) > 2


def test_a_soak_counts_every_alarm(street) -> None:
    (street / "MANIFEST.csv").write_text("path,label\ncrash.avi,normal\n")
    source = Source(detections=street / "boxes.json.gz")

    total = soak.summary(soak.soak(clips_of(street), source, hours=0.01, jobs=1))

    assert total["false_alarms"] >= 2
    assert total["by_type"]["collision"] >= 2
    assert list(total["by_clip"]) == ["crash.avi"]
    assert total["false_alarms_per_hour"] == pytest.approx(
        total["false_alarms"] / total["hours"], rel=0.05
    )


def test_a_soak_without_ordinary_traffic_is_one_clear_line(street, capsys) -> None:
    (street / "MANIFEST.csv").write_text("path,label,t_event_s\ncrash.avi,fire,1\n")

    assert __main__.main([str(street), "--soak", "1"]) == 2
    assert "no clip is labelled normal" in capsys.readouterr().err


def test_a_mirrored_variation_mirrors_pictures_boxes_and_labels_alike(street) -> None:
    mirrored = Variation(7, True, 1.0, 0.0, 1.0, 0.0)
    picture = STREET.copy()
    picture[:, :20] = 200
    cached = DetectionsFile(street / "boxes.json.gz").model("crash.avi")
    cached.size, cached.rows = (160, 90), [[[10, 10, 30, 40, 0.9, 2]]] * 100

    (frame,) = mirrored.frames([Frame(picture, 1.0, 0)])
    found = mirrored.model(cached).detect(frame)
    label = mirrored.label(replace(clip_of(None), box=(10.0, 10.0, 20.0, 30.0)), 160)

    assert frame.image[0, -1, 0] == 200
    assert found.xyxy[0] == pytest.approx([130, 10, 150, 40], abs=3)
    assert label.box == (130.0, 10.0, 20.0, 30.0)


def test_a_faster_variation_has_its_event_sooner_and_never_cuts_it_off() -> None:
    faster = Variation(7, False, 1.0, 0.0, 1.25, 1.0)
    crash = replace(clip_of(None), t_event_s=2.5)

    assert faster.label(crash, 160).t_event_s == 2.0
    assert faster.begin_s(crash) == 0.5
    assert faster.begin_s(replace(crash, t_event_s=1.0)) == 0.0


def test_every_variation_of_a_crash_is_judged_by_its_own_label(street, capsys) -> None:
    asked = [str(street), "--detections", str(street / "boxes.json.gz"), "--variations", "3", "--json"]  # fmt: skip

    assert __main__.main(asked) == 0
    told = json.loads(capsys.readouterr().out)

    crashes = [one for one in told["clips"] if one["label"] == "collision"]
    assert len({one["t_event_s"] for one in crashes}) == len(crashes) == 3
    assert all(one["hit"] and one["at_place"] for one in crashes)
    assert told["summary"]["normal_clips"] == 6


@pytest.mark.parametrize("asked", [[], ["--soak", "0", "x"], ["--jobs", "0", "x"], ["--model", "a", "--detections", "b", "x"]])  # fmt: skip
def test_what_cannot_be_asked_is_refused(asked, capsys) -> None:
    code: int | str | None
    try:
        code = __main__.main(asked)
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2


@pytest.mark.parametrize("other", [["--kpi"], ["--soak", "1"], ["--sheet", "y"]])
def test_variations_are_of_the_plain_evaluation_alone(other, street, capsys) -> None:
    assert __main__.main([str(street), "--variations", "2", *other]) == 2
    assert "--variations goes with none" in capsys.readouterr().err


def test_each_incident_of_a_clip_gets_one_sheet() -> None:
    clip = clip_of(None)
    reports = [
        told(IncidentType.FIRE, 3.0),
        told(IncidentType.FIRE, 3.0),
        told(IncidentType.FIRE, 9.0),
    ]

    faults = list(sheets.faults([clip], [scoring.judge(clip, 80, reports)]))

    assert len({fault.file_name for fault in faults}) == len(faults) == 2
