"""One socket a tab: what it tells, to whom, and what it costs when nobody reads it."""

from __future__ import annotations

import json
import struct
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from console.doors.accounts import Book
from console.doors.guard import FreeView, Guard
from console.doors.sessions import Sessions
from console.doors.viewer import Role, Viewer
from console.http.app import application
from console.http.server import HttpServer
from console.live.routes import LiveRoom
from console.socket import session as session_module
from console.socket.hub import Hub, Listener, said
from console.socket.outbox import MOST_ANSWERS, MOST_EVENT_BYTES, Outbox
from console.socket.routes import MOST_OF_ONE, router
from console.socket.session import MOST_ASKED, SocketRoom
from console.socket.words import read, wanted
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from hazardcast.service.metrics import Health
from hazardcast.testing import ManualClock, eventually
from tests.console.live.conftest import PART_BYTES, Camera, camera, room

__all__ = ["camera", "room"]


@dataclass
class Events:
    """What the store would tell."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def events(self, after_seq: int, limit: int, cameras: Collection[str] | None = None) -> list[dict[str, Any]]:  # fmt: skip
        later = [row for row in self.rows if row["seq"] > after_seq]
        return [row for row in later if cameras is None or row["camera"] in {*cameras, None}][:limit]  # fmt: skip


NORTH = frozenset({"north"})


def event(seq: int, camera: str | None = "north", **more: Any) -> dict[str, Any]:
    return {"seq": seq, "camera": camera, **more}


class MovableGuard(Guard):
    """A guard whose word about the viewer a test may change."""

    viewer: Viewer | None = Viewer("kim", Role.OPERATOR, None)

    def viewer_of(self, connection: object) -> Viewer | None:
        return MovableGuard.viewer


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def sees() -> Iterator[Callable[[Viewer | None], None]]:
    """Who looks from now on."""
    MovableGuard.viewer = Viewer("kim", Role.OPERATOR, None)
    yield lambda viewer: setattr(MovableGuard, "viewer", viewer)
    MovableGuard.viewer = Viewer("kim", Role.OPERATOR, None)


@pytest.fixture
def address(room: LiveRoom, hub: Hub, events: Events, sees: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:  # fmt: skip
    monkeypatch.setattr(session_module, "LOOK_S", 0.1)
    monkeypatch.setattr(session_module, "BEAT_S", 0.3)
    clock = ManualClock()
    guard = MovableGuard(FreeView(published_locally=True, allowed=True), lambda: Book({}, {}), Sessions(clock, [], lambda _: None), clock)  # fmt: skip
    stop = threading.Event()
    reader = threading.Thread(target=room.live.run, args=(stop,))
    reader.start()
    sockets = SocketRoom(hub, room, events, room.clock, lambda: True)
    server = HttpServer(application(guard, Health(), [router(sockets)]), host="127.0.0.1", port=0)
    yield f"ws://127.0.0.1:{server.port}/api/v1/live"
    server.close()
    stop.set()
    reader.join()


def say(socket: Connection, **word: Any) -> None:
    socket.send(json.dumps(word))


def hear(socket: Connection, op: str, within_s: float = 5.0) -> dict[str, Any]:
    """The next word of this kind."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        data = socket.recv(timeout=within_s)
        if isinstance(data, str) and (word := json.loads(data))["op"] == op:
            assert isinstance(word, dict)
            return word
    raise AssertionError(f"no {op}")


def hear_each(socket: Connection, *ops: str, within_s: float = 5.0) -> dict[str, Any]:
    """The next word of each kind, in whatever order they come."""
    heard: dict[str, Any] = {}
    until = time.monotonic() + within_s
    while missing := set(ops) - heard.keys():
        assert time.monotonic() < until, f"no {missing}"
        data = socket.recv(timeout=within_s)
        if isinstance(data, str) and (word := json.loads(data))["op"] in missing:
            heard[word["op"]] = word
    return heard


def fetch(socket: Connection, number: int, within_s: float = 8.0) -> tuple[int, bytes]:
    """Status and bytes of the answer to a `get`."""
    while True:
        data = socket.recv(timeout=within_s)
        if isinstance(data, bytes):
            answered, status = struct.unpack(">IH", data[:6])
            if answered == number:
                return status, data[6:]


def closing(socket: Connection, within_s: float = 8.0) -> int:
    """The code that it ends with."""
    while True:
        try:
            socket.recv(timeout=within_s)
        except ConnectionClosed as closed:
            assert closed.rcvd is not None
            return int(closed.rcvd.code)


