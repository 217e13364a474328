"""Decisions, incidents, clips, cameras and health: over HTTP, with an alerter that answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from console.actions import routes as action_routes
from console.actions import station_routes
from console.actions.board import Board
from console.actions.desk import Desk
from console.actions.requests import Requests
from console.actions.station_routes import PictureFormat, Station
from console.doors.accounts import Account, Book, Token
from console.doors.bearer import kept
from console.doors.guard import FreeView, Guard
from console.doors.sessions import Sessions
from console.doors.viewer import Role
from console.http.app import application
from console.http.server import HttpServer
from console.store.decisions import Decision as Entry

from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.contract import topics
from hazardcast.contract.messages import (
    Alert,
    ClipState,
    Decided,
    Decision,
    Incident,
    Pending,
    ServiceStatus,
    Window,
)
from hazardcast.machine.clock import SystemClock
from hazardcast.mqtt.bus import Delivery
from hazardcast.service.metrics import Health
from hazardcast.testing import MemoryBroker, SignedStation

CONFIG = {
    "site": {"position": {"lat_deg": 37.0, "lon_deg": 127.0}},
    "cameras": {
        "north": {"url": "rtsp://10.0.0.1/a", "position": {"lat_deg": 37.1, "lon_deg": 127.1}},
        "south": {"url": "rtsp://10.0.0.2/a", "alerting": {"mode": "shadow"}},
    },
}
PEOPLE = {"olivia": (Role.OPERATOR, None), "otto": (Role.OPERATOR, None),
          "nora": (Role.OPERATOR, {"north"}), "victor": (Role.VIEWER, None)}  # fmt: skip


def format_of(camera: str) -> PictureFormat:
    """What is recorded of each camera."""
    return PictureFormat("hevc", 1280, 720) if camera == "north" else PictureFormat()


class Alerter:
    """Answers decisions as the real one does, or keeps silent."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.bus = broker.bus()
        self.answers: dict[str, Any] | None = {"result": "done", "effect": "ended"}
        self.heard: list[Decision] = []
        self.hold = threading.Event()
        self.hold.set()
        self.bus.subscribe(topics.DECISIONS, self._hear)

    def _hear(self, decision: Decision, _delivery: Delivery) -> None:
        self.heard.append(decision)
        self.hold.wait(5)
        if self.answers is not None:
            told = {
                "event_id": decision.event_id, "action": decision.action, "by": decision.by,
                "revision": decision.if_revision + 1, "ts": decision.ts, "camera": "north",
                "decision_id": decision.decision_id, "reason": decision.reason, **self.answers,
            }  # fmt: skip
            word = Decided.parse(told)
            self.bus.publish(topics.DECIDED, word, event_id=decision.event_id)


class Console:
    def __init__(self, folder: Path) -> None:
        self.clock, self.broker = SystemClock(), MemoryBroker()
        self.bus, self.station = self.broker.bus(), SignedStation()
        self.alerter = Alerter(self.broker)
        self.kept: list[Entry] = []
        config = site.parse(CONFIG, source="test")
        board = Board(self.clock)
        board.subscribe(self.bus)
        desk = Desk(board, self.bus, self.clock, self.kept.append)
        requests = Requests(board, self.bus, self.clock, config, self.kept.append)
        settings = Settings(data_dir=folder, grafana_url="http://figures:3000/")
        rooms = [
            action_routes.router(desk, requests, self.clock),
            station_routes.router(
                Station(board, self.bus, config, settings, self.clock, format_of=format_of)
            ),
        ]
        guard = Guard(
            FreeView(published_locally=True, allowed=True), _book, Sessions(self.clock, [], lambda _: None), self.clock
        )  # fmt: skip
        self.server = HttpServer(application(guard, Health(), rooms), host="127.0.0.1", port=0)
        self.bus.start()

    def by(self, name: str | None) -> httpx.Client:
        headers = {"authorization": f"Bearer of-{name}"} if name else {"host": "localhost"}
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.server.port}/api/v1/", headers=headers, timeout=10
        )

    def on_air(self, **fields: Any) -> Alert:
        alert = self.station.alert(camera="north", **fields)
        self.alerter.bus.publish(topics.ACTIVE, alert, event_id=alert.event_id)
        return alert

    def waiting(self, event_id: str = "4097-9", revision: int = 2, camera: str = "north") -> None:
        now = self.clock.now()
        pending = Pending.parse({
            "event_id": event_id, "revision": revision, "mode": "confirm", "why": "unsure", "since": now,
            "incident": {"type": "fire", "camera": camera, "ts": now}, "decide_by": now + 60,
            "on_timeout": "drop", "updated_at": now,
        })  # fmt: skip
        self.alerter.bus.publish(topics.PENDING, pending, event_id=event_id)


