"""No peer of a small server costs another anything."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

import pytest

from hazardcast.contract.errors import ConfigError
from hazardcast.service import limited_http
from hazardcast.service.limited_http import LimitedHandler, LimitedServer
from hazardcast.testing import eventually

Start = Callable[..., LimitedServer]


class Hello(LimitedHandler):
    timeout = 30.0

    def do_GET(self) -> None:  # noqa: N802 - the base class's name
        body = b"x" * 20_000_000 if self.path == "/much" else b"hello"
        self.answer(HTTPStatus.OK, "text/plain", body)


@pytest.fixture
def start() -> Iterator[Start]:
    servers: list[LimitedServer] = []

    def begin(host: str = "127.0.0.1", **limits: float) -> LimitedServer:
        listener = limited_http.listen(host, 0, setting="HAZARDCAST_METRICS")
        servers.append(LimitedServer(listener, Hello, **limits))  # type: ignore[arg-type]
        servers[-1].start("hello")
        return servers[-1]

    yield begin
    for server in servers:
        server.close()


def ask(server: LimitedServer, method: str = "GET") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("localhost", server.port, timeout=5)
    connection.request(method, "/")
    answer = connection.getresponse()
    return answer.status, answer.read()


def call(server: LimitedServer, said: bytes = b"") -> socket.socket:
    caller = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    caller.sendall(said)
    return caller


def is_cut(caller: socket.socket) -> bool:
    try:
        return caller.recv(1) == b""
    except ConnectionError:
        return True


def test_connections_that_say_nothing_cost_nobody_an_answer(start: Start) -> None:
    server = start()
    silent = [call(server) for _ in range(20)]

    assert ask(server) == (200, b"hello")
    assert ask(server, "HEAD") == (200, b"")
    assert ask(server, "POST")[0] == 501
    assert len(silent) == 20


def test_who_asks_too_slowly_is_cut(start: Start) -> None:
    server = start(answered_within_s=0.3)
    caller = call(server, b"GET / HT")

    def still_going() -> bool:
        try:
            caller.sendall(b"T")
        except ConnectionError:
            return False
        return True

    eventually(lambda: not still_going(), within_s=5)


def test_who_does_not_read_the_answer_is_cut(start: Start) -> None:
    server = start(answered_within_s=0.3)
    caller = call(server, b"GET /much HTTP/1.0\r\n\r\n")
    eventually(lambda: server._asking)

    eventually(lambda: not server._asking, within_s=5)
    assert ask(server) == (200, b"hello")
    caller.close()


def test_of_too_many_the_oldest_gives_way_and_the_newest_is_answered(start: Start) -> None:
    server = start(most=3)
    silent = [call(server) for _ in range(3)]
    eventually(lambda: len(server._asking) == 3)

    assert ask(server) == (200, b"hello")

    assert is_cut(silent[0])


def test_closing_waits_for_nobody(start: Start) -> None:
    server = start()
    caller = call(server)
    eventually(lambda: server._asking)
    began = time.monotonic()

    server.close()

    assert time.monotonic() - began < 2
    caller.close()


def test_both_families_are_listened_on(start: Start) -> None:
    server = start("::1")

    with socket.create_connection(("::1", server.port), timeout=5) as caller:
        caller.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert caller.recv(100).startswith(b"HTTP/1.0 200")


def test_an_address_that_cannot_be_had_names_its_own_variable(start: Start) -> None:
    taken = start().port

    with pytest.raises(ConfigError, match=f"^HAZARDCAST_METRICS_PORT: .*127.0.0.1:{taken}"):
        limited_http.listen("127.0.0.1", taken, setting="HAZARDCAST_METRICS")
    for host in ("192.0.2.1", "no.such.host.invalid", "2001:db8::1", "a..b", "[::1]"):
        with pytest.raises(ConfigError, match="HAZARDCAST_METRICS_HOST: "):
            limited_http.listen(host, 0, setting="HAZARDCAST_METRICS")
