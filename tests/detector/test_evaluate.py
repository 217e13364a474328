from __future__ import annotations

import json

import numpy as np
import pytest
from detector import evaluate, scoring
from detector.incidents import Report
from detector.labels import Clip, clips_of

from hazardcast.catalogue import IncidentType, Severity
from hazardcast.errors import ConfigError


def clip(kind=IncidentType.COLLISION, t_event_s=5.0, **changes) -> Clip:
    from pathlib import Path

    fields = {"path": Path("a.mp4"), "name": "a.mp4", "labelled": True}
    return Clip(**{**fields, "type": kind, "t_event_s": t_event_s, **changes})


def report(kind=IncidentType.COLLISION, onset=5.0, t=7.0) -> Report:
    return Report("new", onset, kind, Severity.HIGH, onset, t, 0.8, np.zeros(4), {})


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
    result = scoring.judge(clip(None, None), 80, [report(), report(IncidentType.FIRE)])

    assert result.false_alarms == 2


def test_the_summary_counts_by_label_and_leaves_unscored_clips_out() -> None:
    results = [
        scoring.judge(clip(), 80, [report(t=7.0)]),
        scoring.judge(clip(), 80, []),
        scoring.judge(clip(scored=False), 80, []),
        scoring.judge(clip(None, None), 80, [report()]),
    ]

    total = scoring.summary(results)

    assert total["by_label"]["collision"] == {
        "clips": 2, "found": 1, "recall": 0.5, "median_delay_s": 2.0,
    }  # fmt: skip
    assert (total["normal_clips"], total["normal_clips_with_alarm"]) == (1, 1)


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
    ],
)
def test_wrong_labels_are_errors_that_name_row_and_column(tmp_path, text, problem) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)

    with pytest.raises(ConfigError, match=problem):
        clips_of(path)


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
    code = evaluate.main([str(videos), "--json", "--fps", "5"])

    told = json.loads(capsys.readouterr().out)
    frames = {one["name"]: one["frames"] for one in told["clips"]}
    assert code == 1  # none.mp4 could not be read, and that is said
    assert told["summary"]["failed"] == 1
    assert [one["name"] for one in told["clips"] if one["error"]] == ["none.mp4"]
    assert {name for name, count in frames.items() if not count} == {"none.mp4"}
    assert all(one["found"] == [] for one in told["clips"])


def test_the_table_ends_with_what_it_adds_up_to(videos, capsys) -> None:
    assert evaluate.main([str(videos / "black.mp4")]) == 0

    assert "1 clips" in capsys.readouterr().out.splitlines()[-1]


def test_a_wrong_model_is_one_clear_line(videos, capsys) -> None:
    model = videos / "model.onnx"
    model.write_text("weights?")

    assert evaluate.main([str(videos / "black.mp4"), "--model", str(model)]) == 2
    assert "is not an ONNX network" in capsys.readouterr().err


def test_a_missing_path_is_one_clear_line(tmp_path, capsys) -> None:
    assert evaluate.main([str(tmp_path / "nowhere.mp4")]) == 2
    assert "no such file" in capsys.readouterr().err
