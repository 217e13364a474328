"""Hosts, ports and groups as people write them in settings, IPv6 too: judged once. Pure.

A port after an IPv6 address needs brackets (RFC 3986 §3.2.2): `[::1]:2947`. Whoever reads
`::1:2947` otherwise reaches somebody else, as that is an address of its own.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

Address = tuple[str, int]
"""Host (a name, IPv4 or IPv6 without brackets) and port."""

_LONGEST_NAME = 253  # RFC 1035 §2.3.4
_LONGEST_INTERFACE = 15  # IFNAMSIZ of linux/if.h, less the closing zero
_NAME = re.compile(r"[\w.-]+")
_NUMBERS = re.compile(r"[\d.]+")
_INTERFACE = re.compile(r"[^\s/:\x00-\x1f\x7f]+")
_PORT = re.compile(r"[0-9]{1,5}")


def host(text: str) -> str:
    """A host alone, without the brackets that an IPv6 address may stand in.

    Raises:
        ValueError: it is no host name and no IP address.
    """
    bare = text.strip()
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1]
        if not _is_ipv6(bare):
            raise ValueError(f"{text!r} is no IPv6 address in brackets")
    if _is_ipv6(bare) or _is_ipv4(bare):
        return bare
    if _NUMBERS.fullmatch(bare):
        raise ValueError(f"{text!r} is no whole IPv4 address")
    if ":" in bare:
        raise ValueError(f"{text!r} is no host: a port has a setting of its own")
    if not _NAME.fullmatch(bare) or len(bare) > _LONGEST_NAME or not _may_be_asked_for(bare):
        raise ValueError(f"{text!r} is no host name and no IP address")
    return bare


def host_port(text: str, *, default_port: int | None = None) -> Address:
    """`host:port`, `[IPv6]:port`; without a port too where there is a default.

    Raises:
        ValueError: it is nothing of that.
    """
    bare = text.strip()
    name, port = _split(bare)
    forms = "host:port or [IPv6]:port"
    if port is None and default_port is None:
        raise ValueError(f"{text!r} is not {forms}")
    if port is not None and not (_PORT.fullmatch(port) and 0 < int(port) < 65_536):
        raise ValueError(f"{text!r} is not {forms}: a port is a number from 1 to 65535")
    try:
        found = host(name)
    except ValueError:
        others = "" if default_port is None else "host, "
        raise ValueError(f"{text!r} is not {others}{forms}") from None
    return found, int(port) if port is not None else int(default_port or 0)


def _split(text: str) -> tuple[str, str | None]:
    """Host and port as texts, None where there is no port."""
    if _is_ipv6(text):
        return text, None
    if text.startswith("["):
        bracketed, bracket, rest = text.partition("]")
        port = rest.removeprefix(":") if rest.startswith(":") else None
        return (bracketed + bracket, port) if port is not None or not rest else (text, None)
    name, sign, port = text.rpartition(":")
    return (name, port) if sign else (text, None)


def join(host: str, port: int) -> str:
    """`host:port` as it stands in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def group(text: str) -> str:
    """An IPv4 multicast group, written in full: `239.20.20` is another group to each program.

    Raises:
        ValueError: it is none.
    """
    bare = text.strip()
    if not _is_ipv4(bare) or not ipaddress.IPv4Address(bare).is_multicast:
        problem = "is no IPv4 multicast group, 224.0.0.0 to 239.255.255.255"
        raise ValueError(f"{text!r} {problem}")
    return bare


def interface(text: str) -> str:
    """A network interface's name or its IPv4 address; whether it is there is not asked.

    Raises:
        ValueError: no interface can be called so.
    """
    bare = text.strip()
    if _is_ipv4(bare):
        return bare
    nameable = _INTERFACE.fullmatch(bare) and len(bare.encode()) <= _LONGEST_INTERFACE
    if not nameable or _NUMBERS.fullmatch(bare) or bare in (".", ".."):
        raise ValueError(f"{text!r} is no interface's name and no IPv4 address")
    return bare


def http_server(text: str) -> str:
    """`http(s)://host[:port][/path]`.

    Raises:
        ValueError: it is no such address.
    """
    bare = text.strip()
    problem = f"{text!r} is no address such as http://127.0.0.1:8090 or http://[::1]:8090"
    try:
        parts = urlsplit(bare)
        if parts.scheme not in ("http", "https"):
            raise ValueError(problem)
        host_port(parts.netloc, default_port=80)
    except ValueError:
        raise ValueError(problem) from None
    if _is_ipv6(parts.netloc):
        raise ValueError(problem)
    return bare


def _may_be_asked_for(name: str) -> bool:
    """Whether DNS can be asked at all: Python raises no OSError for `a..b` or a label too long."""
    try:
        name.encode("idna")
    except UnicodeError:
        return False
    return True


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


Host = Annotated[str, AfterValidator(host)]
MulticastGroup = Annotated[str, AfterValidator(group)]
Interface = Annotated[str, AfterValidator(interface)]
HttpServer = Annotated[str, AfterValidator(http_server)]
