"""A WebSocket on a connection whose request has been read: `websockets` does the protocol."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from camera.push.jpeg import MOST_BYTES

GOING_AWAY, UNSUPPORTED, POLICY, TOO_BIG = 1001, 1003, 1008, 1009
TIMED = "hazardcast.push.v1"
"""The subprotocol of clients that put a picture's moment before it: epoch µs, big-endian."""
TIME_BYTES = 8
_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


def _if_offered(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Ours, or none: a client that asks for another is let in without."""
    return next((one for one in offered if one == TIMED), None)


class Gone(Exception):  # noqa: N818 - how connections end
    """The client went, or broke the protocol."""


class WebSocket:
    """Messages in, words out; `read` waits for bytes, and no word ever waits."""

    def __init__(self, descriptor: Callable[[], int], read: Callable[[], bytes]) -> None:
        self._descriptor, self._read = descriptor, read
        self._protocol = ServerProtocol(
            max_size=MOST_BYTES + TIME_BYTES,
            subprotocols=[Subprotocol(TIMED)],
            select_subprotocol=_if_offered,
        )
        self._lock = threading.Lock()
        self._parts: list[bytes] = []
        self._messages: list[str | bytes] = []
        self._text = False

    def open(
        self, path: str, headers: Mapping[str, str], refusal: tuple[HTTPStatus, str] | None
    ) -> bool:
        """Answer the handshake; False where it is refused, by us or by its own faults."""
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        with self._lock:
            self._protocol.receive_data(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
            events = self._protocol.events_received()
            if not events or not isinstance(events[0], Request):
                return False
            answer = (
                self._protocol.reject(*refusal) if refusal else self._protocol.accept(events[0])
            )
            self._protocol.send_response(answer)
            self._flush()
            return self._protocol.state is State.OPEN

    def receive(self) -> str | bytes:
        """The next whole message.

        Raises:
            Gone: there is none any more.
            TimeoutError: nothing came in time.
        """
        while not self._messages:
            data = self._read()
            if not data:
                raise Gone  # or we do not read on: then a last word can still be said
            with self._lock:
                self._protocol.receive_data(data)
                for event in self._protocol.events_received():
                    if isinstance(event, Frame) and event.opcode in _DATA:
                        self._take(event)
                self._flush()
                if not self._messages and self._protocol.state is not State.OPEN:
                    raise Gone
        return self._messages.pop(0)

    def _take(self, frame: Frame) -> None:
        if frame.opcode is not Opcode.CONT:
            self._parts, self._text = [], frame.opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if frame.fin:
            whole, self._parts = b"".join(self._parts), []
            self._messages.append(whole.decode("utf-8", "replace") if self._text else whole)

    @property
    def subprotocol(self) -> str | None:
        """What was agreed upon."""
        return self._protocol.subprotocol

    @property
    def was_too_big(self) -> bool:
        """Whether it ended because a message had too many bytes."""
        return isinstance(self._protocol.parser_exc, PayloadTooBig)

    def say(self, words: Mapping[str, Any]) -> None:
        """Send a JSON text; who does not read is let go."""
        with self._lock:
            if self._protocol.state is State.OPEN:
                self._protocol.send_text(json.dumps(words).encode())
                self._flush()

    def close(self, code: int, reason: str) -> None:
        """Say why it ends."""
        with self._lock:
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(code, reason[:120])
                self._flush()

    def _flush(self) -> None:
        """The descriptor does not block: what its buffer cannot take ends the connection."""
        for data in self._protocol.data_to_send():
            with contextlib.suppress(OSError):
                if data and os.write(self._descriptor(), data) < len(data):
                    self._protocol.fail(GOING_AWAY, "nobody reads")
