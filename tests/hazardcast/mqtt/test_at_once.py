"""Now or never, on a real broker: what it does not take in time is not said later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hazardcast.contract.messages import Incident
from hazardcast.contract.topics import INCIDENTS
from hazardcast.mqtt.bus import MqttBus
from hazardcast.testing import eventually

pytestmark = pytest.mark.network


@pytest.fixture
def buses(mosquitto: Any) -> Iterator[tuple[MqttBus, MqttBus, list[str]]]:
    """One that says, one that hears, and what it heard."""
    heard: list[str] = []
    ear, mouth = (MqttBus(mosquitto.settings(), client_id=name) for name in ("ear", "mouth"))
    ear.subscribe(INCIDENTS, lambda incident, _: heard.append(str(incident.road)))
    for bus in (ear, mouth):
        bus.start()
        assert bus.wait_connected(5)
    eventually(lambda: mouth.publish(INCIDENTS, incident("begin")) and "begin" in heard)
    yield mouth, ear, heard
    mosquitto.thaw()
    for bus in (ear, mouth):
        bus.close()


def incident(road: str) -> Incident:
    return Incident.parse({"type": "collision", "road": road})


def test_what_the_broker_takes_is_said(buses: Any) -> None:
    mouth, _, heard = buses
    assert mouth.publish_now(INCIDENTS, incident("now"), within_s=5.0)
    eventually(lambda: "now" in heard)


def test_what_a_lost_broker_did_not_take_never_waits(buses: Any, mosquitto: Any) -> None:
    mouth, _, _ = buses
    mosquitto.stop()
    eventually(lambda: not mouth.connected, within_s=10)
    mouth._connected.set()  # as in the moment before the loss is noticed

    assert not mouth.publish_now(INCIDENTS, incident("never"), within_s=0.2)

    assert not mouth._client._out_messages
    assert mouth.publish(INCIDENTS, incident("later"))
    assert len(mouth._client._out_messages) == 1, "what may wait does"
    mosquitto.start()


def test_a_broker_that_hangs_is_waited_for_no_longer_than_asked(buses: Any, mosquitto: Any) -> None:
    mouth, _, _ = buses
    mosquitto.freeze()
    assert not mouth.publish_now(INCIDENTS, incident("late"), within_s=0.2)
    mosquitto.thaw()

    for number in range(150):  # more than may be on their way at once: none is still counted
        assert mouth.publish_now(INCIDENTS, incident(str(number)), within_s=5.0)
