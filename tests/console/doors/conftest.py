"""The doors with a real server in front, quick hashes, and a clock set by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from console.doors import account_routes, routes
from console.doors.account_file import AccountFile, SessionFile
from console.doors.asking import Deciding, Exporting, Looking, LookingSocket, still_looking
from console.doors.guard import FreeView, Guard
from console.doors.passwords import Passwords
from console.doors.proxies import parse
from console.doors.reception import Reception
from console.doors.sessions import Sessions
from console.doors.viewer import Role
from console.http.app import application
from console.http.server import HttpServer
from fastapi import APIRouter, WebSocket

from hazardcast.config.site import Site
from hazardcast.service.metrics import Health
from hazardcast.testing import ManualClock

PASSWORD = "correct horse battery"
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


class House:
    """A console that knows `admin`, `olivia` (operator), `victor` (viewer, one camera), `wall`."""

    def __init__(self, folder: Path, clock: ManualClock, free: FreeView) -> None:
        self.clock, self.folder = clock, folder
        kept = SessionFile(folder)
        self.sessions = Sessions(clock, kept.load(), kept.save)
        self.reception = Reception(AccountFile(folder), self.sessions, QUICK, clock)
        self.guard = Guard(
            free,
            lambda: self.reception.file.book,
            self.sessions,
            clock,
            parse("10.9.0.0/16, 127.0.0.1"),
        )
        rooms = [
            routes.router(self.reception, Site(), clock),
            account_routes.router(self.reception),
            _room(),
        ]
        self.server = HttpServer(application(self.guard, Health(), rooms), host="127.0.0.1", port=0)

    def populate(self) -> None:
        self.reception.open_first(PASSWORD)
        self.reception.put("olivia", Role.OPERATOR, None, PASSWORD)
        self.reception.put("victor", Role.VIEWER, frozenset({"north"}), PASSWORD)
        self.reception.put("wall", Role.KIOSK, None, PASSWORD)

    def browser(self, **headers: str) -> httpx.Client:
        address = f"http://127.0.0.1:{self.server.port}"
        return httpx.Client(base_url=address, headers=headers, timeout=10.0)

    def signed_in(self, name: str) -> httpx.Client:
        client = self.browser(host="console.example")
        answer = client.post("/api/v1/login", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 204, answer.text
        return client


def _room() -> APIRouter:
    """What other rooms do with the doors."""
    room = APIRouter(prefix="/api/v1")

    @room.get("/seen/{camera}")
    async def seen(camera: str, viewer: Looking) -> bool:
        return viewer.may_see(camera)

    @room.post("/deed")
    async def deed(viewer: Deciding) -> str | None:
        return viewer.name

    @room.get("/take")
    async def take(viewer: Exporting) -> str | None:
        return viewer.name

    @room.websocket("/words")
    async def words(websocket: WebSocket, viewer: LookingSocket) -> None:
        await websocket.accept()
        while await websocket.receive_text():
            still = still_looking(websocket)
            await websocket.send_text("gone" if still is None else str(still.name))

    return room


@pytest.fixture
def free() -> FreeView:
    return FreeView(published_locally=True, allowed=True)


@pytest.fixture
def house(tmp_path: Path, clock: ManualClock, free: FreeView) -> Iterator[House]:
    made = House(tmp_path, clock, free)
    made.populate()
    yield made
    made.server.close()
