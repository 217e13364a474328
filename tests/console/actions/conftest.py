"""A console over HTTP, with an alerter that answers."""

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
    Decided,
    Decision,
    Pending,
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
