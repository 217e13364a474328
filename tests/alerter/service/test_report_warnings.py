"""An accident is told though a part of its report is odd, and whoever reported it learns of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from hazardcast.config.settings import PREFIX
from hazardcast.contract.topics import WARNINGS
from hazardcast.testing import eventually

pytestmark = pytest.mark.network

ODD_FIELDS: list[dict[str, Any]] = [
    {"severity": "High"}, {"severity": None}, {"test": None}, {"clip_hint": None}, {"status": None},
    {"confidence": 85}, {"road": "segment_A\n"}, {"road": "a" * 80}, {"camera": "North"},
    {"distance_m": -1}, {"confirmed_at": "2026-11-27 15:00"}, {"evidence": "none"}, {"ts": "now"},
    {"event_id": "a b"}, {"lat": 37.1}, {"lat": 127.1, "lon": 37.1}, {"lat": "37,5", "lon": "127,1"},
    {"lat": True, "lon": False}, {"ts": 4e9}, {"Road": "A"}, {"by": "me"},
    {"event_id": "4097-77"}, {"confirmed_at": 9e9},
]  # fmt: skip


@pytest.fixture
def heard(world: Any, observer: Any) -> list[Any]:
    world.start()
    said: list[Any] = observer.hear(WARNINGS)
    return said


def test_no_odd_field_loses_an_accident(world: Any, observer: Any, heard: list[Any]) -> None:
    for number, odd in enumerate(ODD_FIELDS):
        observer.report(json.dumps({"type": "collision", "report_id": f"r{number}"} | odd))
    eventually(lambda: len(heard) == len(ODD_FIELDS), what="each report is answered")

    assert [said.report_id for said in heard] == [f"r{number}" for number in range(len(ODD_FIELDS))]
    for said, odd in zip(heard, ODD_FIELDS, strict=True):
        assert said.event_id is not None, (odd, said)
        assert set(odd) <= {warning.field for warning in said.warnings}, odd
    assert all((alert.lat, alert.lon) == (37.12, 127.12) for alert in world.ear.alerts)


def test_the_datagram_leaves_before_a_word_is_said_of_the_report(
    world: Any, observer: Any, heard: list[Any]
) -> None:
    observer.report('{"type":"collision","severity":"awful"}')

    (said,) = eventually(lambda: heard)
    first = eventually(lambda: world.ear.copies(said.event_id))[0]
    assert first.tx <= said.ts + 0.0005, "in milliseconds"


def test_a_refused_report_is_told_to_be(world: Any, observer: Any, heard: list[Any]) -> None:
    observer.report('{"type":"collision","status":"gone"}')
    observer.report("nothing")

    eventually(lambda: len(heard) == 2)
    assert [(said.result, said.field) for said in heard] == [
        ("refused", "status"),
        ("refused", None),
    ]
    assert world.ear.alerts == []


def test_a_leap_second_is_a_time(world: Any) -> None:
    world.start()
    minute = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M")
    answer = world.post(json.dumps({"type": "fire", "ts": f"{minute}:60Z"}))

    assert answer.status_code == 202


def test_a_dropped_file_has_its_warnings_beside_it(world: Any) -> None:
    world.start()
    (world.data / "events" / "a.json").write_bytes('{"type":"사고","road":3}'.encode("cp949"))
    beside = world.data / "events" / "done" / "a.json.warnings.txt"
    eventually(lambda: beside.exists() and beside.read_text())

    assert [line.split(":")[0] for line in beside.read_text().splitlines()] == ["payload", "road"]
    assert eventually(lambda: world.ear.alerts)[0].type == "collision"


def emit(world: Any, *options: str) -> dict[str, Any]:
    variables = {PREFIX + name.upper(): value for name, value in world.settings.items()}
    shown = subprocess.run(
        [sys.executable, "-m", "hazardcast_tools", "emit", "--json", "--wait", "10", *options],
        env={**os.environ, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return dict(json.loads(shown.stdout)) if shown.returncode == 0 else {"error": shown.stderr}


def test_emit_knows_its_own_answer_among_others_alike(world: Any) -> None:
    world.start()
    places = ["37.1", "37.2", "37.3"]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda lat: emit(world, "--lat", lat, "--lon", "127"), places))
    told = {alert["event_id"]: alert["lat"] for alert in world.get("alerts").json()["alerts"]}

    assert [told[answer["event_id"]] for answer in answers] == [37.1, 37.2, 37.3]
    again = emit(world, "--lat", "37.1", "--lon", "127")
    assert (again["result"], again["event_id"]) == ("unchanged", answers[0]["event_id"])


def test_emit_tells_what_could_not_be_used_and_what_is_refused(world: Any) -> None:
    world.start()

    warned = emit(world, "--severity", "awful", "--camera", "nowhere")
    assert [warning["field"] for warning in warned["warnings"]] == ["severity", "camera"]
    assert "no alert '4097-99' is in force" in emit(
        world, "--status", "cancel", "--event-id", "4097-99"
    )["error"]  # fmt: skip
    over_http = emit(world, "--camera", "nowhere", "--url", f"http://127.0.0.1:{world.http_port}/alert")  # fmt: skip
    assert [warning["field"] for warning in over_http["warnings"]] == ["camera"]
