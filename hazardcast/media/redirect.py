"""Tells a child process where to connect without writing it on the child's command line.

Whoever may list a machine's processes reads their command lines, and a camera's address holds its
password. The child is given an address on loopback instead; whoever asks there is told to go on to
the camera (RTSP/1.0, RFC 2326 10.3 and 11.1: `302 Moved Temporarily`; HTTP, RFC 9110 15.4.3). Only
the way to the camera is told: no byte of the stream passes through here.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
import threading
from pathlib import Path
from urllib.parse import quote

from hazardcast.media.camera_url import is_rtsp

LOOPBACK = "127.0.0.1"
PATIENCE_S = 5.0
LONGEST_REQUEST = 8192
_CONTROLS = re.compile(r"[\x00-\x20\x7f]")
"""Would end the header in which the address is told."""
_CSEQ = re.compile(rb"^cseq:\s*(\d+)", re.I | re.M)
_SOCKETS = Path("/proc/net/tcp")
_UID = 7
"""Column of a socket's owner in `_SOCKETS` (proc_net_tcp(5))."""


class Redirect:
    """A server on loopback that sends this user's processes on to `target`, until closed."""

    def __init__(self, target: str) -> None:
        """Raises OSError when no port of this machine is free."""
        self._target = _CONTROLS.sub(lambda sign: quote(sign[0]), target)
        self._token = secrets.token_urlsafe(12)
        self._listener = socket.create_server((LOOPBACK, 0))
        scheme = "rtsp" if is_rtsp(target) else "http"
        port = self._listener.getsockname()[1]
        self.url = f"{scheme}://{LOOPBACK}:{port}/{self._token}"
        """The address to give to the child."""
        threading.Thread(target=self._serve, name="redirect", daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()

    def __enter__(self) -> Redirect:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, peer = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(PATIENCE_S)
                if _is_ours(peer[1], connection.getsockname()[1]):
                    connection.sendall(_answer(_request(connection), self._token, self._target))


def _request(connection: socket.socket) -> bytes:
    """The head of one request, cut short where it is too long."""
    request = b""
    while b"\r\n\r\n" not in request and len(request) < LONGEST_REQUEST:
        more = connection.recv(LONGEST_REQUEST)
        if not more:
            break
        request += more
    return request


def _answer(request: bytes, token: str, target: str) -> bytes:
    first = request.split(b"\r\n", 1)[0].split(b" ")
    protocol = b"RTSP/1.0" if first[-1].startswith(b"RTSP/") else b"HTTP/1.1"
    known = len(first) == 3 and first[1].rpartition(b"/")[2] == token.encode()
    lines = [protocol + (b" 302 Found" if known else b" 404 Not Found")]
    if number := _CSEQ.search(request):
        lines.append(b"CSeq: " + number[1])
    if known:
        lines.append(b"Location: " + target.encode())
    return b"\r\n".join([*lines, b"Content-Length: 0", b"Connection: close", b"", b""])


def _is_ours(port: int, to_port: int) -> bool:
    """Whether the other end of a loopback connection belongs to this user, where that is told."""
    try:
        table = _SOCKETS.read_text(encoding="ascii")
    except OSError:
        return True
    return str(os.getuid()) in {
        fields[_UID]
        for line in table.splitlines()[1:]
        if (fields := line.split())[1].endswith(f":{port:04X}")
        and fields[2].endswith(f":{to_port:04X}")
    }
