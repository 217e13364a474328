"""A client that pushes: what `hazardcast push` does, again and again where a connection breaks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from camera.push.capture import Capture, encoded
from camera.push.quality import Quality
from camera.push.socket_words import TIME_BYTES, TIMED, UNSUPPORTED
from hazardcast.contract.errors import ConfigError
from hazardcast.machine.clock import Clock
from hazardcast.service.backoff import backoff_s

TELL_EVERY_S = 1.0
SEND_BUFFER_BYTES = 131_072
"""What waits in the system's buffer is late: a small one makes a slow network felt."""
_SOL_SOCKET, _SO_SNDBUF = 1, 7
LONGEST_PAUSE_S = 15.0


@dataclass(frozen=True)
class Wanted:
    """What a client was asked for."""

    source: str
    url: str
    token: str
    fps: float
    most_width: int
    once: bool
    """A file is pushed once, else again and again."""


class Client:
    """Pushes until it is stopped, or a file is at its end; tells what it does by `tell`.

    Args:
        wanted: what is pushed where.
        clock: by which pictures are taken.
        tell: gets facts: `state`, progress each second, and each result of the station.
    """

    def __init__(
        self, wanted: Wanted, clock: Clock, tell: Callable[[dict[str, Any]], None]
    ) -> None:
        self._wanted, self._clock, self._tell = wanted, clock, tell
        self._quality = Quality()
        self._sent = self._failures = 0
        self._told_s = float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Push; a connection that breaks is made again.

        Raises:
            ConfigError: the source cannot be read, or the station will not have it.
        """
        while not stop.is_set():
            try:
                if self._one_connection(stop):
                    return
                why = "the source ended"
            except (OSError, WebSocketException) as error:
                why = _words(error)
            if not stop.is_set():
                pause_s = backoff_s(self._failures, most_s=LONGEST_PAUSE_S)
                self._failures += 1
                self._tell({"state": "away", "why": why, "again_in_s": round(pause_s, 1)})
                self._clock.wait(stop, pause_s)

    def _one_connection(self, stop: threading.Event) -> bool:
        """Returns whether all is pushed."""
        with ExitStack() as stack:
            capture = stack.enter_context(closing(Capture(self._wanted.source)))
            client = self._connected()
            stack.enter_context(client)
            self._tell({"state": "connected"})
            client.send('{"results": true}')
            listener = threading.Thread(target=self._listen, args=(client,), daemon=True)
            listener.start()
            self._push(capture, client, stop)
            again = not (self._wanted.once or capture.is_live)
            while again and not stop.is_set():
                with closing(Capture(self._wanted.source)) as next_round:
                    self._push(next_round, client, stop)
        listener.join()
        return stop.is_set() or not capture.is_live

    def _connected(self) -> ClientConnection:
        headers = {"Authorization": f"Bearer {self._wanted.token}"}
        try:
            client = connect(
                self._wanted.url, additional_headers=headers, subprotocols=[Subprotocol(TIMED)]
            )
        except InvalidURI:
            raise ConfigError("--to: not an address such as ws://host:8091/push/gate") from None
        except InvalidStatus as refused:
            if refused.response.status_code not in (400, 401, 404):
                raise
            raise ConfigError(f"--to: {_body(refused)}") from None
        assert isinstance(client, ClientConnection)
        client.socket.setsockopt(_SOL_SOCKET, _SO_SNDBUF, SEND_BUFFER_BYTES)
        return client

    def _push(self, capture: Capture, client: ClientConnection, stop: threading.Event) -> None:
        fps = min(self._wanted.fps, capture.fps)
        began_s, shown, pushed = self._clock.monotonic(), 0, 0
        while not stop.is_set():
            due_s = began_s + pushed / fps
            if not capture.is_live:
                self._clock.wait(stop, max(0.0, due_s - self._clock.monotonic()))
            elapsed_s = self._clock.monotonic() - began_s
            if not capture.is_live and not self._caught_up(capture, shown, elapsed_s):
                return
            picture = capture.read()
            if picture is None:
                return
            shown = max(shown, int(elapsed_s * capture.fps)) + 1
            if self._clock.monotonic() >= due_s:
                self._send(client, picture, 1 / fps)
                pushed = max(pushed + 1, int((self._clock.monotonic() - began_s) * fps))

    @staticmethod
    def _caught_up(capture: Capture, shown: int, elapsed_s: float) -> bool:
        """Pass over a file's pictures whose moment is gone; False at its end."""
        return all(capture.skip() for _ in range(shown, int(elapsed_s * capture.fps)))

    def _send(self, client: ClientConnection, picture: Any, period_s: float) -> None:
        taken_at, quality = self._clock.now(), self._quality
        jpeg = encoded(
            picture,
            quality=quality.quality,
            share=quality.share,
            most_width=self._wanted.most_width,
        )
        started_s = self._clock.monotonic()
        client.send(round(taken_at * 1e6).to_bytes(TIME_BYTES) + jpeg)
        now_s = self._clock.monotonic()
        quality.sent(now_s - started_s, period_s=period_s, now_s=now_s)
        self._sent, self._failures = self._sent + 1, 0
        if now_s - self._told_s >= TELL_EVERY_S:
            self._told_s = now_s
            facts = {"sent": self._sent, "bytes": len(jpeg)}
            self._tell({**facts, "quality": quality.quality, "share": quality.share})

    def _listen(self, client: ClientConnection) -> None:
        try:
            for message in client:
                said = json.loads(message)
                if isinstance(said, dict):
                    self._tell(said)
        except (ValueError, ConnectionClosed):
            return


def _words(error: OSError | WebSocketException) -> str:
    if isinstance(error, ConnectionClosed) and error.rcvd:
        if error.rcvd.code == UNSUPPORTED:
            raise ConfigError(f"--source: {error.rcvd.reason}")
        return error.rcvd.reason or f"closed ({error.rcvd.code})"
    if isinstance(error, InvalidStatus):
        return _body(error)
    return str(getattr(error, "strerror", None) or error)


def _body(refused: InvalidStatus) -> str:
    text = (refused.response.body or b"").decode("utf-8", "replace").strip()
    return text[:200] or f"HTTP {refused.response.status_code}"
