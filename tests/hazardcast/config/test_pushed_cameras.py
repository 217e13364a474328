"""Cameras that a client brings: fixed ones and slots, and that a film broadcasts nothing by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from hazardcast.config import site
from hazardcast.contract.errors import ConfigError
from hazardcast.contract.incident_types import IncidentType

PLACE = "position: {lat_deg: 37.1, lon_deg: 127.1}"


def loaded(tmp_path: Path, text: str) -> site.SiteConfig:
    (tmp_path / "cameras.yaml").write_text(text)
    return site.load(tmp_path / "cameras.yaml")


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, text)
    return str(refused.value).removeprefix(str(tmp_path / "cameras.yaml"))


def policy(config: site.SiteConfig, camera: str, kind: str = "collision") -> tuple[str, float, str]:
    found = config.policy(camera, IncidentType(kind))
    return found.mode, found.auto_confidence, found.on_timeout


def test_slots_are_cameras_with_ids_of_their_own(tmp_path: Path) -> None:
    config = loaded(
        tmp_path, f"push: {{slots: 3}}\ncameras:\n  push-2: {{{PLACE}, road: A}}\n  a: {{url: x}}\n"
    )

    assert sorted(config.cameras) == ["a", "push-1", "push-2", "push-3"]
    assert config.cameras["push-2"].road == "A"
    assert config.cameras["push-1"].is_pushed
    assert config.cameras["push-1"].is_local, (
        "recorder and detector read it from the camera service"
    )
    assert not config.cameras["a"].is_pushed


def test_slots_alone_are_a_site(tmp_path: Path) -> None:
    assert list(loaded(tmp_path, "push: {slots: 1}\ncameras:\n").cameras) == ["push-1"]


@pytest.mark.parametrize("above", [
    "", "site: {alerting: {mode: auto}}\n", "defaults: {alerting: {mode: auto}}\n",
    "site: {alerting: {mode: confirm, on_timeout: broadcast, auto_confidence: 0.5}}\n",
    "site: {alerting: {by_type: {collision: {mode: auto}}}}\n",
])  # fmt: skip
def test_a_person_confirms_what_a_client_shows_whatever_holds_for_other_cameras(
    above: str, tmp_path: Path
) -> None:
    config = loaded(tmp_path, f"{above}cameras:\n  gate: {{url: 'push://'}}\n")

    assert policy(config, "gate") == ("confirm", 1.0, "drop")


def test_what_is_kept_back_altogether_stays_so(tmp_path: Path) -> None:
    above = "site: {alerting: {mode: shadow}}\ndefaults: {}\n"
    config = loaded(tmp_path, f"{above}push: {{slots: 1}}\ncameras: {{a: {{url: 'push://'}}}}\n")

    assert {policy(config, name)[0] for name in ("a", "push-1")} == {"shadow"}


def test_its_own_word_goes_before(tmp_path: Path) -> None:
    own = f"{{url: 'push://', {PLACE}, alerting: {{mode: auto}}}}"
    config = loaded(tmp_path, f"cameras:\n  gate: {own}\n")

    assert policy(config, "gate")[0] == "auto"


@pytest.mark.parametrize("own", [
    "mode: auto", "on_timeout: broadcast", "auto_confidence: 0.9", "by_type: {fire: {mode: auto}}",
])  # fmt: skip
def test_a_slot_without_a_position_broadcasts_nothing_by_itself(own: str, tmp_path: Path) -> None:
    text = f"push:\n  slots: 2\ncameras:\n  push-2:\n    alerting: {{{own}}}\n"

    assert refusal(tmp_path, text).startswith(
        ":5: cameras.push-2.alerting: a slot without a position"
    )
    assert loaded(tmp_path, text.replace("alerting", f"{PLACE}\n    alerting"))


@pytest.mark.parametrize(("text", "said"), [
    ("push: {slots: 65}\ncameras: {a: {url: x}}", ":1: push.slots: "),
    ("push: {slots: -1}\ncameras: {a: {url: x}}", ":1: push.slots: "),
    ("push: {slots: two}\ncameras: {a: {url: x}}", ":1: push.slots: "),
    ("push: {slot: 2}\ncameras: {a: {url: x}}", ":1: push.slot: unknown key; did you mean 'slots'"),
    ("cameras:\n  a:\n    url: push://gate", ":3: cameras.a.url: push:// has nothing behind it"),
    ("push: {slots: 1}\ncameras:\n  push-1:\n    url: rtsp://h/x", ":4: cameras.push-1.url: this is the id of a slot"),
    ("push: {slots: 1}\ncameras:\n  push-1: 7", ":3: cameras.push-1: expected a mapping"),
])  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, text).startswith(said)
