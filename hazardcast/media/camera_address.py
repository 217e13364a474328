"""Addresses of cameras: what of them may be shown, and how credentials are written into them."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

from hazardcast.media.camera_url import is_rtsp

RTSP_CREDENTIALS_BYTES = 127
HTTP_CREDENTIALS_BYTES = 1023
"""ffmpeg cuts `user:password` of an address off there (libavformat/rtsp.c, libavformat/http.c)."""
DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
LEAST_SECRET = 3
"""Shorter values are no secrets, and replacing them would make texts unreadable."""
_AS_THEY_ARE = frozenset("-._~!$&'()*+,;=^{}|`<>\\")
"""Signs that end neither user, password nor host; each `%xx` would cost two bytes more."""
_SECRET = re.compile(
    r"(?=(?:pass|pwd|pw|user|usr|token|key|secret|auth|sign)[a-z]*=([^&;/?#]+))", re.I
)
_ADDRESS = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*)://(?P<rest>[^\s'\"]*)", re.I)


def shown(url: str) -> str:
    """`url` as logs may show it: scheme, host and port; cameras take passwords anywhere else."""
    scheme, _, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host = authority.rpartition("@")[2]
    return f"{scheme}://{host}" + ("/…" if len(rest) > len(authority) + 1 else "")


def scrub(text: str, secrets: tuple[str, ...]) -> str:
    """`text` without `secrets`, and with every address in it as it may be shown."""
    for secret in secrets:
        text = text.replace(secret, "…")
    return _ADDRESS.sub(_shown, text)


def _shown(address: re.Match[str]) -> str:
    end = re.search(r"[:,.;)\]]*$", address[0])
    punctuation = end[0] if end else ""
    return shown(address[0].removesuffix(punctuation)) + punctuation


def secrets_of(url: str) -> tuple[str, ...]:
    """What of `url` must not be told, in every form in which it may be repeated; longest first.

    The pair of user and password, the password, path and query, and values there that are named
    like secrets (`user=admin&password=…`, `user=admin_password=…_channel=1`).
    """
    parts = urlsplit(url)
    forms = {parts.query, f"{parts.path}?{parts.query}"} if parts.query else set()
    if parts.password:
        forms |= {parts.netloc.rpartition("@")[0], parts.password}
    for value in _SECRET.findall(f"{parts.path}?{parts.query}"):
        forms |= {value, value.partition("_")[0]}
    forms |= {unquote(form) for form in forms}
    return tuple(sorted((one for one in forms if len(one) >= LEAST_SECRET), key=len, reverse=True))


def credentials(user: str, password: str) -> str:
    """`user:password` as it stands in an address, as short as can be: ffmpeg has little room."""
    return f"{_quoted(user)}:{_quoted(password)}"


def _quoted(text: str) -> str:
    return "".join(
        sign if sign in _AS_THEY_ARE or sign.isalnum() else quote(sign, safe="") for sign in text
    )


def too_long_for_ffmpeg(url: str) -> str | None:
    """Says so when the address holds longer credentials than ffmpeg carries to a camera."""
    parts = urlsplit(url)
    length = len(parts.netloc.rpartition("@")[0].encode())
    most = RTSP_CREDENTIALS_BYTES if is_rtsp(url) else HTTP_CREDENTIALS_BYTES
    if length <= most:
        return None
    return f"user and password take {length} bytes, and ffmpeg carries {most}: choose shorter ones"


def host_port(url: str) -> tuple[str, int]:
    """Where `url` connects to."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 80)
