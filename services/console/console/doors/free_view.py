"""Where looking needs no account: at the machine itself, asked for by its own names. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

LOCAL_NAME = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
"""What a `Host` header says then, with or without the port."""
FORWARDING = frozenset({
    "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
    "x-forwarded-prefix", "x-forwarded-port", "x-forwarded-server", "x-forwarded-by", "x-real-ip",
    "x-client-ip", "true-client-ip", "cf-connecting-ip",
})  # fmt: skip
"""Headers that say a request came through another server: then who looks sits elsewhere."""


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def asks_locally(headers: Mapping[str, str]) -> bool:
    """Whether a request names this machine by a name of its own and came straight here.

    The name is what a page of another origin cannot forge: where a foreign name was made to lead
    to 127.0.0.1, the browser still sends that name.

    Args:
        headers: by lower-case name.
    """
    if any(name in FORWARDING for name in headers):
        return False
    return LOCAL_NAME.fullmatch(headers.get("host", "")) is not None
