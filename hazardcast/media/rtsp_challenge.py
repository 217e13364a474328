"""How an RTSP camera wants its viewers to log in, and whether ffmpeg can.

Source: RFC 2326 (RTSP), RFC 2617 and RFC 7616 (Digest with MD5, with SHA-256).
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Sequence
from contextlib import ExitStack
from urllib.parse import urlsplit

from hazardcast.media import camera_address
from hazardcast.media.camera_url import is_rtsp

TIMEOUT_S = 3.0
LONGEST_ANSWER = 16_384
_CHALLENGE = re.compile(r"^www-authenticate:\s*(.+?)\s*$", re.I | re.M)
_ALGORITHM = re.compile(r'algorithm\s*=\s*"?([\w-]+)', re.I)
ANSWERED = frozenset({"MD5", "MD5-SESS"})
"""What every ffmpeg answers (libavformat/httpauth.c); of several challenges it takes the last."""


def why_refused(url: str) -> str | None:
    """Why a camera refuses credentials that may be right; asks the camera, None if they are wrong.

    Args:
        url: of the camera, credentials included.
    """
    problem = camera_address.too_long_for_ffmpeg(url) or beyond_ffmpeg(challenges(url))
    return f"ffmpeg cannot log in there: {problem}" if problem else None


def challenges(url: str) -> tuple[str, ...]:
    """The camera's challenges to a viewer without credentials, in their order; none if not RTSP."""
    parts = urlsplit(url)
    if not is_rtsp(url):
        return ()
    host, port = camera_address.host_port(url)
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if parts.query:
        address += f"?{parts.query}"
    request = f"DESCRIBE {address} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n"
    with contextlib.suppress(OSError):
        secure = parts.scheme == "rtsps"
        return tuple(_CHALLENGE.findall(_asked(host, port, request.encode(), secure=secure)))
    return ()


def _asked(host: str, port: int, request: bytes, *, secure: bool) -> str:
    answer = b""
    with ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection((host, port), timeout=TIMEOUT_S))
        if secure:
            connection = stack.enter_context(_unverified().wrap_socket(connection))
        connection.sendall(request)
        while b"\r\n\r\n" not in answer and len(answer) < LONGEST_ANSWER:
            more = connection.recv(LONGEST_ANSWER)
            if not more:
                break
            answer += more
    return answer.decode("latin-1")


def _unverified() -> ssl.SSLContext:
    """As ffmpeg asks: cameras sign their own certificates, and nothing secret is said here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def beyond_ffmpeg(asked: Sequence[str]) -> str | None:
    """Says so when the last of a camera's challenges is one that ffmpeg does not answer."""
    if not asked:
        return None
    scheme, _, rest = asked[-1].partition(" ")
    if scheme.lower() == "basic":
        return None
    if scheme.lower() != "digest":
        return f"the camera asks for {scheme[:20]}, ffmpeg knows Basic and Digest with MD5"
    named = _ALGORITHM.search(rest)
    algorithm = named[1].upper() if named else "MD5"
    if algorithm in ANSWERED:
        return None
    return f"the camera asks for Digest with {algorithm}, ffmpeg knows MD5: allow MD5 there"
