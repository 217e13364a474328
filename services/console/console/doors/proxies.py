"""What a proxy says of who asks, believed only from networks that the operator named. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from hazardcast.contract.errors import ConfigError

HOPS = "x-forwarded-for"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Origin:
    """Who asks, and how they reached the console."""

    address: str
    """Theirs, as far as it is known."""
    host: str
    """The name that their browser used, with its port."""
    secure: bool
    """By TLS all the way to the browser."""


def parse(text: str | None) -> tuple[Network, ...]:
    """The networks of a comma-separated list.

    Raises:
        ConfigError: one is none; the error names the setting.
    """
    parts = [part.strip() for part in (text or "").split(",") if part.strip()]
    try:
        return tuple(ipaddress.ip_network(part) for part in parts)
    except ValueError as error:
        raise ConfigError(f"HAZARDCAST_CONSOLE_PROXIES: {error}") from None


def origin(
    peer: str, scheme: str, headers: Mapping[str, str], trusted: tuple[Network, ...]
) -> Origin:
    """Who asks.

    Args:
        peer: the address that the connection comes from.
        scheme: of the request or socket as it came: http, https, ws, wss.
        headers: by lower-case name; lines of one name joined by commas, as each proxy may add one.
        trusted: where proxies stand that are believed.
    """
    host, secure = headers.get("host", ""), scheme in {"https", "wss"}
    if not is_of(peer, trusted):
        return Origin(peer, host, secure)
    hops = [hop.strip() for hop in headers.get(HOPS, "").split(",") if hop.strip()]
    strangers = [hop for hop in hops if not is_of(hop, trusted)]
    return Origin(
        address=strangers[-1] if strangers else peer,
        host=headers.get("x-forwarded-host", host),
        secure=headers.get("x-forwarded-proto", scheme) in {"https", "wss"},
    )


def is_of(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether an address is of one of the networks."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return False
    known = getattr(known, "ipv4_mapped", None) or known
    return any(known in network for network in networks)