def _book() -> Book:
    accounts = {
        name: Account(name=name, role=role, cameras=cameras, password="", changed_at=0)
        for name, (role, cameras) in PEOPLE.items()
    }
    tokens = [
        Token(id=name, account=name, scope="decide", secret=kept(f"of-{name}"), made_at=0)
        for name in PEOPLE
    ]
    return Book(accounts, {one.secret: one for one in tokens})


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path)
    yield made
    made.alerter.hold.set()
    made.server.close()


def decide(
    client: httpx.Client, event_id: str, action: str, revision: int = 0, **more: Any
) -> httpx.Response:
    headers = {"if-match": f'"{revision}"'}
    return client.post(
        f"alerts/{event_id}/decision", json={"action": action, **more}, headers=headers
    )


def test_a_false_alarm_is_said_kept_and_judged(console: Console) -> None:
    alert = console.on_air()

    answer = decide(console.by("olivia"), alert.event_id, "negate", reason="shadow", note="")

    assert (answer.status_code, answer.json()["effect"]) == (202, "ended")
    (said,) = console.alerter.heard
    assert (said.by, said.action, said.if_revision, said.reason, said.note) == ("olivia", "negate", 0, "shadow", None)  # fmt: skip
    assert [(one.by, one.action, one.camera, one.id) for one in console.kept] == [("olivia", "negate", "north", said.decision_id)]  # fmt: skip
    (verdict,) = console.broker.messages(topics.VERDICTS)
    assert (verdict.verdict, verdict.by, verdict.reason) == ("false", "olivia", "shadow")


@pytest.mark.parametrize(("action", "verdict"), [("approve", ["true"]), ("reject", ["false"])])
def test_what_waits_is_approved_or_rejected(
    console: Console, action: str, verdict: list[str]
) -> None:
    console.waiting()
    assert decide(console.by("olivia"), "4097-9", action, revision=2).status_code == 202
    assert [one.verdict for one in console.broker.messages(topics.VERDICTS)] == verdict


def test_that_it_is_over_is_no_verdict(console: Console) -> None:
    alert = console.on_air()
    decide(console.by("olivia"), alert.event_id, "clear")
    assert not console.broker.messages(topics.VERDICTS)


def test_of_two_at_once_one_wins_and_the_other_learns_by_whom(console: Console) -> None:
    alert = console.on_air()
    console.alerter.hold.clear()
    answers: list[httpx.Response] = []
    first = threading.Thread(
        target=lambda: answers.append(decide(console.by("olivia"), alert.event_id, "confirm"))
    )
    first.start()
    while not console.alerter.heard:
        pass

    second = decide(console.by("otto"), alert.event_id, "negate")

    console.alerter.hold.set()
    first.join(5)
    assert answers[0].status_code == 202
    assert (second.status_code, second.json()["by"]) == (412, "olivia")
    assert len(console.alerter.heard) == 1


def test_an_older_revision_than_the_present_one_is_refused(console: Console) -> None:
    alert = console.on_air(revision=3)
    answer = decide(console.by("olivia"), alert.event_id, "clear", revision=2)
    assert (answer.status_code, answer.json()["revision"]) == (412, 3)
    assert not console.alerter.heard


def test_what_the_alerter_refuses_is_told_and_may_be_tried_again(console: Console) -> None:
    alert = console.on_air()
    console.alerter.answers = {
        "result": "refused",
        "refused": "stale",
        "first_by": "kim",
        "revision": 4,
    }
    refused = decide(console.by("olivia"), alert.event_id, "clear")
    assert (refused.status_code, refused.json()["by"], refused.json()["revision"]) == (
        412,
        "kim",
        4,
    )

    console.alerter.answers = {
        "result": "refused",
        "refused": "late",
        "detail": "decided too long ago",
    }
    late = decide(console.by("otto"), alert.event_id, "clear")
    assert (late.status_code, late.json()["detail"]) == (409, "decided too long ago")
    assert not console.broker.messages(topics.VERDICTS)


