"""A camera that sends MPEG-TS over HTTP in real time, and can freeze or hang up.

It stands in for an RTSP camera, as encoding live would cost a core: the picture is encoded once,
beforehand, and sent by the wall clock; the recorder does all that it does with any camera.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import time
from pathlib import Path

PACKET = 188
VIDEO_PID = 0x100
PORT = 8090
FPS = 5


def film(ffmpeg: str, path: Path, seconds: float) -> list[tuple[float, bytes]]:
    """(stream time from 0 on, packets) of each picture; a key frame a second."""
    subprocess.run(
        [ffmpeg, "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=s=160x90:r={FPS}",
         "-t", f"{seconds:.0f}", "-c:v", "libx264", "-preset", "ultrafast", "-g", str(FPS),
         "-bf", "0", "-sc_threshold", "0", "-f", "mpegts", str(path)],
        check=True,
    )  # fmt: skip
    data = path.read_bytes()
    starts = [at for at in range(0, len(data), PACKET) if _begins(data[at : at + PACKET])]
    pieces = [data[a:b] for a, b in zip(starts, [*starts[1:], len(data)], strict=True)]
    pieces[0] = data[: starts[0]] + pieces[0]
    return [(number / FPS, piece) for number, piece in enumerate(pieces)]


def _begins(packet: bytes) -> bool:
    """Whether a picture begins in this packet."""
    return (packet[1] & 0x1F) << 8 | packet[2] == VIDEO_PID and bool(packet[1] & 0x40)


class Camera:
    """Listens in the namespace in which it is made; every connection gets the stream anew."""

    def __init__(self, pictures: list[tuple[float, bytes]]) -> None:
        self._pictures = pictures
        self._frozen, self._down, self._closed = (threading.Event() for _ in range(3))
        self._server = socket.socket()
        self._server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._server.bind(("127.0.0.1", PORT))
        self._server.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{PORT}/camera.ts"

    def freeze(self) -> None:
        """Send nothing more, and keep the connection open."""
        self._frozen.set()

    def thaw(self) -> None:
        self._frozen.clear()

    def down(self) -> None:
        """Hang up, and hang up on whoever calls."""
        self._down.set()

    def up(self) -> None:
        self._down.clear()

    def close(self) -> None:
        self._closed.set()
        self._down.set()
        self._server.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(OSError):
                connection, _ = self._server.accept()
                threading.Thread(target=self._send, args=(connection,), daemon=True).start()

    def _send(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            if self._down.is_set():
                return
            connection.settimeout(10)
            connection.recv(4096)
            connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n")
            began = time.monotonic()
            for stamp, data in self._pictures:
                while self._frozen.is_set() and not self._down.is_set():
                    time.sleep(0.05)
                time.sleep(max(0.0, began + stamp - time.monotonic()))
                if self._down.is_set():
                    return
                connection.sendall(data)