def greeted(socket: Connection, seq: int | None = None) -> dict[str, Any]:
    say(socket, op="hello", seq=seq)
    return hear(socket, "welcome")


def test_a_page_is_welcomed_with_the_time_and_the_newest_event(address: str, hub: Hub) -> None:
    hub.publish_event(7, "north", event(7))
    with connect(address) as socket:
        word = greeted(socket)

    assert (word["seq"], word["broker"]) == (7, True)
    assert abs(word["now"] - time.time()) < 60


def test_an_event_reaches_every_page_once(address: str, hub: Hub) -> None:
    with connect(address) as one, connect(address) as other:
        greeted(one)
        greeted(other)
        hub.publish_event(1, "north", event(1))
        hub.publish_event(1, "north", event(1))
        hub.publish_event(2, None, event(2, None))

        for socket in (one, other):
            assert [hear(socket, "event")["event"]["seq"] for _ in range(2)] == [1, 2]


def test_a_page_hears_of_its_own_cameras_alone(address: str, hub: Hub, sees: Callable[[Viewer | None], None]) -> None:  # fmt: skip
    sees(Viewer("lee", Role.VIEWER, frozenset({"south"})))
    hub.publish_state("active", "1", {"a": 1}, NORTH)
    with connect(address) as socket:
        greeted(socket)
        say(socket, op="watch", cameras=["north", "south", "nowhere"])
        eventually(lambda: bool(hub._watched.get("south")))
        hub.publish_event(1, "north", event(1))
        hub.publish_detections("north", {"objects": []})
        hub.publish_state("active", "2", {"a": 2}, NORTH)
        hub.publish_detections("south", {"objects": [1]})
        hub.publish_event(2, "south", event(2, "south"))
        say(socket, op="get", id=1, path="api/live-monitoring/hls/north/live.m3u8")

        heard = hear_each(socket, "event", "detections")  # events may overtake
        assert heard["event"]["event"]["seq"] == 2
        assert heard["detections"]["camera"] == "south"
        assert fetch(socket, 1)[0] == 404


def test_a_page_that_was_away_is_told_what_it_missed(address: str, hub: Hub, events: Events) -> None:  # fmt: skip
    events.rows = [event(seq) for seq in range(1, 6)]
    hub.publish_events(events.rows)
    with connect(address) as socket:
        greeted(socket, 3)
        hub.publish_event(6, "north", event(6))

        assert [hear(socket, "event")["event"]["seq"] for _ in range(3)] == [4, 5, 6]


@pytest.mark.parametrize(("newest", "seq"), [(1500, 10), (5, 900)])
def test_a_page_that_was_away_for_too_long_asks_anew(address: str, hub: Hub, events: Events, newest: int, seq: int) -> None:  # fmt: skip
    events.rows = [event(one) for one in range(1, newest + 1)]
    hub.newest_seq = newest
    with connect(address) as socket:
        greeted(socket, seq)

        assert hear(socket, "resync") == {"op": "resync", "seq": newest}


def test_what_was_missed_and_is_too_long_to_be_told_is_asked_anew(address: str, hub: Hub, events: Events) -> None:  # fmt: skip
    events.rows = [event(seq, body="x" * 20_000) for seq in range(1, 61)]
    hub.newest_seq = 60
    with connect(address) as socket:
        greeted(socket, 0)

        assert hear(socket, "resync")["seq"] == 60
        hub.publish_event(61, "north", event(61))
        assert hear(socket, "event")["event"]["seq"] == 61


def test_the_present_state_is_told_first_and_cleared_ones_not_at_all(address: str, hub: Hub) -> None:  # fmt: skip
    hub.publish_state("active", "1", {"a": 1}, NORTH)
    hub.publish_state("active", "2", {"a": 2}, NORTH)
    hub.publish_state("active", "1", None, NORTH)
    with connect(address) as socket:
        greeted(socket)

        assert hear(socket, "state") == {"op": "state", "topic": "active", "key": "2", "value": {"a": 2}}  # fmt: skip
        hub.publish_state("active", "2", None, NORTH)
        assert hear(socket, "state")["value"] is None


def test_of_a_service_a_page_hears_its_own_cameras_alone(address: str, hub: Hub, sees: Callable[[Viewer | None], None]) -> None:  # fmt: skip
    sees(Viewer("lee", Role.VIEWER, frozenset({"south"})))
    status = {"service": "recorder", "cameras": [{"camera": "north"}, {"camera": "south"}], "detail": {"north": 1}}  # fmt: skip
    hub.publish_state("status", "recorder/1", status, None)
    with connect(address) as socket:
        greeted(socket)

        assert hear(socket, "state")["value"] == {"service": "recorder", "cameras": [{"camera": "south"}], "detail": {}}  # fmt: skip


