from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from detector.evaluation import __main__, running, scoring
from detector.evaluation.labels import Clip, clips_of
from detector.evaluation.summary import summary
from detector.incidents import Report
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.errors import ConfigError
from hazardcast.contract.incident_types import IncidentType, Severity
from hazardcast.vision.models.background import BackgroundModel


def clip(kind=IncidentType.COLLISION, t_event_s=5.0, **changes) -> Clip:
    fields = {"path": Path("a.mp4"), "name": "a.mp4", "labelled": True}
    return Clip(**{**fields, "type": kind, "t_event_s": t_event_s, **changes})


def report(kind=IncidentType.COLLISION, onset=5.0, t=7.0, key_t=None, place=(0, 0, 0, 0)) -> Report:
    key_t = onset if key_t is None else key_t
    return Report("new", key_t, kind, Severity.HIGH, onset, t, 0.8, np.array(place), {})


def test_an_alarm_at_the_event_is_a_hit_with_its_delay() -> None:
    result = scoring.judge(clip(), 80, [report(onset=5.3, t=7.5)])

    assert result.hit is not None
    assert result.delay_s == 2.5
    assert (result.false_alarms, result.wrong_type) == (0, 0)


def test_a_rollover_called_collision_is_found_all_the_same() -> None:
    assert scoring.judge(clip(IncidentType.ROLLOVER), 80, [report()]).hit


def test_an_alarm_before_the_event_is_false_and_no_hit() -> None:
    result = scoring.judge(clip(), 80, [report(onset=1.0)])

    assert result.hit is None
    assert result.false_alarms == 1


def test_another_type_after_the_event_is_told_apart() -> None:
    result = scoring.judge(clip(), 80, [report(IncidentType.FIRE, onset=8.0)])

    assert (result.hit, result.false_alarms, result.wrong_type) == (None, 0, 1)


def test_any_alarm_in_a_normal_clip_is_false() -> None:
    result = scoring.judge(clip(None, None), 80, [report(), report(IncidentType.FIRE, onset=6)])

    assert result.false_alarms == 2


def test_reports_of_one_incident_count_once() -> None:
    early = [report(IncidentType.BLOCKAGE, onset=1.0), report(onset=1.0)]
    refined = [report(IncidentType.BLOCKAGE, key_t=4.0, onset=4.0), report(key_t=4.0, onset=5.2)]

    assert scoring.judge(clip(), 80, early).false_alarms == 1
    result = scoring.judge(clip(), 80, refined)
    assert result.hit == result.found[1]
    assert (result.false_alarms, result.wrong_type) == (0, 0)


def test_where_the_label_has_a_box_the_place_is_judged() -> None:
    labelled = clip(box=(100.0, 50.0, 40.0, 30.0))

    assert scoring.judge(labelled, 80, [report(place=(120, 60, 160, 90))]).at_place is True
    assert scoring.judge(labelled, 80, [report(place=(150, 60, 190, 90))]).at_place is False
    assert scoring.judge(clip(), 80, [report()]).at_place is None


def test_the_summary_counts_by_label_and_leaves_unscored_clips_out() -> None:
    results = [
        scoring.judge(clip(), 80, [report(t=7.0)]),
        scoring.judge(clip(), 80, [report(t=9.0)]),
        scoring.judge(clip(), 80, []),
        scoring.judge(clip(scored=False), 80, []),
        scoring.judge(clip(None, None), 80, [report(onset=1), report(onset=3)], duration_s=1800),
        scoring.judge(clip(None, None), 80, [], duration_s=1800),
        scoring.failed(clip(), "gone"),
    ]

    total = summary(results)

    assert total["by_label"]["collision"] == {
        "clips": 3, "found": 2, "recall": 0.667, "median_delay_s": 3.0, "p90_delay_s": 4.0,
    }  # fmt: skip
    assert (total["normal_clips"], total["normal_clips_with_alarm"]) == (2, 1)
    assert total["normal_clips_with_repeated_alarms"] == 1
    assert (total["normal_hours"], total["false_alarms_per_normal_hour"]) == (1.0, 2.0)
    assert total["false_alarms_per_clip"] == 0.4
    assert (total["scored"], total["failed"]) == (5, 1)


