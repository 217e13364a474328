"""Behind a proxy, below a path of its: the page, all that it loads, its calls and its socket."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from ipaddress import ip_network
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from console.doors.accounts import Account, Book, Token
from console.doors.bearer import kept
from console.doors.guard import FreeView, Guard
from console.doors.sessions import Sessions
from console.doors.viewer import Role
from console.http.app import application
from console.http.server import HttpServer
from console.live.routes import LiveRoom
from console.live.routes import router as live_router
from console.socket.hub import Hub
from console.socket.routes import router as socket_router
from console.socket.session import SocketRoom
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from hazardcast.service.metrics import Health
from hazardcast.testing import ManualClock
from tests.console.http.reverse_proxy import behind
from tests.console.live.conftest import Camera, camera, room

__all__ = ["camera", "room"]

PREFIX = "/hazard/"
BEARER = {"authorization": "Bearer secret-of-kim"}
_LOADED = re.compile(r'(?:href|src)="([^"#]+)"')
_IMPORTED = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["'](\.{1,2}/[^"']+)["']""")


@pytest.fixture
def base(room: LiveRoom) -> Iterator[str]:
    """The address below which the proxy shows a console that lets kim in, and nobody else."""
    clock = ManualClock()
    account = Account(name="kim", role=Role.OPERATOR, cameras=None, password="", changed_at=0)
    token = Token(id="1", account="kim", scope="decide", secret=kept("secret-of-kim"), made_at=0)
    book = Book({"kim": account}, {token.secret: token})
    guard = Guard(
        FreeView(published_locally=True, allowed=True), lambda: book,
        Sessions(clock, [], lambda _: None), clock, (ip_network("127.0.0.0/8"),),
    )  # fmt: skip
    stop = threading.Event()
    reader = threading.Thread(target=room.live.run, args=(stop,))
    reader.start()
    sockets = SocketRoom(Hub(), room, None, room.clock, lambda: True)
    app = application(guard, Health(), [live_router(room), socket_router(sockets)])
    server = HttpServer(app, host="127.0.0.1", port=0, trusted=guard.proxies)
    with behind(server.port, PREFIX) as port:
        yield f"http://127.0.0.1:{port}{PREFIX}"
    server.close()
    stop.set()
    reader.join()


def test_all_that_the_page_loads_is_found_below_the_path(base: str) -> None:
    with httpx.Client(timeout=5) as client:
        page = client.get(f"{base}incidents")
        assert '<base href="./">' in page.text
        wanted = [urljoin(base, one) for one in _LOADED.findall(page.text) if one != "./"]
        loaded: set[str] = set()
        while wanted:
            address = wanted.pop()
            if address in loaded:
                continue
            loaded.add(address)
            answer = client.get(address)
            assert answer.status_code == 200, address
            assert urlsplit(address).path.startswith(PREFIX)
            if address.endswith(".js"):
                wanted += [urljoin(address, one) for one in _IMPORTED.findall(answer.text)]

    assert len(loaded) > 20
    assert f"{base}style.css" in loaded


def test_calls_and_pictures_come_through(base: str, camera: Camera) -> None:
    camera.begin()

    playlist = httpx.get(f"{base}api/live-monitoring/hls/north/live.m3u8", headers=BEARER)
    (name,) = set(re.findall(r'URI="([^"]+)"', playlist.text))
    part = httpx.get(urljoin(str(playlist.url), name), headers=BEARER | {"Range": "bytes=0-99"})

    assert (part.status_code, len(part.content)) == (206, 100)
    assert httpx.get(f"{base}api/live-monitoring/hls/north/live.m3u8").status_code == 401
    outside = base.replace(PREFIX, "/") + "api/live-monitoring/hls/north/live.m3u8"
    assert httpx.get(outside, headers=BEARER).status_code == 404


def test_the_socket_comes_through_for_the_proxys_own_page_alone(base: str, camera: Camera) -> None:
    camera.begin()
    address = base.replace("http", "ws", 1) + "api/v1/live"
    own = f"http://{urlsplit(base).netloc}"

    with connect(address, origin=own, additional_headers=BEARER) as socket:  # type: ignore[arg-type]
        socket.send('{"op":"hello","seq":null}')
        assert json.loads(socket.recv(timeout=5))["op"] == "welcome"
        path = "api/live-monitoring/hls/north/live.m3u8"
        socket.send(json.dumps({"op": "get", "id": 7, "path": path}))
        while isinstance(answer := socket.recv(timeout=5), str):
            pass
        assert answer[6:].startswith(b"#EXTM3U")

    with pytest.raises(InvalidStatus):
        connect(address, origin="http://elsewhere:1", additional_headers=BEARER)  # type: ignore[arg-type]


def test_a_post_through_the_proxy_is_its_own_pages(base: str, camera: Camera) -> None:
    camera.begin()
    place = f"{base}api/live-monitoring/start-hls-stream/north"
    own = BEARER | {"origin": f"http://{urlsplit(base).netloc}"}

    assert httpx.post(place, json={}, headers=own).status_code in {200, 409}
    assert httpx.post(place, json={}, headers=own | {"origin": "http://elsewhere:1"}).status_code == 403  # fmt: skip
