"""The application as a browser meets it, over a real socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from console.doors.accounts import Book
from console.doors.asking import Deciding, Looking
from console.doors.guard import FreeView, Guard
from console.doors.sessions import Sessions
from console.http import pages
from console.http import server as server_module
from console.http.app import application
from console.http.bodies import MOST_BYTES
from console.http.server import HttpServer
from fastapi import APIRouter, WebSocket
from websockets.sync.client import connect

from hazardcast.contract.errors import ConfigError
from hazardcast.service.metrics import Health
from hazardcast.service.problem import PROBLEM_JSON
from hazardcast.testing import ManualClock, eventually


def room() -> APIRouter:
    routes = APIRouter(prefix="/api/v1")

    @routes.get("/thing")
    async def thing(viewer: Looking, limit: int = 10) -> dict[str, Any]:
        return {"limit": limit, "name": viewer.name}

    @routes.post("/deed")
    async def deed(viewer: Deciding) -> None:
        raise AssertionError("nobody decides here")

    @routes.post("/lease")
    async def lease(viewer: Looking) -> str:
        return "held"

    @routes.post("/told")
    async def told(told: dict[str, str], viewer: Deciding) -> None:
        raise AssertionError("nobody decides here")

    @routes.websocket("/words")
    async def words(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())

    return routes


def guard() -> Guard:
    """Free view, and nobody has an account."""
    clock = ManualClock()
    book = Book({}, {})
    sessions = Sessions(clock, [], lambda _: None)
    return Guard(FreeView(published_locally=True, allowed=True), lambda: book, sessions, clock)


@pytest.fixture
def web() -> Iterator[httpx.Client]:
    health = Health(ready=lambda: (False, "no broker"))
    server = HttpServer(application(guard(), health, [room()]), host="127.0.0.1", port=0)
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=5.0) as client:
        yield client
    server.close()


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM_JSON
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    return told


def test_a_port_in_use_is_a_configuration_error(web: httpx.Client) -> None:
    with pytest.raises(ConfigError, match="HAZARDCAST_CONSOLE_PORT"):
        HttpServer(
            application(guard(), Health()), host="127.0.0.1", port=int(web.base_url.port or 0)
        )


@pytest.mark.parametrize(
    "path", ["", "wall", "index.html", "nothing.js", "api/v1/thing", "healthz"]
)
def test_every_answer_carries_the_strict_policy(web: httpx.Client, path: str) -> None:
    headers = web.get(f"/{path}").headers

    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_what_is_said_to_a_viewer_stays_in_no_cache(web: httpx.Client) -> None:
    assert web.get("/api/v1/thing").headers["cache-control"] == "no-store"


def test_the_page_is_asked_for_by_its_tag(web: httpx.Client) -> None:
    first = web.get("/")
    assert first.headers["content-type"] == "text/html; charset=utf-8"

    again = web.get("/", headers={"if-none-match": f'"other", W/{first.headers["etag"]}'})

    assert (again.status_code, again.content) == (304, b"")
    assert web.get("/wall").content == first.content


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("gzip, br", "gzip"), ("br;q=1, *;q=0.1", "gzip"), ("gzip;q=0, *", None), ("identity", None), ("", None)],
)  # fmt: skip
def test_text_is_packed_for_who_can_unpack_it_and_has_a_tag_of_its_own(
    web: httpx.Client, accepted: str, coding: str | None
) -> None:
    plain = web.get("/style.css", headers={"accept-encoding": "identity"})
    answer = web.get("/style.css", headers={"accept-encoding": accepted})

    assert answer.headers.get("content-encoding") == coding
    assert (answer.headers["vary"], answer.content) == ("Accept-Encoding", plain.content)
    assert (answer.headers["etag"] == plain.headers["etag"]) == (coding is None)
    if coding:
        assert int(answer.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    again = {"accept-encoding": accepted, "if-none-match": answer.headers["etag"]}
    assert web.get("/style.css", headers=again).status_code == 304
    other = {"accept-encoding": accepted, "if-none-match": plain.headers["etag"]}
    assert (web.get("/style.css", headers=other).status_code == 200) == (coding is not None)


@pytest.mark.parametrize(
    "path",
    ["/../service.py", "/%2e%2e/service.py", "/..%2fservice.py", "/page/index.html", "/index.html%00",
     "//etc/passwd", "/py.typed", "/.hidden"],
)  # fmt: skip
def test_nothing_but_the_pages_files_is_served(web: httpx.Client, path: str) -> None:
    with socket.create_connection(("127.0.0.1", int(web.base_url.port or 0)), 5) as raw:
        raw.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        assert raw.makefile("rb").readline().split()[1] == b"404"


def test_links_and_unknown_kinds_in_the_folder_are_no_pages(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("x")
    (tmp_path / "key.jwk").write_text("secret")
    (tmp_path / "out.html").symlink_to("/etc/hostname")

    assert set(pages.load(tmp_path)) == {"index.html"}


def test_a_parameter_that_is_none_is_named(web: httpx.Client) -> None:
    assert web.get("/api/v1/thing", params={"limit": 3}).json() == {"limit": 3, "name": None}

    told = problem(web.get("/api/v1/thing", params={"limti": 3}), 400)

    assert told["field"] == "limti"
    assert "limit" in told["detail"]


def test_a_value_that_does_not_fit_is_a_problem_that_names_the_field(web: httpx.Client) -> None:
    assert problem(web.get("/api/v1/thing", params={"limit": "all"}), 400)["field"] == "limit"


def test_a_path_and_a_method_that_are_not_there_are_problems(web: httpx.Client) -> None:
    problem(web.get("/api/v1/other"), 404)
    problem(web.post("/api/v1/thing"), 405)


def test_free_view_looks_and_does_not_decide(web: httpx.Client) -> None:
    assert web.post("/api/v1/lease").json() == "held"
    problem(web.post("/api/v1/deed"), 401)


def test_where_nobody_may_look_freely_the_page_opens_and_says_nothing(web: httpx.Client) -> None:
    abroad = {"host": "console.example"}
    assert web.get("/", headers=abroad).status_code == 200
    problem(web.get("/api/v1/thing", headers=abroad), 401)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_foreign_page_changes_nothing(web: httpx.Client, headers: dict[str, str]) -> None:
    problem(web.post("/api/v1/lease", headers=headers), 403)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_form_can_send_is_refused(web: httpx.Client, kind: str) -> None:
    problem(web.post("/api/v1/lease", content="{}", headers={"content-type": kind}), 415)


def test_a_body_is_no_larger_than_the_console_has_a_use_for(web: httpx.Client) -> None:
    fits = json.dumps({"a": "x" * (MOST_BYTES - 10)})
    larger = fits + " " * 10
    kind = {"content-type": "application/json"}

    problem(web.post("/api/v1/told", content=fits, headers=kind), 401)
    problem(web.post("/api/v1/told", content=larger, headers=kind), 413)
    problem(web.post("/api/v1/lease", content=larger, headers=kind), 413)
    problem(web.post("/api/v1/told", content=iter([fits.encode(), b" " * 10]), headers=kind), 413)


def test_own_page_may(web: httpx.Client) -> None:
    own = {"origin": str(web.base_url).rstrip("/"), "sec-fetch-site": "same-origin"}
    assert web.post("/api/v1/lease", json={}, headers=own).status_code == 200


def test_readiness_says_why_not(web: httpx.Client) -> None:
    assert web.get("/healthz").json()["ok"] is True
    answer = web.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ok": False, "detail": "no broker"})


def test_an_unfinished_request_is_cut_and_a_socket_is_not(
    web: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "GETS_ON_WITHIN_S", 0.1)
    address = ("127.0.0.1", int(web.base_url.port or 0))
    with (
        connect(f"ws://127.0.0.1:{address[1]}/api/v1/words") as socket_of_page,
        socket.create_connection(address, 5) as slow,
    ):
        slow.sendall(b"GET / HTTP/1.1\r\nHost:")
        slow.settimeout(5)
        eventually(lambda: not _open(slow))
        socket_of_page.send("still here")
        assert socket_of_page.recv(timeout=5) == "still here"


def _open(connection: socket.socket) -> bool:
    try:
        return bool(connection.recv(1))
    except ConnectionError:
        return False
