"""How OpenCV's FFmpeg is asked for RTP: over TCP or UDP.

OpenCV takes such options only from a variable of the environment, which it reads whenever it opens
a stream. So those who ask for the same open side by side, and others wait for their turn.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hazardcast.config import settings
from hazardcast.media import camera_address
from hazardcast.media.camera_url import is_rtsp
from hazardcast.media.ffmpeg import UDP_BUFFER_BYTES, Transport
from hazardcast.net import ports

OPTIONS: dict[Transport, dict[str, str]] = {
    "auto": {},
    "tcp": {"rtsp_transport": "tcp"},
    "udp": {"rtsp_transport": "udp", "buffer_size": str(UDP_BUFFER_BYTES)},
}
"""Nothing leaves it to OpenCV: TCP first, and UDP where that is refused."""


class Turns:
    """Lets those who need the same options in at once; who came first goes first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[Transport] = []
        self._now: Transport = "auto"
        self._inside = 0

    @contextmanager
    def asking(self, transport: Transport) -> Iterator[None]:
        """Open a stream inside: OpenCV asks for `transport`."""
        with self._changed:
            self._enter(transport)
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def _enter(self, transport: Transport) -> None:
        self._waiting.append(transport)
        self._changed.wait_for(lambda: self._may_enter(transport))
        self._waiting.remove(transport)
        if transport != self._now:
            settings.ask_opencv(OPTIONS[transport])
            self._now = transport
        self._inside += 1
        self._changed.notify_all()

    def _may_enter(self, transport: Transport) -> bool:
        """Nobody overtakes another who waits for other options."""
        first = self._waiting[0]
        return transport == first and (self._inside == 0 or transport == self._now)


TURNS = Turns()
"""Of this process: so is its environment."""


class Way:
    """Over what one camera is asked; with `auto`, over UDP where nothing came, and so in turns."""

    def __init__(self, transport: Transport = "auto", turns: Turns = TURNS) -> None:
        self._wanted: Transport = transport
        self._turns = turns
        self.transport: Transport = transport
        """Of the next connection."""

    @contextmanager
    def opening(self, url: str) -> Iterator[None]:
        """Open the stream at `url` inside."""
        with self._turns.asking(self.transport if is_rtsp(url) else "auto"):
            yield

    def turn(self, url: str) -> None:
        """No picture came from `url`; one that answers all the same may speak the other."""
        is_free = self._wanted == "auto" and is_rtsp(url)
        if is_free and ports.answers(*camera_address.host_port(url)):
            self.transport = "udp" if self.transport == "auto" else "auto"
