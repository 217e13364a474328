"""What a full outbox gives up: states that are outdated, what is worth little late; accidents last."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hazardcast.config.settings import Settings
from hazardcast.contract.messages import ClipRequest, Incident, ServiceStatus
from hazardcast.contract.topics import CLIP_REQUESTS, INCIDENTS, STATUS
from hazardcast.mqtt import bus as bus_module
from hazardcast.mqtt import outbox
from hazardcast.mqtt.bus import MqttBus
from hazardcast.mqtt.outbox import Waiting
from hazardcast.testing import eventually

MOST = 200


def waiting(*messages: tuple[str, dict[str, Any]]) -> dict[int, Waiting]:
    retained = ("v2x/status", "v2x/active", "v2x/clips", "v2x/evidence")
    return {
        mid: Waiting(path, json.dumps(said).encode(), path.startswith(retained))
        for mid, (path, said) in enumerate(messages, start=1)
    }


def incident(**fields: Any) -> tuple[str, dict[str, Any]]:
    return "v2x/alert", {"type": "collision", **fields}


def test_topics_give_way_in_the_order_of_their_worth() -> None:
    held = waiting(
        incident(), ("v2x/clip-request", {}), ("v2x/active/4097-1", {}), ("v2x/clips/4097-1", {}),
        ("v2x/evidence/x", {}), ("v2x/receipts/car-1", {}), ("v2x/status/detector/a", {}),
        ("v2x/broadcast", {}),
    )  # fmt: skip

    assert outbox.least(held, 8) == [8, 7, 6, 5, 4, 3, 2, 1]


def test_a_state_that_a_newer_one_outdates_goes_first_whatever_it_is() -> None:
    held = waiting(
        ("v2x/status/camera/a", {}), ("v2x/active/4097-1", {"revision": 0}),
        ("v2x/active/4097-2", {}), ("v2x/active/4097-1", {"revision": 1}),
    )  # fmt: skip

    assert outbox.least(held, 2) == [2, 1]


def test_of_incidents_changes_go_before_what_opens_the_slight_before_the_grave_then_the_oldest() -> (
    None
):
    held = waiting(
        incident(severity="critical", camera="a"), incident(severity="low", camera="b"),
        incident(camera="c"), incident(severity="high", camera="d"),
        incident(severity="critical", status="cancel", camera="e"),
    )  # fmt: skip

    assert outbox.least(held, 5) == [5, 2, 3, 4, 1]


def test_a_camera_beyond_its_tenth_gives_way_before_the_one_accident_of_another() -> None:
    flood = [incident(camera="flaps", severity="critical") for _ in range(30)]
    held = waiting(incident(camera="other", severity="low"), *flood)

    assert 1 not in outbox.least(held, 30)


def test_what_is_no_json_is_weighed_too() -> None:
    held = {1: Waiting("v2x/alert", b"\xff"), 2: Waiting("v2x/alert", b"[]")}
    assert outbox.least(held, 1) == [1]


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[MqttBus]:
    """A bus whose broker does not answer, with a small outbox."""
    monkeypatch.setattr(bus_module, "OUTBOX_MESSAGES", MOST)
    bus = MqttBus(Settings(mqtt_port=1), client_id="away")
    yield bus
    bus.close()


def status(instance: str) -> ServiceStatus:
    return ServiceStatus(service="camera", instance=instance, state="online", version="0", ts=1.0)


def held(bus: MqttBus) -> list[str]:
    return [message.topic for message in bus._client._out_messages.values()]


def test_an_accident_is_kept_however_many_statuses_wait(away: MqttBus) -> None:
    for number in range(MOST):
        assert away.publish(STATUS, status(f"c{number}"), service="camera", instance=f"c{number}")

    assert away.publish(INCIDENTS, Incident.parse({"type": "fire"}))
    assert away.publish(CLIP_REQUESTS, ClipRequest(event_id="x", camera="north", ts=1.0))

    assert held(away)[-2:] == ["v2x/alert", "v2x/clip-request"]
    assert "v2x/status/camera/c0" not in held(away)
    assert len(held(away)) <= MOST


def test_a_status_takes_no_accident_s_place_and_says_so(away: MqttBus) -> None:
    for _ in range(MOST):
        away.publish(INCIDENTS, Incident.parse({"type": "fire"}))

    assert not away.publish(STATUS, status("c"), service="camera", instance="c")
    assert held(away) == ["v2x/alert"] * MOST


def test_among_accidents_alike_the_oldest_gives_way_to_the_newest(away: MqttBus) -> None:
    for number in range(MOST + 50):
        assert away.publish(INCIDENTS, Incident.parse({"type": "fire", "road": str(number)}))

    kept = [json.loads(m.payload)["road"] for m in away._client._out_messages.values()]
    assert kept[-1] == str(MOST + 49)
    assert kept == sorted(kept, key=int)
    assert len(kept) <= MOST


@pytest.mark.network
def test_what_was_kept_arrives_and_what_was_dropped_holds_up_nothing(
    mosquitto: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "OUTBOX_MESSAGES", MOST)
    listener = MqttBus(mosquitto.settings(), client_id="listener")
    heard: list[str] = []
    listener.subscribe(INCIDENTS, lambda message, _: heard.append(str(message.road)))
    speaker = MqttBus(mosquitto.settings(), client_id="speaker")
    for bus in (listener, speaker):
        bus.start()
        assert bus.wait_connected(5)
    mosquitto.freeze()
    for number in range(3 * MOST):
        speaker.publish(STATUS, status("c"), service="camera", instance="c")
        speaker.publish(INCIDENTS, Incident.parse({"type": "fire", "road": f"r{number}"}))
    mosquitto.thaw()

    eventually(lambda: f"r{3 * MOST - 1}" in heard, within_s=10)
    eventually(lambda: speaker.backlog == 0)
    listener.close()
    speaker.close()
