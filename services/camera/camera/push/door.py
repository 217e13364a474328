"""The doors: `WS /push/{camera}` and `POST /push/{camera}`, for whoever has the camera's token."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from camera import metrics
from camera.push import body, jpeg
from camera.push.jpeg import Pictures, Refused
from camera.push.pushed import IDLE_S, NO_PICTURE, Publisher, PushedCamera
from camera.push.socket_words import (
    POLICY,
    TIME_BYTES,
    TIMED,
    TOO_BIG,
    UNSUPPORTED,
    Gone,
    WebSocket,
)
from camera.push.tokens import Tokens
from hazardcast.machine.clock import Clock
from hazardcast.service import limited_http
from hazardcast.service.limited_http import LimitedHandler, LimitedServer

_READ_BYTES = 65_536
_LINGER_BYTES = 64 << 20
_LINGER_S = 2.0
_SILENT_S = IDLE_S + 3.0
"""Longer than a client may bring nothing, so that it is told why it has to go."""
TOKEN = "no such camera, or not its token: send Authorization: Bearer TOKEN"  # noqa: S105 - words
IN_ADDRESS = "a token never stands in an address: send Authorization: Bearer TOKEN"
SPEAKS = "POST /push/CAMERA takes MJPEG, and a WebSocket there takes a JPEG a message"
_STATUS = {"too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE}


class PushServer:
    """Lets clients in, a thread for each.

    Raises:
        ConfigError: the address cannot be listened on.
    """

    def __init__(
        self, host: str, port: int, cameras: Mapping[str, PushedCamera], tokens: Tokens
    ) -> None:
        listener = limited_http.listen(host, port, setting="HAZARDCAST_PUSH")
        self._server = _Server(listener, _Handler)
        self._server.cameras, self._server.tokens = cameras, tokens
        self.port = self._server.port
        self._server.start("push")

    def close(self) -> None:
        """Let nobody in any more, and everybody go."""
        self._server.close()
        for camera in self._server.cameras.values():
            if publisher := camera.publisher:
                publisher.end("the camera service stops")


class _Server(LimitedServer):
    cameras: Mapping[str, PushedCamera]
    tokens: Tokens

    @property
    def clock(self) -> Clock:
        """By which the rest of what a client sends is waited for."""
        return self._clock


class _Handler(LimitedHandler):
    server: _Server
    server_version = "hazardcast-camera"
    protocol_version = "HTTP/1.1"  # curl waits for `100 Continue`
    timeout = _SILENT_S

    def do_GET(self) -> None:  # noqa: N802 - the base class's name
        """A WebSocket; anything else is told what this door is for."""
        self.close_connection = True
        if "websocket" not in (self.headers.get("Upgrade") or "").lower():
            self._refuse(HTTPStatus.NOT_FOUND, "unknown", SPEAKS)
            return
        socket = WebSocket(self.connection.fileno, lambda: self._reader.read1(_READ_BYTES))
        with contextlib.suppress(Gone, OSError):
            self._talk(socket)
        self._linger()

    def do_POST(self) -> None:  # noqa: N802 - the base class's name
        """MJPEG: multipart/x-mixed-replace, or picture behind picture."""
        self.close_connection = True
        if refusal := self._refusal(self._token()):
            self._refuse(*refusal)
            return
        publisher = self._camera.admit(lambda _: None, self._stop_reading)
        if publisher is None:
            self._refuse(HTTPStatus.CONFLICT, "busy", self._busy())
            return
        self.server.answering(self.connection)
        try:
            with contextlib.suppress(OSError):
                self._take_body(publisher)
        finally:
            publisher.leave()

    def _take_body(self, publisher: Publisher) -> None:
        pictures, wrong = Pictures(), None
        try:
            for block in body.blocks(self._reader, self.headers):
                for picture in pictures.feed(block):
                    self._wait_where_it_can(publisher)
                    _offer(publisher, picture)
            self._wait_where_it_can(publisher)
            if not publisher.ended_because:
                pictures.finish()
        except Refused as refused:
            publisher.refuse(refused)
            wrong = refused if refused.fatal else None
        except (body.BodyError, TimeoutError) as error:
            publisher.end(str(error) if isinstance(error, body.BodyError) else NO_PICTURE)
        status, said = HTTPStatus.OK, publisher.ended_because
        if wrong:
            status = _STATUS.get(wrong.reason, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
            said = str(wrong)
        elif said:
            status = HTTPStatus.REQUEST_TIMEOUT
        publisher.leave()
        self._answer(status, {**publisher.counts(), **({"error": said} if said else {})})

    def _wait_where_it_can(self, publisher: Publisher) -> None:
        """Who tells how much is coming sends a file, which plays as fast as may be; others drop."""
        if self.headers.get("Content-Length"):
            camera = self._camera
            while camera.publisher is publisher and (pause_s := camera.pause_s(publisher)) > 0:
                camera.clock.wait(threading.Event(), pause_s)

    def _talk(self, socket: WebSocket) -> None:
        """Handshake, token, then a JPEG a message."""
        token = self._token()
        refusal = self._refusal(token, asks=token is None)
        if refusal:
            metrics.PUSH_TURNED_AWAY.labels(reason=refusal[1]).inc()
        answer = (refusal[0], refusal[2] + "\n") if refusal else None
        if not socket.open(self.path, dict(self.headers), answer):
            return
        if token is None and (refusal := self._refusal(_token_of(socket.receive()))):
            metrics.PUSH_TURNED_AWAY.labels(reason=refusal[1]).inc()
            socket.close(POLICY, refusal[2])
            return
        publisher = self._camera.admit(socket.say, self._stop_reading)
        if publisher is None:
            metrics.PUSH_TURNED_AWAY.labels(reason="busy").inc()
            socket.close(POLICY, self._busy())
            return
        self.server.answering(self.connection)
        try:
            self._take_messages(socket, publisher)
        finally:
            publisher.leave()

    def _take_messages(self, socket: WebSocket, publisher: Publisher) -> None:
        try:
            while True:
                message = socket.receive()
                if isinstance(message, str):
                    self._take_words(publisher, message)
                else:
                    _offer(publisher, message, timed=socket.subprotocol == TIMED)
        except Refused as refused:
            publisher.refuse(refused)
            socket.close(TOO_BIG if refused.reason == "too_large" else UNSUPPORTED, str(refused))
        except (Gone, TimeoutError):
            if socket.was_too_big:
                publisher.refuse(jpeg.too_large())
            elif publisher.ended_because:
                socket.close(POLICY, publisher.ended_because)

    @staticmethod
    def _take_words(publisher: Publisher, message: str) -> None:
        """A text: whether the client wants to be told what is seen in its pictures."""
        wants = _said(message, "results")
        if isinstance(wants, bool):
            publisher.wants_results = wants
        else:
            publisher.refuse(Refused("text", "send binary messages, each a whole JPEG"))

    @property
    def _camera(self) -> PushedCamera:
        return self.server.cameras[self._name]

    @property
    def _name(self) -> str:
        return self.path.partition("?")[0].removeprefix("/push/")

    @property
    def _reader(self) -> Any:
        return cast("Any", self.rfile)

    def _token(self) -> str | None:
        kind, _, token = (self.headers.get("Authorization") or "").partition(" ")
        return token.strip() if kind.lower() == "bearer" else None

    def _refusal(
        self, token: str | None, *, asks: bool = False
    ) -> tuple[HTTPStatus, str, str] | None:
        """Why this client may not push; where it `asks`, its token may follow as first message."""
        if "?" in self.path:
            return HTTPStatus.BAD_REQUEST, "address", IN_ADDRESS
        if not self.path.startswith("/push/"):
            return HTTPStatus.NOT_FOUND, "unknown", SPEAKS
        if asks or self.server.tokens.opens(self._name, token):
            return None
        return HTTPStatus.UNAUTHORIZED, "token", TOKEN

    def _busy(self) -> str:
        return f"{self._name} has a client already, and takes one at a time"

    def _stop_reading(self) -> None:
        """Whoever waits for this client's bytes goes on at once, and can still answer it."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(0)  # SHUT_RD

    def _refuse(self, status: HTTPStatus, reason: str, text: str) -> None:
        metrics.PUSH_TURNED_AWAY.labels(reason=reason).inc()
        self._answer(status, {"error": text})

    def _answer(self, status: HTTPStatus, words: Mapping[str, Any]) -> None:
        self.answer(status, "application/json", json.dumps(words).encode())
        self._linger()

    def _linger(self) -> None:
        """Hear a little more: a client that is still sending would miss the answer."""
        clock = self.server.clock
        deadline_s, heard = clock.monotonic() + _LINGER_S, 0
        with contextlib.suppress(OSError):
            self.connection.shutdown(1)  # SHUT_WR
            while heard < _LINGER_BYTES and (left_s := deadline_s - clock.monotonic()) > 0:
                self.connection.settimeout(left_s)
                if not (data := self._reader.read1(_READ_BYTES)):
                    return
                heard += len(data)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """What is no HTTP at all: such as a length and pickled bytes, sent by plain TCP."""
        self.close_connection = True
        self.command = self.command or "GET"
        self.request_version = self.request_version or "HTTP/1.0"
        text = message or HTTPStatus(code).phrase
        first: bytes = getattr(self, "raw_requestline", b"")[:16]
        if jpeg.is_pickled(first):
            code, text = HTTPStatus.BAD_REQUEST, str(jpeg.foreign(first))
        self._refuse(HTTPStatus(code), "protocol", f"{_plain(text)}; {SPEAKS}")


def _plain(text: str) -> str:
    """Nothing of what the client sent is said back to it."""
    return text.partition(" (")[0]


def _offer(publisher: Publisher, picture: bytes, *, timed: bool = False) -> None:
    """Judge a picture and hand it over; `timed`: its moment stands before it.

    Raises:
        Refused: nothing better is to be expected.
    """
    if timed:
        taken_us, picture = int.from_bytes(picture[:TIME_BYTES]), picture[TIME_BYTES:]
        publisher.taken(taken_us / 1e6)
    try:
        header = jpeg.check(picture)
    except Refused as refused:
        if refused.fatal:
            raise
        publisher.refuse(refused)
    else:
        publisher.offer(picture, header)


def _token_of(message: str | bytes) -> str | None:
    """The token in a first message `{"token": …}`."""
    token = _said(message, "token")
    return token if isinstance(token, str) else None


def _said(message: str | bytes, key: str) -> object:
    """What stands under `key` in a JSON object; None where it is none."""
    try:
        said = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return said.get(key) if isinstance(said, dict) else None
