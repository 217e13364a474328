"""HTTP: `/{camera}.ts` the stream, `/{camera}.json` what is known of it, `/` the cameras."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from camera.channel import Subscription
from camera.source import LocalCamera
from hazardcast.contract.vocabulary import CameraState
from hazardcast.service import limited_http
from hazardcast.service.limited_http import LimitedHandler, LimitedServer

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
        listener = limited_http.listen(host, port, setting="HAZARDCAST_CAMERA")
        self._server = _Server(listener, _Handler)
        self._server.cameras = self.cameras = cameras
        self.port = self._server.port
        self._server.start("streams")

    def close(self) -> None:
        """Answer nobody any more; running streams end when their channels are cut."""
        self._server.close()


class _Server(LimitedServer):
    cameras: Mapping[str, LocalCamera]


class _Handler(LimitedHandler):
    server: _Server
    server_version = "hazardcast-camera"
    timeout = _SEND_TIMEOUT_S

    def do_GET(self) -> None:  # noqa: N802 - the base class's name
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
        self.answer(status, "application/json", body, Cache_Control="no-store")

    def _stream(self, camera: LocalCamera) -> None:
        if self.command == "HEAD":
            self._stream_headers()
            return
        self.server.answering(self.connection)
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
            if camera.state in (CameraState.UNREADABLE, CameraState.ENDED) and not camera.may_come:
                return None
            data = subscription.take(_TAKE_S)
            if data is None or data:
                return data
        return None

    def _stream_headers(self) -> None:
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
