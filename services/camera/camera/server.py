"""HTTP: `/{camera}.ts` the stream, `/{camera}.json` what is known of it, `/` the cameras."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from camera.channel import Subscription
from camera.source import LocalCamera
from hazardcast import ports
from hazardcast.addresses import join
from hazardcast.errors import ConfigError

FIRST_KEYFRAME_S = 8.0
"""A client that comes before the stream has begun waits this long for it."""
_TAKE_S = 1.0
_SEND_TIMEOUT_S = 10.0


class CameraServer:
    """Serves the cameras, a thread for each client.

    Raises:
        ConfigError: the address cannot be listened on.
    """

    def __init__(self, host: str, port: int, cameras: Mapping[str, LocalCamera]) -> None:
        try:
            self._server = _Server(ports.listen(host, port))
        except OSError as error:
            raise ConfigError(
                f"HAZARDCAST_CAMERA_HOST, HAZARDCAST_CAMERA_PORT: {join(host, port)}: {error}"
            ) from None
        self._server.cameras = self.cameras = cameras
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="streams", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more; running streams end when their channels are cut."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    cameras: Mapping[str, LocalCamera]

    def __init__(self, listener: socket.socket) -> None:
        """Serve a socket that listens already; HTTPServer's own way asks DNS for our name."""
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "hazardcast-camera"
    sys_version = ""
    timeout = _SEND_TIMEOUT_S

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Who connects is counted, not logged."""

    def do_HEAD(self) -> None:
        """As GET, without the body."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer with the list, a camera's facts or its stream."""
        path = self.path.partition("?")[0]
        if path == "/":
            self._json(HTTPStatus.OK, {"cameras": [c.facts() for c in self._cameras.values()]})
            return
        name, _, ending = path.removeprefix("/").rpartition(".")
        camera = self._cameras.get(name)
        if camera is None or ending not in ("ts", "json"):
            known = [f"/{camera_id}.ts" for camera_id in self._cameras]
            self._json(HTTPStatus.NOT_FOUND, {"error": "no such camera", "known": known})
        elif ending == "json":
            self._json(HTTPStatus.OK, camera.facts())
        else:
            self._stream(camera)

    @property
    def _cameras(self) -> Mapping[str, LocalCamera]:
        return self.server.cameras

    def _json(self, status: HTTPStatus, data: dict[str, Any]) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _stream(self, camera: LocalCamera) -> None:
        if self.command == "HEAD":
            self._stream_headers()
            return
        subscription = camera.channel.join()
        try:
            first = self._first(camera, subscription)
            if first is None:
                text = camera.detail or "the stream has not begun"
                self._json(HTTPStatus.SERVICE_UNAVAILABLE, {"error": text, "state": camera.state})
                return
            self._stream_headers()
            with contextlib.suppress(OSError):  # the client hung up, or does not read any more
                self._send_all(subscription, first)
        finally:
            camera.channel.leave(subscription)

    def _first(self, camera: LocalCamera, subscription: Subscription) -> bytes | None:
        """The first bytes; None when there are none for now."""
        for _ in range(round(FIRST_KEYFRAME_S / _TAKE_S)):
            if camera.state in ("unreadable", "ended"):
                return None
            data = subscription.take(_TAKE_S)
            if data is None or data:
                return data
        return None

    def _stream_headers(self) -> None:
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "video/mp2t")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()

    def _send_all(self, subscription: Subscription, first: bytes) -> None:
        data: bytes | None = first
        while data is not None:
            if data:
                self.wfile.write(data)
            data = subscription.take(_TAKE_S)