def test_of_an_events_clips_a_page_hears_its_own_alone(address: str, hub: Hub, sees: Callable[[Viewer | None], None]) -> None:  # fmt: skip
    sees(Viewer("lee", Role.VIEWER, frozenset({"south"})))
    north = {"camera": "north", "state": "ready", "path": "/archive/north.mp4"}
    south = {"camera": "south", "state": "recording", "path": "/archive/south.mp4"}
    hub.publish_state("clips", "1", {**south, "event_id": "1", "updated_at": 5.0, "others": [north]}, frozenset({"north", "south"}))  # fmt: skip
    hub.publish_state("clips", "2", {**north, "event_id": "2", "updated_at": 5.0, "others": [south]}, frozenset({"north", "south"}))  # fmt: skip
    hub.publish_state("clips", "3", {**north, "event_id": "3", "updated_at": 5.0, "others": None}, NORTH)  # fmt: skip
    with connect(address) as socket:
        greeted(socket)
        hub.publish_state("clips", "3", None, NORTH)
        hub.publish_state("clips", "4", None, frozenset())
        hub.publish_state("clips", "1", None, frozenset({"north", "south"}))

        heard = [hear(socket, "state") for _ in range(2)]
        if heard[0]["value"] is not None:
            assert {heard[0]["key"], heard[1]["key"]} == {"1", "2"}

    told = {one["key"]: one["value"] for one in heard}
    assert told["2"] == {**south, "event_id": "2", "updated_at": 5.0, "others": None}
    assert "north" not in json.dumps(heard)


def test_media_comes_as_asked(address: str, camera: Camera) -> None:
    camera.begin()
    with connect(address) as socket:
        greeted(socket)
        say(socket, op="get", id=4, path="http://x/base/api/live-monitoring/hls/north/live.m3u8?_HLS_msn=0&_HLS_part=1", range=None)  # fmt: skip
        say(socket, op="get", id=5, path="/api/live-monitoring/hls/north/0.ts", range=[0, PART_BYTES])  # fmt: skip
        assert fetch(socket, 5) == (206, camera.file(0).read_bytes())
        camera.grow()
        status, text = fetch(socket, 4)

    assert status == 200
    assert text.count(b"#EXT-X-PART:") == 2


@pytest.mark.parametrize("path", ["", "/", "hls/north/../x", "hls/../keys/a", "/etc/passwd", "hls/nowhere/live.m3u8", "hls/north/%2e%2e%2fx", "http://[/hls/north/0.ts"])  # fmt: skip
def test_a_path_that_is_none_is_not_there(address: str, camera: Camera, path: str) -> None:
    camera.begin()
    with connect(address) as socket:
        greeted(socket)
        say(socket, op="get", id=1, path=path)

        assert fetch(socket, 1)[0] == 404


def test_what_is_dropped_is_not_answered_and_the_socket_goes_on(address: str, camera: Camera) -> None:  # fmt: skip
    camera.begin()
    with connect(address) as socket:
        greeted(socket)
        say(socket, op="get", id=1, path="hls/north/live.m3u8?_HLS_msn=0&_HLS_part=1")
        say(socket, op="drop", id=1)
        camera.grow()
        say(socket, op="get", id=2, path="hls/north/0.ts")
        answered = socket.recv(timeout=5)
        while isinstance(answered, str):
            answered = socket.recv(timeout=5)

    assert struct.unpack(">IH", answered[:6]) == (2, 200)


def test_an_answer_that_is_dropped_while_it_waits_is_not_sent_under_the_number_again() -> None:
    outbox = Outbox()
    outbox.media(1, "first")
    outbox.media(2, "other")
    outbox.drop(1)
    outbox.media(1, "again")

    assert [outbox.next(), outbox.next(), outbox.next()] == ["other", "again", None]
    for number in range(MOST_ANSWERS + 1):
        assert not outbox.overflowed
        outbox.media(number, b"429")
    assert outbox.overflowed


