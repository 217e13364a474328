"""The site's own map: as it lies there, or not at all and told why."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from console.actions import ground
from console.actions.ground import Ground
from console.doors.accounts import Book
from console.doors.guard import FreeView, Guard
from console.doors.sessions import Sessions
from console.http.app import application
from fastapi.testclient import TestClient

from hazardcast.service.metrics import Health
from hazardcast.testing import ManualClock

STREET = {"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": [[127.1, 37.1], [127.2, 37.2]]}}  # fmt: skip
DRAWN = json.dumps({"type": "FeatureCollection", "features": [STREET]})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "map.geojson"


def asked(shown: Ground, host: str = "localhost:8088") -> TestClient:
    clock = ManualClock()
    guard = Guard(FreeView(published_locally=True, allowed=True), lambda: Book({}, {}), Sessions(clock, [], lambda _: None), clock)  # fmt: skip
    return TestClient(application(guard, Health(), [ground.router(shown)]), base_url=f"http://{host}")  # fmt: skip


def test_the_map_is_answered_as_it_lies_there(file: Path) -> None:
    file.write_text(DRAWN)

    answer = asked(Ground(file)).get("/api/v1/map.geojson")

    assert answer.text == DRAWN
    assert answer.headers["content-type"].startswith("application/geo+json")


def test_where_there_is_none_that_is_said(file: Path) -> None:
    answer = asked(Ground(file)).get("/api/v1/map.geojson")

    assert answer.status_code == 404
    assert "cameras.yaml" in answer.json()["detail"]


def test_who_may_not_look_gets_no_map(file: Path) -> None:
    file.write_text(DRAWN)

    assert asked(Ground(file), "10.0.0.1").get("/api/v1/map.geojson").status_code == 401


def test_a_map_that_comes_changes_or_goes_is_followed(file: Path) -> None:
    shown = Ground(file)
    assert shown.text() is None
    file.write_text(DRAWN)
    assert shown.text() == DRAWN.encode()
    other = DRAWN.replace("127.1", "127.15")
    file.write_text(other)
    assert shown.text() == other.encode()
    file.unlink()
    assert shown.text() is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("{", "no JSON"),
        ("[]", "type: None"),
        ('{"type": "Topology"}', "type: 'Topology'"),
        ('{"type": ["Feature"]}', "type: ['Feature'] is none"),
        ('{"type": "FeatureCollection"}', "features: no list"),
        ('{"type": "Point", "coordinates": [NaN, 1]}', "NaN is no number"),
        ("[" * 100_000, "no JSON"),
        ("\ud800", "no JSON"),
    ],
)
def test_what_cannot_be_drawn_is_none_and_told_once(
    file: Path, text: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    shown = Ground(file)

    assert shown.text() is None
    assert shown.text() is None
    (line,) = caplog.records
    assert why in line.reason  # type: ignore[attr-defined]


def test_a_map_beyond_all_bounds_is_not_read(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.touch()
    os.truncate(file, ground.MOST_BYTES + 1)

    assert Ground(file).text() is None
    assert "longer than" in caplog.records[0].reason  # type: ignore[attr-defined]
