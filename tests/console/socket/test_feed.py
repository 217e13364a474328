"""What retained topics say reaches the pages, and what a broker no longer says is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from console.socket.feed import SETTLED_AFTER_S, Feed
from console.socket.hub import Hub

from hazardcast.contract import topics
from hazardcast.contract.messages import (
    CameraStatus,
    ClipState,
    Detections,
    OtherClip,
    ServiceStatus,
    Window,
)
from hazardcast.contract.vocabulary import CameraState, ClipStage, ServiceState
from hazardcast.testing import ManualClock, MemoryBroker, MemoryBus

NORTH = frozenset({"north"})


class Heard(Hub):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.states: list[tuple[str, str, bool, frozenset[str] | None]] = []
        self.seen: list[tuple[str, Mapping[str, Any]]] = []
        self.wanted: set[str] = set()

    def is_watched(self, camera: str) -> bool:
        return camera in self.wanted

    def publish_detections(self, camera: str, message: Mapping[str, Any]) -> None:
        self.seen.append((camera, message))

    def publish_state(self, topic: str, key: str, value: Mapping[str, Any] | None, cameras: frozenset[str] | None) -> None:  # fmt: skip
        self.states.append((topic, key, value is not None, cameras))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
def hub() -> Heard:
    return Heard()


@pytest.fixture
def bus(broker: MemoryBroker, clock: ManualClock) -> MemoryBus:
    return broker.bus(clock)


@pytest.fixture
def feed(hub: Heard, bus: MemoryBus, clock: ManualClock) -> Feed:
    made = Feed(hub, bus, clock, cameras=frozenset({"north"}))
    made.subscribe()
    return made


def recorder(state: CameraState, detail: str | None = None) -> ServiceStatus:
    camera = CameraStatus(camera="north", state=state, detail=detail)
    return ServiceStatus(service="recorder", instance="1", state=ServiceState.ONLINE, version="0", ts=1.0, cameras=(camera,))  # fmt: skip


def test_detections_are_read_only_where_a_page_wants_them(feed: Feed, hub: Heard, broker: MemoryBroker) -> None:  # fmt: skip
    word = Detections(camera="north", ts=1_800_000_000.0, width=640, height=360, objects=(), frame_id=1, model="m", inference_ms=1.0)  # fmt: skip
    broker.send("v2x/detections/north", word.encode().encode())
    hub.wanted = {"north", "east"}
    broker.send("v2x/detections/north", word.encode().encode())
    broker.send("v2x/detections/east", word.encode().encode())
    broker.send("v2x/detections/north", b"{")

    assert [(camera, message["width"]) for camera, message in hub.seen] == [("north", 640)]


def test_why_a_camera_is_down_is_known_until_it_is_live(feed: Feed, broker: MemoryBroker) -> None:
    assert feed.why_down("north") is None

    broker.send(
        "v2x/status/recorder/1", recorder(CameraState.UNREACHABLE, "no route").encode().encode()
    )
    assert feed.why_down("north") == "unreachable: no route"

    broker.send("v2x/status/recorder/1", recorder(CameraState.LIVE).encode().encode())
    assert feed.why_down("north") is None


def test_what_a_broker_does_not_say_again_is_taken_back(feed: Feed, hub: Heard, clock: ManualClock) -> None:  # fmt: skip
    feed._said = {("active", "1"): NORTH, ("active", "2"): NORTH}
    feed._connected()
    feed._doubted.discard(("active", "2"))
    feed.tick()
    assert hub.states == []

    clock.advance(SETTLED_AFTER_S)
    feed.tick()

    assert hub.states == [("active", "1", False, NORTH)]
    assert set(feed._said) == {("active", "2")}


def test_what_is_cleared_is_told_to_who_sees_its_cameras(feed: Feed, hub: Heard, broker: MemoryBroker) -> None:  # fmt: skip
    window = Window(start=1.0, end=2.0)
    other = OtherClip(camera="south", state=ClipStage.READY, requested=window, coverage=1.0)
    clip = ClipState(event_id="4097-1-1", camera="north", state=ClipStage.READY, requested=window, updated_at=3.0, others=(other,))  # fmt: skip
    broker.send("v2x/clips/4097-1-1", clip.encode().encode(), retain=True)
    broker.send("v2x/clips/4097-1-1", b"", retain=True)

    both = frozenset({"north", "south"})
    assert hub.states == [("clips", "4097-1-1", True, both), ("clips", "4097-1-1", False, both)]
    assert topics.CLIPS.template == "v2x/clips/{event_id}"


def test_what_was_never_said_is_cleared_for_those_who_see_all(feed: Feed, hub: Heard, broker: MemoryBroker) -> None:  # fmt: skip
    broker.send("v2x/clips/4097-1-1", b"", retain=True)

    assert hub.states == [("clips", "4097-1-1", False, frozenset())]
