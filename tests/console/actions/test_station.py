"""Cameras and health: who is told what of them."""

from __future__ import annotations

from typing import Any

import pytest

from hazardcast.contract import topics
from hazardcast.contract.messages import (
    ServiceStatus,
)
from tests.console.actions.conftest import Console


def status(console: Console, **fields: Any) -> None:
    told = {
        "service": "recorder",
        "instance": "r",
        "state": "online",
        "version": "1",
        "ts": console.clock.now(),
    }
    word = ServiceStatus.parse({**told, **fields})
    console.alerter.bus.publish(topics.STATUS, word, service=word.service, instance=word.instance)


def test_cameras_are_as_the_recorder_has_them(console: Console) -> None:
    status(console, cameras=[{"camera": "north", "state": "live", "last_frame_at": 5.0}])

    north, south = console.by(None).get("cameras").json()

    assert (north["id"], north["state"], north["last_frame_at"], north["lat"]) == (
        "north",
        "live",
        5.0,
        37.1,
    )
    assert [north[name] for name in ("codec", "width", "height")] == ["hevc", 1280, 720]
    assert south["codec"] is None
    assert north["playlist"] == "api/live-monitoring/hls/north/live.m3u8"
    assert (south["state"], south["lat"], south["policy"]) == ("unknown", 37.0, {"mode": "shadow"})
    assert [one["id"] for one in console.by("nora").get("cameras").json()] == ["north"]

    status(console, state="offline")
    assert console.by(None).get("cameras").json()[0]["state"] == "unknown"


def test_health_names_no_camera_to_who_may_not_see_it(console: Console) -> None:
    detail = {"alerting": {"shadow": ["south"]}}
    status(console, service="alerter", detail=detail)

    assert "south" in console.by("olivia").get("health").text
    assert "south" not in console.by("nora").get("health").text


def test_health_says_where_the_figures_are_drawn(console: Console) -> None:
    assert console.by(None).get("health").json()["figures_url"] == "http://figures:3000/"


def test_health_says_of_each_word_how_old_it_is(console: Console) -> None:
    status(console, ts=console.clock.now() - 7.0)

    told = console.by(None).get("health").json()

    (recorder,) = told["services"]
    assert recorder["at"] <= told["now"]
    assert told["clocks"][0]["offset_s"] == pytest.approx(-7.0, abs=0.5)
    assert told["broker"]["connected"] is True
    assert {one["name"] for one in told["disk"]} == {"archive", "console"}
    assert all(0 < one["free_bytes"] < one["total_bytes"] for one in told["disk"])