def test_an_alerter_that_says_nothing_leaves_it_open(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.actions.desk.ANSWERED_WITHIN_S", 0.05)
    alert = console.on_air()
    console.alerter.answers = None
    assert decide(console.by("olivia"), alert.event_id, "clear").json()["result"] == "sent"


def test_while_the_broker_is_away_nothing_is_said_and_nothing_waits(console: Console) -> None:
    alert = console.on_air()
    console.bus.connected = False
    said = len(console.broker.published)
    client = console.by("olivia")

    refused = [
        decide(client, alert.event_id, "clear"),
        client.post("incidents", json={"type": "fire"}),
        client.post("clip-requests", json={"camera": "north", "ts": 1.0}),
    ]
    console.bus.connected = True

    assert [one.status_code for one in refused] == [503] * 3
    assert len(console.broker.published) == said
    assert not console.kept
    assert decide(client, alert.event_id, "clear").status_code == 202, "and she may try again"


@pytest.mark.parametrize("event_id", ["4097-77", "4097-1"])
def test_an_event_of_another_camera_answers_as_one_that_is_not_there(
    console: Console, event_id: str
) -> None:
    console.waiting("4097-1", camera="south")
    answer = decide(console.by("nora"), event_id, "approve", revision=2)
    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no such event in force")
    assert not console.alerter.heard


@pytest.mark.parametrize("name", ["victor", None])
def test_who_only_looks_does_nothing(console: Console, name: str | None) -> None:
    alert = console.on_air()
    client = console.by(name)
    answers = [
        decide(client, alert.event_id, "negate"),
        client.post("incidents", json={"type": "fire"}),
        client.post("clip-requests", json={"camera": "north", "ts": 1.0}),
        client.post("clips/4097-1/hold"),
    ]
    assert {one.status_code for one in answers} == {403 if name else 401}
    assert not console.alerter.heard
    assert not console.kept


def test_an_action_that_does_not_fit_is_refused(console: Console) -> None:
    alert = console.on_air()
    assert decide(console.by("olivia"), alert.event_id, "approve").status_code == 409
    assert decide(console.by("olivia"), alert.event_id, "explode").status_code == 422


@pytest.mark.parametrize(("header", "status"), [(None, 428), ("3", 400), ("*", 400), ('"x"', 400)])
def test_the_revision_that_was_seen_is_named(
    console: Console, header: str | None, status: int
) -> None:
    headers = {} if header is None else {"if-match": header}
    answer = console.by("olivia").post(
        "alerts/4097-1/decision", json={"action": "clear"}, headers=headers
    )
    assert answer.status_code == status


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


def test_a_clip_of_any_window_of_ones_cameras(console: Console) -> None:
    wanted = {"camera": "north", "ts": 1_800_000_000.0, "pre_s": 10, "post_s": 20}
    answer = console.by("nora").post("clip-requests", json=wanted)
    (request,) = console.broker.messages(topics.CLIP_REQUESTS)
    assert answer.json()["event_id"] == request.event_id
    assert (request.pre_s, request.post_s) == (10, 20)
    assert (
        console.by("nora").post("clip-requests", json={**wanted, "camera": "south"}).status_code
        == 404
    )


def test_a_clip_that_stays_is_the_one_that_was_asked_for(console: Console) -> None:
    window = Window(start=1_799_999_700.0, end=1_800_000_300.0)
    clip = ClipState(
        event_id="4097-5", camera="south", state="ready", requested=window, updated_at=1.0
    )
    console.alerter.bus.publish(topics.CLIPS, clip, event_id="4097-5")

    assert console.by("olivia").post("clips/4097-5/hold").status_code == 202
    (request,) = console.broker.messages(topics.CLIP_REQUESTS)
    assert request.hold is True
    assert (request.ts - request.pre_s, request.ts + request.post_s) == (window.start, window.end)
    assert console.by("nora").post("clips/4097-5/hold").status_code == 404


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
