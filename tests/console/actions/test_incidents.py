"""What a person reports, in a picture or on the map."""

from __future__ import annotations

from typing import Any

import pytest

from hazardcast.contract import topics
from hazardcast.contract.messages import (
    Incident,
)
from hazardcast.mqtt.bus import Delivery
from tests.console.actions.conftest import Console


def answered_by_an_alert(console: Console) -> list[Incident]:
    heard: list[Incident] = []

    def hear(incident: Incident, _delivery: Delivery) -> None:
        heard.append(incident)
        console.on_air(ts=round(incident.ts or 0.0, 3))

    console.alerter.bus.subscribe(topics.INCIDENTS, hear)
    return heard


def test_an_incident_raised_in_a_picture_is_a_persons_report_and_keeps_the_video(
    console: Console,
) -> None:
    heard = answered_by_an_alert(console)

    answer = console.by("olivia").post("incidents", json={"type": "fire", "camera": "north"})

    assert (answer.status_code, answer.json()["event_id"]) == (202, "4097-1")
    (incident,) = heard
    assert (incident.camera, incident.lat, incident.lon) == (None, 37.1, 127.1)
    (clip,) = console.broker.messages(topics.CLIP_REQUESTS)
    assert (clip.event_id, clip.camera, clip.ts) == ("4097-1", "north", incident.ts)
    assert [(one.by, one.action) for one in console.kept] == [
        ("olivia", "raise"),
        ("olivia", "clip"),
    ]


def test_an_incident_is_out_though_its_clip_could_not_be_asked_for(console: Console) -> None:
    answered_by_an_alert(console)
    publish_now = console.bus.publish_now

    def but_clips(topic: Any, *args: Any, **more: Any) -> bool:
        return topic is not topics.CLIP_REQUESTS and publish_now(topic, *args, **more)

    console.bus.publish_now = but_clips  # type: ignore[method-assign]
    body = {"type": "fire", "camera": "north"}

    answer = console.by("olivia").post("incidents", json=body)

    assert answer.status_code == 202
    assert (answer.json()["event_id"], answer.json()["clip"]) == ("4097-1", False)


def test_an_incident_raised_on_the_map_stands_where_it_was_clicked(console: Console) -> None:
    heard = answered_by_an_alert(console)
    body = {"type": "blockage", "severity": "low", "lat": 37.2, "lon": 127.2, "test": True}
    console.by("olivia").post("incidents", json=body)
    assert (heard[0].lat, heard[0].lon, heard[0].test, heard[0].severity) == (
        37.2,
        127.2,
        True,
        "low",
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [({"type": "fire", "camera": "south"}, 404), ({"type": "fire", "camera": "nowhere"}, 404),
     ({"type": "fire", "lat": 37.0}, 422), ({"type": "ufo"}, 422), ({"type": "fire", "lat": 91, "lon": 0}, 422)],
)  # fmt: skip
def test_an_incident_that_cannot_be_is_refused(
    console: Console, body: dict[str, Any], status: int
) -> None:
    assert console.by("nora").post("incidents", json=body).status_code == status
    assert not console.broker.payloads(topics.INCIDENTS)
