"""The same tests on the bus in memory and on a real broker, so that the fake cannot drift."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hazardcast.contract.messages import ClipRequest, ClipState, Incident, ServiceStatus, Window
from hazardcast.contract.topics import BROADCAST, CLIP_REQUESTS, CLIPS, INCIDENTS, STATUS
from hazardcast.mqtt.bus import Bus, Delivery, MqttBus
from hazardcast.service import metrics
from hazardcast.testing import MemoryBroker, eventually

MakeBus = Callable[..., Any]


@pytest.fixture(params=["memory", "mosquitto", "embedded_broker"])
def make_bus(request: pytest.FixtureRequest) -> Iterator[MakeBus]:
    """Makes buses of one broker, in memory or real."""
    buses: list[Any] = []
    if request.param == "memory":
        memory = MemoryBroker()

        def make(name: str, **options: Any) -> Any:
            buses.append(memory.bus())
            return buses[-1]
    else:
        settings = request.getfixturevalue(request.param).settings()

        def make(name: str, **options: Any) -> Any:
            bus = MqttBus(settings, client_id=name, **options)
            bus.start()
            assert bus.wait_connected(5)
            buses.append(bus)
            return bus

    yield make
    for bus in buses:
        bus.close()


@pytest.fixture(params=["mosquitto", "embedded_broker"])
def real_broker(request: pytest.FixtureRequest) -> Any:
    """Each broker that the system runs on."""
    return request.getfixturevalue(request.param)


def collect(bus: Bus, topic: Any) -> list[tuple[Any, Delivery]]:
    heard: list[tuple[Any, Delivery]] = []
    bus.subscribe(topic, lambda message, delivery: heard.append((message, delivery)))
    return heard


def collision(**fields: Any) -> Incident:
    return Incident.parse({"type": "collision", **fields})


def clip_state(event_id: str) -> ClipState:
    window = Window(start=1.0, end=2.0)
    return ClipState(
        event_id=event_id, camera="north", state="pending", requested=window, updated_at=1.0
    )


def said_until_heard(say: Callable[[], Any], heard: list[Any]) -> None:
    """A real subscription takes effect a moment later."""

    def try_again() -> bool:
        if not heard:
            say()
        return bool(heard)

    eventually(try_again)


def test_a_message_arrives_typed_and_with_its_circumstances(make_bus: MakeBus) -> None:
    bus, other = make_bus("a"), make_bus("b")
    heard = collect(other, INCIDENTS)

    said_until_heard(lambda: bus.publish(INCIDENTS, collision(camera="north")), heard)

    message, delivery = heard[0]
    assert message == collision(camera="north")
    assert (delivery.path, delivery.retained) == ("v2x/alert", False)


def test_parameters_of_a_topic_reach_the_handler(make_bus: MakeBus) -> None:
    bus, other = make_bus("a"), make_bus("b")
    heard = collect(other, CLIPS)

    said_until_heard(lambda: bus.publish(CLIPS, clip_state("4097-1"), event_id="4097-1"), heard)

    assert heard[0][1].parameters == {"event_id": "4097-1"}


def test_what_is_retained_reaches_a_late_comer_until_it_is_cleared(make_bus: MakeBus) -> None:
    bus = make_bus("a")
    bus.publish(CLIPS, clip_state("4097-1"), event_id="4097-1")
    bus.publish(CLIPS, clip_state("4097-2"), event_id="4097-2")
    bus.clear(CLIPS, event_id="4097-2")
    if isinstance(bus, MqttBus):
        assert bus.flush(5)

    heard = collect(make_bus("late"), CLIPS)
    eventually(lambda: heard)

    assert [(message.event_id, delivery.retained) for message, delivery in heard] == [
        ("4097-1", True)
    ]


def test_a_removal_is_told_apart_from_a_message(make_bus: MakeBus) -> None:
    bus, other = make_bus("a"), make_bus("b")
    cleared: list[str] = []
    other.subscribe(
        CLIPS,
        lambda *_: None,
        cleared=lambda delivery: cleared.append(delivery.parameters["event_id"]),
    )

    said_until_heard(lambda: bus.clear(CLIPS, event_id="4097-1"), cleared)

    assert cleared[0] == "4097-1"


def test_text_passes_byte_for_byte(make_bus: MakeBus) -> None:
    bus, other = make_bus("a"), make_bus("b")
    heard: list[str] = []
    other.subscribe_text(BROADCAST, lambda text, _: heard.append(text))

    said_until_heard(lambda: bus.publish_text(BROADCAST, "e30.e30.c2ln"), heard)

    assert heard[0] == "e30.e30.c2ln"


def test_a_message_that_does_not_parse_is_dropped_and_the_next_one_heard(
    make_bus: MakeBus,
) -> None:
    bus, other = make_bus("a"), make_bus("b")
    heard = collect(other, INCIDENTS)
    said_until_heard(lambda: bus.publish(INCIDENTS, collision()), heard)
    heard.clear()

    for broken in (
        "{",
        "[]",
        '{"type": 7}',
        '{"type":"fire","ts":NaN}',
        "\ud800".encode("utf-8", "ignore").decode(),
        " " * 70_000,
    ):
        bus.publish_text(INCIDENTS, broken)
    bus.publish(INCIDENTS, collision(road="after"))

    eventually(lambda: heard)
    assert [message.road for message, _ in heard] == ["after"]


def test_a_handler_that_fails_does_not_stop_the_bus(make_bus: MakeBus) -> None:
    bus, other = make_bus("a"), make_bus("b")
    heard: list[str] = []

    def fail_once(message: ClipRequest, _: Delivery) -> None:
        heard.append(message.event_id)
        if len(heard) == 1:
            raise RuntimeError("a bug")

    other.subscribe(CLIP_REQUESTS, fail_once)
    request = ClipRequest(event_id="x", camera="north", ts=1.0)
    said_until_heard(lambda: bus.publish(CLIP_REQUESTS, request), heard)
    bus.publish(CLIP_REQUESTS, request)

    eventually(lambda: len(heard) >= 2)


@pytest.mark.network
def test_the_last_will_tells_that_a_service_died(real_broker: Any) -> None:
    will = ServiceStatus(service="recorder", instance="r1", state="offline", version="0", ts=1.0)
    dying = MqttBus(real_broker.settings(), client_id="dying", will=will)
    dying.start()
    assert dying.wait_connected(5)
    watcher = MqttBus(real_broker.settings(), client_id="watcher")
    heard = collect(watcher, STATUS)
    watcher.start()
    assert watcher.wait_connected(5)

    dying._client.socket().close()  # type: ignore[union-attr]

    eventually(lambda: heard, within_s=10)
    assert heard[0][0].state == "offline"
    watcher.close()
    dying.close()


@pytest.mark.network
def test_what_is_said_while_the_broker_is_away_arrives_when_it_is_back(mosquitto: Any) -> None:
    listener = MqttBus(mosquitto.settings(), client_id="listener", persistent=True)
    heard = collect(listener, INCIDENTS)
    listener.start()
    speaker = MqttBus(mosquitto.settings(), client_id="speaker")
    speaker.start()
    assert listener.wait_connected(5)
    assert speaker.wait_connected(5)

    mosquitto.stop()
    eventually(lambda: not speaker.connected)
    assert speaker.publish(INCIDENTS, collision(road="kept"))
    mosquitto.start()

    eventually(lambda: heard, within_s=20)
    assert heard[0][0].road == "kept"
    listener.close()
    speaker.close()


@pytest.mark.network
def test_the_backlog_is_what_the_broker_has_still_to_acknowledge(mosquitto: Any) -> None:
    speaker = MqttBus(mosquitto.settings(), client_id="speaker")
    speaker.start()
    assert speaker.wait_connected(5)
    assert speaker.backlog == 0
    socket_of_speaker = speaker._client.socket()
    assert socket_of_speaker is not None

    mosquitto.freeze()
    for _ in range(20):
        speaker.publish(INCIDENTS, collision())
    assert speaker.backlog == 20
    mosquitto.thaw()

    eventually(lambda: speaker.backlog == 0)
    for _ in range(500):
        speaker.publish(INCIDENTS, collision())
        assert speaker.flush(5)
    assert len(speaker._owed) < 10, "what is acknowledged is not kept, even if nobody asks"
    speaker.close()


@pytest.mark.network
def test_a_persistent_session_gets_what_was_said_during_its_restart(real_broker: Any) -> None:
    first = MqttBus(real_broker.settings(), client_id="clipper", persistent=True)
    collect(first, CLIP_REQUESTS)
    first.start()
    assert first.wait_connected(5)
    eventually(first._client.is_connected)
    first.flush(1)
    _subscribed(real_broker, first)
    first.close()

    speaker = MqttBus(real_broker.settings(), client_id="speaker")
    speaker.start()
    assert speaker.wait_connected(5)
    speaker.publish(CLIP_REQUESTS, ClipRequest(event_id="while-away", camera="north", ts=1.0))
    assert speaker.flush(5)

    second = MqttBus(real_broker.settings(), client_id="clipper", persistent=True)
    heard = collect(second, CLIP_REQUESTS)
    second.start()
    eventually(lambda: heard)
    assert heard[0][0].event_id == "while-away"
    second.close()
    speaker.close()


def _subscribed(mosquitto: Any, bus: MqttBus) -> None:
    """Wait until the broker has processed the subscription: a retained echo proves the order."""
    bus.publish(CLIPS, clip_state("order"), event_id="order")
    assert bus.flush(5)


@pytest.mark.network
def test_any_mqtt_client_can_report_an_accident(real_broker: Any) -> None:
    bus = MqttBus(real_broker.settings(), client_id="alerter")
    heard = collect(bus, INCIDENTS)
    bus.start()
    assert bus.wait_connected(5)
    stranger = paho.Client(CallbackAPIVersion.VERSION2)
    stranger.connect("127.0.0.1", real_broker.port)
    stranger.loop_start()

    said_until_heard(lambda: stranger.publish("v2x/alert", '{"type":"collision"}', qos=1), heard)

    assert heard[0][0] == collision()
    stranger.loop_stop()
    bus.close()


@pytest.mark.network
@pytest.mark.parametrize(
    "level",
    ["\u202egnp", "\x1b[2J\x1b]0;owned\x07", "a\n12:00:00 INFO x: forged", "\x9b", "\u2028"],
)
def test_a_topic_that_steers_a_terminal_passes_no_embedded_broker(
    embedded_broker: Any, level: str
) -> None:
    listener = MqttBus(embedded_broker.settings(), client_id="listener")
    heard: list[str] = []
    listener._client.on_message = lambda _client, _data, message: heard.append(message.topic)
    listener.subscribe(CLIPS, lambda *_: None)
    listener.start()
    assert listener.wait_connected(5)
    stranger = paho.Client(CallbackAPIVersion.VERSION2)
    stranger.will_set(f"v2x/clips/will{level}", b"x", qos=1, retain=True)
    stranger.connect("127.0.0.1", embedded_broker.port)
    stranger.loop_start()

    stranger.publish(f"v2x/clips/{level}", b"x", qos=1, retain=True)
    said_until_heard(lambda: stranger.publish("v2x/clips/plain", b"x", qos=1), heard)

    assert set(heard) == {"v2x/clips/plain"}
    stranger.loop_stop()
    listener.close()


def test_bytes_arrive_as_they_were_said(make_bus: MakeBus) -> None:
    bus, other = make_bus("a"), make_bus("b")
    heard: list[bytes] = []
    other.subscribe_bytes(BROADCAST, lambda payload, _delivery: heard.append(payload))

    said_until_heard(lambda: bus.publish_text(BROADCAST, "{사고"), heard)

    assert heard[0] == "{사고".encode()


@pytest.mark.network
def test_a_connection_beside_the_services_own_may_end_and_the_service_still_has_the_broker(mosquitto: Any) -> None:  # fmt: skip
    will = ServiceStatus(service="alerter", instance="a", state="offline", version="1", ts=1.0)
    own = MqttBus(mosquitto.settings(), client_id="alerter", will=will)
    beside = MqttBus(mosquitto.settings(), client_id="alerter-numbers")
    for bus in (own, beside):
        bus.start()
        assert bus.wait_connected(5.0)

    beside.close()
    assert metrics.MQTT_CONNECTED._value.get() == 1

    own.close()
    eventually(lambda: metrics.MQTT_CONNECTED._value.get() == 0)


def test_what_was_not_acknowledged_comes_again_and_says_so(mosquitto: Any) -> None:
    bus = MqttBus(mosquitto.settings(), client_id="hearer", persistent=True)
    heard: list[bool] = []

    def hear(_incident: Incident, delivery: Delivery) -> None:
        heard.append(delivery.again)
        if len(heard) == 1:
            bus._client._sock.shutdown(2)  # type: ignore[union-attr] # lost while it is dealt with

    bus.subscribe(INCIDENTS, hear)
    bus.start()
    assert bus.wait_connected(5)
    said_until_heard(lambda: bus.publish(INCIDENTS, collision()), heard)
    eventually(lambda: True in heard, within_s=15, what="it is delivered again")
    bus.close()

    assert heard[0] is False
