"""Who decides on a camera's reports: the narrower rule goes before the wider one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hazardcast.config.alerting import Policy
from hazardcast.contract.incident_types import IncidentType
from tests.hazardcast.config.test_site_file import load, refusal, schema_takes

COLLISION, FIRE = IncidentType.COLLISION, IncidentType.FIRE


def policy(folder: Path, text: str, kind: IncidentType = COLLISION) -> Policy:
    return load(folder, text).policy("a", kind)


def test_everything_is_broadcast_at_once_where_nothing_is_written(tmp_path: Path) -> None:
    assert policy(tmp_path, "cameras: {a: {url: x.mp4}}").mode == "auto"


def test_a_camera_that_is_none_of_ours_is_treated_as_people_are(tmp_path: Path) -> None:
    text = "site: {alerting: {mode: shadow}}\ncameras: {a: {url: x.mp4}}"

    assert load(tmp_path, text).policy("elsewhere", COLLISION).mode == "auto"


@pytest.mark.parametrize(
    ("site_", "defaults", "camera", "collision", "fire"),
    [
        ("mode: shadow", "", "", "shadow", "shadow"),
        ("mode: shadow", "mode: auto", "", "auto", "auto"),
        ("mode: shadow", "mode: auto", "mode: shadow", "shadow", "shadow"),
        ("by_type: {fire: {mode: shadow}}", "", "", "auto", "shadow"),
        ("by_type: {fire: {mode: shadow}}", "mode: auto", "", "auto", "auto"),
        ("mode: shadow", "", "by_type: {fire: {mode: auto}}", "shadow", "auto"),
        ("", "by_type: {fire: {mode: shadow}}", "mode: auto", "auto", "auto"),
        ("", "mode: auto", "mode: shadow, by_type: {fire: {mode: auto}}", "shadow", "auto"),
    ],
)
def test_the_narrower_rule_goes_first(
    site_: str, defaults: str, camera: str, collision: str, fire: str, tmp_path: Path
) -> None:
    text = (
        f"site: {{alerting: {{{site_}}}}}\n"
        f"defaults: {{alerting: {{{defaults}}}}}\n"
        f"cameras: {{a: {{url: x.mp4, alerting: {{{camera}}}}}}}\n"
    )
    assert schema_takes(text)
    config = load(tmp_path, text)

    assert config.policy("a", COLLISION).mode == collision
    assert config.policy("a", FIRE).mode == fire


def test_each_value_comes_from_the_narrowest_rule_that_has_it(tmp_path: Path) -> None:
    text = """
site: {alerting: {on_timeout: broadcast, auto_confidence: 0.8}}
defaults: {alerting: {mode: confirm, confirm_within_s: 30}}
cameras: {a: {url: x.mp4, alerting: {auto_confidence: 0.7, by_type: {fire: {on_timeout: drop}}}}}
"""
    assert policy(tmp_path, text) == Policy("confirm", 0.7, 30.0, "broadcast")
    assert policy(tmp_path, text, FIRE) == Policy("confirm", 0.7, 30.0, "drop")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "cameras:\n  a:\n    url: x.mp4\n    alerting: {mode: confirm}",
            ":4: cameras.a.alerting: mode confirm needs on_timeout: drop or broadcast",
        ),
        (
            "site:\n  alerting: {mode: confirm}\ncameras: {a: {url: x.mp4}}",
            ":2: cameras.a.alerting: mode confirm needs on_timeout",
        ),
        (
            "defaults:\n  alerting:\n    by_type: {fire: {mode: confirm}}\ncameras: {a: {url: x}}",
            ":2: cameras.a.alerting: mode confirm needs on_timeout",
        ),
        (
            "site:\n  alerting:\n    mode: confirm\n    on_timout: drop\ncameras: {a: {url: x}}",
            ":4: site.alerting.on_timout: unknown key; did you mean 'on_timeout'?",
        ),
        (
            "site: {alerting: {mode: ask}}\ncameras: {a: {url: x}}",
            ":1: site.alerting.mode: ",
        ),
        (
            "cameras:\n  a:\n    url: x\n    alerting:\n      by_type:\n        fires: {mode: auto}",
            ":6: cameras.a.alerting.by_type.fires: unknown key; did you mean 'fire'?",
        ),
        (
            "cameras: {a: {url: x, alerting: {auto_confidence: 90}}}",
            ":1: cameras.a.alerting.auto_confidence: ",
        ),
        (
            "cameras: {a: {url: x, alerting: {confirm_within_s: 1}}}",
            ":1: cameras.a.alerting.confirm_within_s: ",
        ),
        ("cameras: {a: {url: x, alerting: confirm}}", ":1: cameras.a.alerting: expected a mapping"),
        ("cameras: {a: {url: x, alerting: {by_type: [fire]}}}", ":1: cameras.a.alerting.by_type: expected a mapping"),
        ("site: {alerting: {by_type: 3}}\ncameras: {a: {url: x, alerting: {mode: auto}}}", ":1: site.alerting.by_type: expected a mapping"),
    ],
)  # fmt: skip
def test_a_rule_that_is_wrong_is_told_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, text).startswith(said), refusal(tmp_path, text)


def test_which_cameras_withhold_something(tmp_path: Path) -> None:
    text = """
cameras:
  a: {url: x.mp4, alerting: {mode: confirm, on_timeout: drop, by_type: {fire: {mode: shadow}}}}
  b: {url: x.mp4}
  c: {url: x.mp4, alerting: {by_type: {fire: {mode: confirm, on_timeout: broadcast}}}}
"""
    config = load(tmp_path, text)

    assert (config.withholding("confirm"), config.withholding("shadow")) == (["a", "c"], ["a"])