def test_what_is_taken_for_what_is_told() -> None:
    rolled = clip(IncidentType.ROLLOVER)
    results = [
        scoring.judge(rolled, 80, [report()]),
        scoring.judge(clip(), 80, [report(IncidentType.FIRE, onset=8.0)]),
        scoring.judge(clip(), 80, [report()]),
        scoring.judge(clip(), 80, []),
    ]

    total = summary(results)

    assert total["confusion"] == {
        "collision": {"collision": 1, "fire": 1, "nothing": 1}, "rollover": {"collision": 1},
    }  # fmt: skip
    assert total["type_right"] == 0.333
    assert total["by_label"]["rollover"]["found"] == 1


def test_labels_are_read_beside_their_clips(tmp_path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        "path,label,t_event_s,quality\n"
        "a.mp4,fire+smoke,3.1,A\nb.mp4,blockage (synthetic),9,C\nc.mp4,normal (no road),,A\n"
    )

    a, b, c = clips_of(path)

    assert (a.path, a.type, a.t_event_s) == (tmp_path / "a.mp4", IncidentType.FIRE, 3.1)
    assert (b.type, b.scored) == (IncidentType.BLOCKAGE, False)
    assert (c.type, c.labelled) == (None, True)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("path,kind\na.mp4,fire\n", "label"),
        ("path,label,t_event_s\na.mp4,parade,1\n", ":2: label"),
        ("path,label,t_event_s\na.mp4,fire,soon\n", ":2: t_event_s"),
        ("path,label,t_event_s\na.mp4,fire,\n", ":2: t_event_s"),
        ("path,label,t_event_s\na.mp4,fire,-1\n", ":2: t_event_s"),
        ("path,label,t_event_s\na.mp4,fire,nan\n", ":2: t_event_s"),
        ("path,label\nb.mp4,normal\n,normal\n", ":3: path"),
        ("path,label,quality\na.mp4,normal,good\n", ":2: quality"),
        ("path,label,bbox_xywh\na.mp4,normal,1-2-3\n", ":2: bbox_xywh"),
        ("path,label\n", "no clips"),
    ],
)
def test_wrong_labels_are_errors_that_name_row_and_column(tmp_path, text, problem) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)

    with pytest.raises(ConfigError, match=problem) as caught:
        clips_of(path)
    assert str(path) in str(caught.value)


def test_a_folder_is_labelled_by_the_manifest_that_it_holds(tmp_path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "MANIFEST.csv").write_text(
        "path,label,t_event_s,bbox_xywh\na.mp4,collision,3,1-2-30-40\n"
    )

    (one,) = clips_of(tmp_path)

    assert (one.path, one.box) == (tmp_path / "clips" / "a.mp4", (1.0, 2.0, 30.0, 40.0))


def test_a_folder_with_nothing_to_look_at_is_one_clear_line(tmp_path, capsys) -> None:
    assert __main__.main([str(tmp_path)]) == 2
    assert "neither labels" in capsys.readouterr().err


@given(st.text(max_size=200))
def test_any_text_is_labels_or_an_error_that_names_the_file(text) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        path.write_bytes(
            ("path,label,t_event_s,quality,bbox_xywh\n" + text).encode("utf-8", "replace")
        )
        try:
            clips_of(path)
        except ConfigError as error:
            assert str(path) in str(error)


