"""Whether a request that changes something comes from a page of ours. Pure.

A browser says where a request comes from (`Origin`, `Sec-Fetch-Site`), and no page can forge it;
what is no browser says nothing and holds no cookie that a page could misuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

JSON = "application/json"
OWN_SITES = frozenset({"same-origin", "none"})
"""`none`: typed, or chosen from the bookmarks."""
DEFAULT_PORTS = {"http": 80, "https": 443}


def is_own(headers: Mapping[str, str], host: str) -> bool:
    """Whether a request comes from a page of `host`, or from no page at all.

    Args:
        headers: by lower-case name.
        host: as the browser named this server, with its port.
    """
    if headers.get("sec-fetch-site", "none") not in OWN_SITES:
        return False
    origin = headers.get("origin")
    return origin is None or _is_origin_of(origin, host)


def _is_origin_of(origin: str, host: str) -> bool:
    """The scheme is left to the proxy that ends TLS: it is not known here."""
    try:
        parts = urlsplit(origin)
        port, named = parts.port, urlsplit(f"//{host}").port
    except ValueError:
        return False
    usual = DEFAULT_PORTS.get(parts.scheme)
    if usual is None or parts.path or parts.query:
        return False
    own = urlsplit(f"//{host}").hostname
    return parts.hostname == own and (port or usual) == (named or usual)


def carries_json(headers: Mapping[str, str]) -> bool:
    """Whether the body is JSON or there is none: a form of another page cannot send JSON."""
    kind = headers.get("content-type")
    if kind is None:
        return headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
    return kind.partition(";")[0].strip().lower() == JSON
