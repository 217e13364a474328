"""The doors of the camera service, with two pushed cameras, in this process."""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from camera.push.pushed import PushedCamera
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from hazardcast.testing import MemoryBroker, eventually

TOKEN = "of-the-gate-and-long-enough"
OTHER = "of-the-bridge-and-long-enough"


@dataclass
class House:
    """The camera service with two pushed cameras, in this process."""

    cameras: dict[str, PushedCamera]
    port: int
    streams_port: int
    broker: MemoryBroker

    def header(self, token: str = TOKEN) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    @contextlib.contextmanager
    def socket(
        self, camera: str = "gate", token: str | None = TOKEN, *, timed: bool = False
    ) -> Iterator[ClientConnection]:
        headers = {} if token is None else self.header(token)
        url = f"ws://127.0.0.1:{self.port}/push/{camera}"
        subprotocols = [Subprotocol("hazardcast.push.v1")] if timed else None
        with connect(
            url, additional_headers=headers, max_size=None, subprotocols=subprotocols
        ) as client:
            assert isinstance(client, ClientConnection)
            yield client

    def post(
        self, body: bytes, camera: str = "gate", token: str = TOKEN
    ) -> tuple[int, dict[str, Any]]:
        url = f"http://127.0.0.1:{self.port}/push/{camera}"
        request = urllib.request.Request(url, body, self.header(token), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def gone(self, camera: str = "gate", within_s: float = 5.0) -> None:
        eventually(
            lambda: self.cameras[camera].publisher is None, within_s=within_s, what="it went"
        )
        eventually(lambda: not self.cameras[camera]._streams, within_s=within_s, what="its encoder")

    def live(self, camera: str = "gate") -> None:
        eventually(lambda: self.cameras[camera].state == "live", within_s=10, what="live")