@pytest.fixture
def videos(ffmpeg, tmp_path):
    """Bad streams: black, portrait, few frames, large, cut off, none at all."""
    import subprocess

    for name, source in {
        "black.mp4": "color=black:size=320x180:rate=10:duration=2",
        "portrait.mp4": "testsrc=size=180x320:rate=10:duration=2",
        "slow.mp4": "gradients=size=160x120:rate=2:duration=6:speed=0.01",
        "large.mp4": "testsrc=size=3840x2160:rate=5:duration=1",
        "odd.ts": "testsrc=size=322x242:rate=15:duration=2",
    }.items():
        subprocess.run(
            [ffmpeg, "-y", "-loglevel", "error", "-f", "lavfi", "-i", source, tmp_path / name],
            check=True, timeout=60,
        )  # fmt: skip
    whole = (tmp_path / "odd.ts").read_bytes()
    (tmp_path / "cut.ts").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "none.mp4").write_bytes(b"\0" * 4096)
    return tmp_path


def test_no_stream_breaks_the_evaluation(videos, capsys) -> None:
    code = __main__.main([str(videos), "--json", "--fps", "5"])

    told = json.loads(capsys.readouterr().out)
    frames = {one["name"]: one["frames"] for one in told["clips"]}
    assert code == 1  # none.mp4 could not be read, and that is said
    assert told["summary"]["failed"] == 1
    assert [one["name"] for one in told["clips"] if one["error"]] == ["none.mp4"]
    assert {name for name, count in frames.items() if not count} == {"none.mp4"}
    assert all(one["found"] == [] for one in told["clips"])


def test_the_table_ends_with_what_it_adds_up_to(videos, capsys) -> None:
    assert __main__.main([str(videos / "black.mp4")]) == 0

    assert "1 clips" in capsys.readouterr().out.splitlines()[-1]


def test_a_wrong_model_is_one_clear_line(videos, capsys) -> None:
    model = videos / "model.onnx"
    model.write_text("weights?")

    assert __main__.main([str(videos / "black.mp4"), "--model", str(model)]) == 2
    assert "is not an ONNX network" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "option", "used"),
    [
        (None, [], "roadside"),
        ("background", [], "background"),
        ("background", ["--model", "roadside"], "roadside"),
    ],
)
def test_the_settings_model_is_judged_unless_the_command_names_one_and_it_is_told(videos, capsys, monkeypatch, setting, option, used) -> None:  # fmt: skip
    if setting:
        monkeypatch.setenv("HAZARDCAST_MODEL", setting)
    opened = []

    def opener(path: Path, **_: object) -> type[BackgroundModel]:
        opened.append(path)
        return BackgroundModel

    monkeypatch.setattr(running, "model_opener", opener)
    clip = str(videos / "black.mp4")

    assert __main__.main([clip, *option]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"model: {used}"
    assert __main__.main([clip, *option, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == used
    assert {str(path or "roadside") for path in opened} == {used}


def test_a_model_of_the_setting_that_is_not_there_is_one_clear_line(videos, capsys, monkeypatch) -> None:  # fmt: skip
    monkeypatch.setenv("HAZARDCAST_MODEL", "yolox-nano")
    monkeypatch.setenv("HAZARDCAST_MODELS_DIR", str(videos))

    assert __main__.main([str(videos / "black.mp4")]) == 2
    assert "HAZARDCAST_MODEL: yolox-nano is not at" in capsys.readouterr().err
    assert __main__.main([str(videos / "black.mp4"), "--model", "yolox-nano"]) == 2
    assert "--model: yolox-nano is not at" in capsys.readouterr().err


def test_threads_and_provider_of_the_settings_are_those_of_the_evaluation(videos, monkeypatch) -> None:  # fmt: skip
    asked = {}
    monkeypatch.setenv("HAZARDCAST_MODEL_THREADS", "3")
    monkeypatch.setenv("HAZARDCAST_MODEL_PROVIDER", "cpu")
    monkeypatch.setattr(running, "model_opener", lambda path, **given: asked.update(given) or BackgroundModel)  # fmt: skip

    __main__.main([str(videos / "black.mp4")])

    assert asked == {"threads": 3, "provider": "cpu"}


def test_a_missing_path_is_one_clear_line(tmp_path, capsys) -> None:
    assert __main__.main([str(tmp_path / "nowhere.mp4")]) == 2
    assert "no such file" in capsys.readouterr().err
