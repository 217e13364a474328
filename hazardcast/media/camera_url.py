"""The `url` of a camera as people write it: judged when it is read, so that it works or is refused.

The words never repeat what stands in the address: it may hold a password.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote

DEMO_PARAMETERS = ("impact_s", "period_s")
RTSP_SCHEMES = ("rtsp", "rtsps")
"""In the clear and over TLS: what ffmpeg knows (libavformat/rtspdec.c)."""
NETWORK_SCHEMES = (*RTSP_SCHEMES, "http", "https")
ELSEWHERE = {"rtspt": "tcp", "rtspu": "udp"}
"""What other players call RTSP over one transport."""
DEMO_SCENES = ("collision", "fire", "blockage", "normal", "queue")
PUSH = "push"
SCHEMES = (*NETWORK_SCHEMES, "demo", "v4l2", "file", PUSH)
CREDENTIALS = (
    "credentials do not belong in a URL; name a variable in `credentials` that holds user:password"
)
_AT = re.compile(r"@|%40", re.I)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.I)
_WINDOWS = re.compile(r"[a-z]:[\\/]|\\\\", re.I)
_SLOPPY = re.compile(rf"({'|'.join(SCHEMES)})(:/?(?!/)|//|:?:///*)", re.I)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?")
LONGEST_HOST = 253


def scheme_of(url: str) -> str:
    """`rtsp` of `rtsp://…`; empty for the path of a file, which may hold any sign."""
    scheme, separator, _ = url.partition("://")
    return "" if not separator or "/" in scheme or "\\" in scheme else scheme.lower()


def is_rtsp(url: str) -> bool:
    """Whether RTSP is spoken there, over TLS or not."""
    return scheme_of(url) in RTSP_SCHEMES


def tidy(url: str) -> str:
    """The address without blanks around it, with its scheme in small letters, as ffmpeg wants it.

    Raises:
        ValueError: it is the address of nothing that can be read here; the words say why.
    """
    url = url.strip()
    scheme = scheme_of(url)
    rest = url.partition("://")[2] if scheme else url
    if scheme == PUSH:
        return _pushed(rest)
    if not rest.strip():
        raise ValueError("the address is empty")
    if any(ord(sign) < 0x20 or ord(sign) == 0x7F for sign in url):
        raise ValueError("control characters are not allowed")
    _check(scheme, url, rest)
    return f"{scheme}://{rest}" if scheme else url


def _pushed(rest: str) -> str:
    """A camera that comes by itself has no address: it goes by its id and its token."""
    if rest.strip("/ "):
        raise ValueError("push:// has nothing behind it: a client is known by camera and token")
    return "push://"


def _check(scheme: str, url: str, rest: str) -> None:
    if scheme in ELSEWHERE:
        raise ValueError(f"write it as rtsp://, and rtsp_transport: {ELSEWHERE[scheme]} beside it")
    if scheme and scheme not in SCHEMES:
        raise ValueError(
            f"{scheme[:20]}:// is not understood; use rtsp, http, push, v4l2, demo or a file path"
        )
    if not scheme:
        _check_path(url)
    elif scheme in NETWORK_SCHEMES:
        _check_network(rest)
    elif scheme == "demo":
        _check_scene(rest)
    elif scheme == "v4l2" and not rest.startswith("/"):
        raise ValueError("a device is written with three strokes: v4l2:///dev/video0")


def _check_scene(rest: str) -> None:
    """Name and parameters; the camera service knows how far these may go."""
    name, _, query = rest.partition("?")
    if name not in DEMO_SCENES:
        raise ValueError(f"no drawn scene of this name; there are {', '.join(DEMO_SCENES)}")
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key not in DEMO_PARAMETERS or not _NUMBER.fullmatch(value):
            raise ValueError(f"a drawn scene takes seconds as {' and '.join(DEMO_PARAMETERS)}")


def _check_path(path: str) -> None:
    if _WINDOWS.match(path):
        raise ValueError("a Windows path is not read here; write it as /mnt/…/video.mp4")
    if path.startswith("/dev/video"):
        raise ValueError(f"a device is written v4l2://{path}")
    if (sloppy := _SLOPPY.match(path)) and not _exists(Path(path)):
        start = f"{sloppy[1].lower()}://" + ("/" if sloppy[1].lower() in ("v4l2", "file") else "")
        raise ValueError(f"the address must begin with {start}")


def _check_network(rest: str) -> None:
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    # A password with # in it ends the host too early.
    if _AT.search(authority) or (rest.startswith(f"{authority}#") and "@" in rest):
        raise ValueError(CREDENTIALS)
    if any(sign.isspace() for sign in rest):
        raise ValueError("there is a blank in the address; inside a path it is written %20")
    host, port = _host_and_port(authority)
    if port is not None and not (port.isascii() and port.isdigit() and 0 < int(port[:9]) < 65536):
        # A password with a stroke in it looks like a port, and ends before the @.
        raise ValueError(
            CREDENTIALS if _AT.search(rest) else "the port is no number from 1 to 65535"
        )
    if not host:
        raise ValueError("the address names no host")
    if not _is_host(host):
        raise ValueError("the host is no name and no address such as 10.0.0.11 or [fd00::11]")


def _host_and_port(authority: str) -> tuple[str, str | None]:
    if authority.startswith("["):
        host, bracket, after = authority.partition("]")
        return host + bracket, after[1:] if after.startswith(":") else (after and "none") or None
    if authority.count(":") > 1:
        raise ValueError("an IPv6 host is written in brackets: rtsp://[fd00::11]:554/…")
    host, colon, port = authority.partition(":")
    return host, port if colon else None


def _is_host(host: str) -> bool:
    if host.startswith("["):
        # ffmpeg hands the zone of a link-local address on as it stands.
        return host.endswith("]") and "%25" not in host and _is_address(host[1:-1], 6)
    if re.fullmatch(r"[0-9.]+", host):
        return _is_address(host, 4)
    labels = host.removesuffix(".").split(".")
    return len(host) <= LONGEST_HOST and all(_LABEL.fullmatch(label) for label in labels)


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


def folder_of(url: str) -> Path | None:
    """The folder whose files play the camera, if one does: its address ends with a stroke."""
    return _path_of(url) if url.endswith("/") else None


def file_of(url: str) -> Path | None:
    """The file that plays the camera, if one does."""
    return None if url.endswith("/") else _path_of(url)


def _path_of(url: str) -> Path | None:
    """What a path or a `file://` address means.

    A path is a path, whatever signs it holds; `%20` in a `file://` address is a blank, unless a
    file is called so.
    """
    scheme = scheme_of(url)
    if scheme not in ("", "file"):
        return None
    text = url.partition("://")[2] if scheme else url
    if scheme and text.startswith("localhost/"):
        text = text.removeprefix("localhost")
    path = _from_home(Path(text))
    return path if not scheme or _exists(path) else Path(unquote(text))


def _from_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        return path  # No user of this name: a file whose name begins with ~.


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def device_of(url: str) -> str | None:
    """The Video4Linux device that is the camera, if one is."""
    return url.partition("://")[2] if scheme_of(url) == "v4l2" else None
