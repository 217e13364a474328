"""One account, or one address, leaves the others room at the console."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from console.doors.accounts import Book
from console.doors.guard import FreeView, Guard
from console.doors.sessions import Sessions
from console.doors.shares import Holder
from console.http import server as server_module
from console.http import under_way
from console.http.app import application
from console.http.server import HttpServer
from fastapi import APIRouter
from starlette.requests import HTTPConnection

from hazardcast.service.metrics import Health
from hazardcast.service.problem import PROBLEM_JSON
from hazardcast.testing import ManualClock, eventually

LOOPBACK = "127.0.0.1"
OTHER = "127.0.0.2"
"""Of another peer: the whole of 127.0.0.0/8 is this machine."""


class NamedGuard(Guard):
    """Whoever names an account in a header has it."""

    def holder_of(self, connection: HTTPConnection) -> Holder:
        name = connection.headers.get("x-account")
        return Holder("account", name) if name else super().holder_of(connection)


class Slow:
    """A route that answers when it is told to."""

    def __init__(self) -> None:
        self.waiting = 0
        self.answer = threading.Event()

    def router(self) -> APIRouter:
        routes = APIRouter()

        @routes.get("/slow")
        async def slow() -> None:
            self.waiting += 1
            while not self.answer.is_set():
                await asyncio.sleep(0.01)
            self.waiting -= 1

        return routes


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def port(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(under_way, "MOST_OF_ONE", 3)
    monkeypatch.setattr(under_way, "MOST", 5)
    clock = ManualClock()
    everybody = FreeView(published_locally=True, allowed=True)
    guard = NamedGuard(everybody, lambda: Book({}, {}), Sessions(clock, [], lambda _: None), clock)
    server = HttpServer(application(guard, Health(), [slow.router()]), host=LOOPBACK, port=0)
    yield server.port
    slow.answer.set()
    server.close()


def asking(port: int, slow: Slow, account: str, times: int) -> list[threading.Thread]:
    """So many requests that are being answered."""
    before = slow.waiting

    def ask() -> None:
        httpx.get(f"http://{LOOPBACK}:{port}/slow", headers={"x-account": account}, timeout=20)

    threads = [threading.Thread(target=ask) for _ in range(times)]
    for thread in threads:
        thread.start()
    eventually(lambda: slow.waiting == before + times)
    return threads


def asked(port: int, account: str, path: str = "/api/v1/nothing") -> httpx.Response:
    return httpx.get(f"http://{LOOPBACK}:{port}{path}", headers={"x-account": account}, timeout=5)


def test_an_account_is_answered_so_much_at_once_and_others_all_the_same(port: int, slow: Slow) -> None:  # fmt: skip
    threads = asking(port, slow, "kim", 3)

    refused = asked(port, "kim")
    assert (refused.status_code, refused.headers["content-type"]) == (429, PROBLEM_JSON)
    assert refused.json()["detail"] == "this account has 3 requests under way already"
    assert refused.headers["retry-after"] == "2"
    assert asked(port, "lee").status_code == 404

    slow.answer.set()
    for thread in threads:
        thread.join()
    assert asked(port, "kim").status_code == 404


def test_what_all_take_has_an_end_too_and_checks_are_answered(port: int, slow: Slow) -> None:
    asking(port, slow, "kim", 3)
    asking(port, slow, "lee", 2)

    assert asked(port, "ann").json()["detail"] == "there are 5 requests under way already"
    assert asked(port, "ann", "/healthz").status_code == 200


def connected(port: int, source: str) -> socket.socket:
    return socket.create_connection((LOOPBACK, port), 5, source_address=(source, 0))


def is_open(connection: socket.socket) -> bool:
    connection.settimeout(0.2)
    try:
        return bool(connection.recv(1))
    except TimeoutError:
        return True
    except ConnectionError:
        return False


def test_one_address_holds_so_many_connections_and_its_oldest_go_first(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "MOST_OF_ONE", 3)
    other = connected(port, OTHER)
    own: list[Any] = [connected(port, LOOPBACK) for _ in range(5)]

    assert is_open(other)
    eventually(lambda: [is_open(one) for one in own] == [False, False, True, True, True])
    for one in (other, *own):
        one.close()