def test_a_fault_in_an_answer_is_told_and_costs_no_later_one(address: str, room: LiveRoom, camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    camera.begin()

    def broken(*_asked: object) -> None:
        raise OSError(5, "Input/output error")

    with connect(address) as socket, monkeypatch.context() as patched:
        greeted(socket)
        patched.setattr(room.hls, "_file", broken)
        for number in range(MOST_ASKED + 1):
            say(socket, op="get", id=number, path="hls/north/0.ts")
            assert fetch(socket, number)[0] == 500
        patched.undo()
        say(socket, op="get", id=0, path="hls/north/0.ts")
        assert fetch(socket, 0)[0] == 200


def test_a_page_that_asks_for_too_much_at_once_is_told(address: str, camera: Camera) -> None:
    camera.begin()
    with connect(address) as socket:
        greeted(socket)
        for number in range(30):
            say(socket, op="get", id=number, path="hls/north/live.m3u8?_HLS_msn=1")

        assert fetch(socket, 24)[0] == 429


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", '{"op":"shout"}', '{"op":"get","id":-1,"path":""}', '{"op":"get","id":4294967296,"path":""}',
     '{"op":"hello","seq":"1"}', '{"op":"watch","cameras":[' + ",".join(['"a"'] * 65) + "]}", "[" * 5000],
)  # fmt: skip
def test_a_page_that_says_what_nobody_understands_is_left(address: str, text: str) -> None:
    with connect(address) as socket:
        socket.send(text)

        assert closing(socket) == 1007


def test_a_page_hears_the_heart_beat(address: str) -> None:
    with connect(address) as socket:
        greeted(socket)

        assert hear(socket, "beat")["broker"] is True


def test_a_page_that_says_nothing_for_long_is_left(address: str, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(session_module, "SILENCE_S", 0.5)
    with connect(address) as socket:
        greeted(socket)

        assert closing(socket) == 1001


@pytest.mark.parametrize(
    "viewer", [None, Viewer("kim", Role.VIEWER, None), Viewer("kim", Role.OPERATOR, frozenset())]
)
def test_a_right_that_is_gone_ends_the_socket(address: str, sees: Callable[[Viewer | None], None], viewer: Viewer | None) -> None:  # fmt: skip
    with connect(address) as socket:
        greeted(socket)
        sees(viewer)

        assert closing(socket) == 1008


def test_who_may_not_look_and_pages_of_others_get_no_socket(address: str, sees: Callable[[Viewer | None], None]) -> None:  # fmt: skip
    with pytest.raises(InvalidStatus):
        connect(address, origin="https://evil.example")  # type: ignore[arg-type]
    sees(None)
    with pytest.raises(InvalidStatus):
        connect(address)


def test_an_account_has_so_many_sockets_and_others_theirs(
    address: str, sees: Callable[[Viewer | None], None]
) -> None:
    with ExitStack() as stack:
        for _ in range(MOST_OF_ONE):
            stack.enter_context(connect(address))
        with connect(address) as late:
            assert closing(late) == 1013
            assert late.close_reason == f"this account has {MOST_OF_ONE} sockets open already"
        sees(Viewer("lee", Role.VIEWER, None))
        with connect(address) as other:
            greeted(other)


def test_a_page_that_does_not_read_costs_nobody_anything(address: str, hub: Hub) -> None:
    with connect(address, max_queue=1) as slow, connect(address) as quick:
        greeted(slow)
        greeted(quick)
        heard = 0
        for seq in range(1, 301):
            hub.publish_event(seq, None, event(seq, None, body="x" * 60_000))
            if seq % 10 == 0:
                while heard < seq:
                    heard = hear(quick, "event")["event"]["seq"]
        assert heard == 300
        eventually(lambda: len(hub) == 1)


def test_events_wait_up_to_a_bound_and_of_the_rest_the_newest_alone() -> None:
    outbox = Outbox()
    for number in range(100):
        outbox.detections("north", f"d{number}")
        outbox.state(("active", "1"), f"s{number}")
    assert [outbox.next(), outbox.next(), outbox.next()] == ["s99", "d99", None]

    for _ in range(MOST_EVENT_BYTES // 1000):
        outbox.word("x" * 1000)
    assert not outbox.overflowed
    outbox.word("x")
    assert outbox.overflowed


def test_what_was_missed_comes_before_what_happens_meanwhile() -> None:
    listener = Listener(Viewer(None, Role.VIEWER, None), lambda: None)
    listener.held = []
    listener.event(6, None, "six")
    listener.held, held = None, listener.held
    listener.event(5, None, "five")
    listener.held = held
    listener.release()

    assert [listener.outbox.next(), listener.outbox.next()] == ["five", "six"]


def test_words_and_paths_are_read_as_the_page_writes_them() -> None:
    found = wanted("a/b/hls/north/live.m3u8?_HLS_msn=5&_HLS_part=2&from=1.5&to=2")
    assert found is not None
    assert (found.camera, found.asked.number, found.asked.part, found.asked.start) == ("north", 5, 2, 1.5)  # fmt: skip
    assert read(said("pong")) is not None
    assert read('{"op":"pong"') is None
