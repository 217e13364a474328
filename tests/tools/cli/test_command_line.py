"""The command line as a person types it: help, errors, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hazardcast_tools.cli import MODULES_RUN, VERBS, build

from hazardcast import __version__
from hazardcast.config.settings import environment_with

ROOT = Path(__file__).resolve().parents[3]
CAMERAS = "cameras:\n  north: {url: demo://collision}\n"


def run(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    changes = {name: str(value) for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "hazardcast_tools", *arguments],
        capture_output=True, text=True, timeout=60, cwd=ROOT, check=False,
        env=environment_with(**changes),
    )  # fmt: skip


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "cameras.yaml"
    path.write_text(CAMERAS)
    return path


def test_help_lists_every_verb() -> None:
    shown = run("--help")

    assert shown.returncode == 0
    assert all(verb in shown.stdout for verb in VERBS)


@pytest.mark.parametrize("verb", sorted(set(VERBS) - set(MODULES_RUN)))
def test_every_verb_can_be_imported_and_explains_itself(verb: str) -> None:
    build(verb)


def test_help_imports_no_verb() -> None:
    code = (
        "import sys; from hazardcast_tools.cli import build; build(None);"
        "print(sorted(m for m in sys.modules if m in ('pydantic', 'paho', 'numpy', 'cryptography')))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )

    assert shown.stdout.strip() == "[]"


def test_the_version_can_be_read_by_programs() -> None:
    assert json.loads(run("version", "--json").stdout)["hazardcast"] == __version__


def test_a_misspelt_verb_is_an_error() -> None:
    shown = run("dmeo")

    assert shown.returncode == 2
    assert "demo" in shown.stderr


def test_a_typo_in_the_configuration_names_file_camera_and_key(tmp_path: Path) -> None:
    config = tmp_path / "cameras.yaml"
    config.write_text("cameras:\n  north: {url: demo://normal, heading: 90}\n")

    for verb in ("check", "up"):
        shown = run(verb, config=config, data_dir=tmp_path)

        assert shown.returncode == 2
        assert str(config) in shown.stderr
        assert "cameras.north.heading: unknown key" in shown.stderr
        assert "Traceback" not in shown.stderr


def test_a_wrong_variable_is_named(config: Path) -> None:
    shown = run("check", config=config, mqtt_port="many")

    assert shown.returncode == 2
    assert "HAZARDCAST_MQTT_PORT" in shown.stderr


def test_emit_without_a_broker_says_so(tmp_path: Path) -> None:
    shown = run("emit", mqtt_port=9, data_dir=tmp_path)

    assert shown.returncode == 2
    assert "no broker lets us in at 127.0.0.1:9 (nobody listens there)" in shown.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--status", "gone"), "--status: there are new, update, cancel"),
        (("--wait", "long"), "--wait"),
    ],
)
def test_emit_names_the_option_that_is_wrong(options: tuple[str, ...], told: str) -> None:
    shown = run("emit", *options)

    assert shown.returncode == 2
    assert told in shown.stderr


@pytest.mark.network
def test_emit_prints_what_it_sent(mosquitto: Any) -> None:
    shown = run(
        "emit", "--type", "fire", "--test", "--wait", "0", "--json", mqtt_port=mosquitto.port
    )

    answer = json.loads(shown.stdout)
    assert answer["sent"]["type"] == "fire"
    assert answer["sent"]["test"] is True
    assert answer["event_id"] is None


@pytest.mark.network
def test_emit_sends_what_can_be_used_and_says_what_cannot(mosquitto: Any) -> None:
    odd = ("--severity", "awful", "--lat", "37,1", "--lon", "127", "--camera", "North Gate")
    shown = run("emit", *odd, "--wait", "0", "--json", mqtt_port=mosquitto.port)

    answer = json.loads(shown.stdout)
    assert answer["sent"].keys() & {"severity", "lat", "lon", "camera"} == {"severity"}
    assert answer["sent"]["severity"] == "high"
    told = {warning["field"] for warning in answer["warnings"]}
    assert told == {"severity", "lat", "lon", "camera"}


@pytest.mark.network
def test_clip_requests_the_window_that_was_asked_for(mosquitto: Any) -> None:
    shown = run(
        "clip", "--camera", "north", "--at", "2026-01-01T00:00:00Z", "--pre", "10", "--json",
        mqtt_port=mosquitto.port,
    )  # fmt: skip

    request = json.loads(shown.stdout)
    assert request["camera"] == "north"
    assert request["ts"] == 1767225600.0
    assert (request["pre_s"], request["post_s"]) == (10.0, 300.0)


@pytest.mark.network
def test_check_passes_on_a_sound_machine(config: Path, tmp_path: Path, mosquitto: Any) -> None:
    run("keys", "init", config=config, data_dir=tmp_path)

    shown = run(
        "check", "--json",
        config=config, data_dir=tmp_path, mqtt_port=mosquitto.port,
        multicast_interface="127.0.0.1", free_space_floor_gb=0,
    )  # fmt: skip

    report = json.loads(shown.stdout)
    assert report["ok"], report
    assert shown.returncode == 0
    multicast = next(row for row in report["findings"] if row["what"] == "multicast")
    assert "joined (IGMP) on lo" in multicast["detail"]
    assert "TTL 1" in multicast["detail"]
    assert "IGMP querier" in multicast["advice"]


@pytest.mark.network
def test_check_names_the_camera_that_does_not_answer(tmp_path: Path) -> None:
    config = tmp_path / "cameras.yaml"
    config.write_text("cameras:\n  gone: {url: 'rtsp://127.0.0.1:9/main'}\n")

    shown = run("check", config=config, data_dir=tmp_path, multicast_interface="127.0.0.1")

    assert shown.returncode == 1
    assert "camera gone: unreachable" in shown.stdout
    assert "failed: " in shown.stderr


def test_a_camera_without_its_password_is_named(tmp_path: Path) -> None:
    config = tmp_path / "cameras.yaml"
    config.write_text("cameras:\n  gate: {url: 'rtsp://127.0.0.1/x', credentials: NOT_SET_HERE}\n")

    shown = run("check", config=config, data_dir=tmp_path, multicast_interface="127.0.0.1")

    assert shown.returncode == 1
    assert "NOT_SET_HERE must hold user:password" in shown.stdout


def test_recordings_of_nothing_are_empty(tmp_path: Path) -> None:
    assert json.loads(run("recordings", "--json", data_dir=tmp_path).stdout)["cameras"] == []


def test_recordings_tell_span_and_gaps(tmp_path: Path) -> None:
    hour = tmp_path / "recordings" / "north" / "20260101T00"
    hour.mkdir(parents=True)
    for start_ms, end_ms in ((1767225600000, 1767225609960), (1767225610000, 1767225620000), (1767225630000, 1767225640000)):  # fmt: skip
        (hour / f"{start_ms}-{end_ms}.ts").write_bytes(b"x" * 100)

    (north,) = json.loads(run("recordings", "--json", data_dir=tmp_path).stdout)["cameras"]

    assert north["segments"] == 3
    assert north["bytes"] == 300
    assert [(gap["start"], gap["end"]) for gap in north["gaps"]] == [(1767225620.0, 1767225630.0)]
