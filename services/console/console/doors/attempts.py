"""How often a login may be tried: a few times a minute for each account and each address. Pure."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field

from hazardcast.receiving.token_bucket import TokenBucket

PER_MINUTE = 5.0
PER_S = PER_MINUTE / 60.0
WAIT_S = 60.0 / PER_MINUTE
MOST_KNOWN = 4096
LONGEST = 64


@dataclass
class Attempts:
    """A bucket for each account and each address; a login that succeeds costs nothing."""

    _buckets: OrderedDict[tuple[str, str], TokenBucket] = field(default_factory=OrderedDict)

    def allows(self, account: str, address: str, monotonic: float) -> bool:
        """Take one try of both, if both have one left."""
        buckets = [self._bucket(key, monotonic) for key in _keys(account, address)]
        if not all(bucket.take(monotonic, 0.0) and bucket.tokens >= 1.0 for bucket in buckets):
            return False
        return all(bucket.take(monotonic) for bucket in buckets)

    def succeeded(self, account: str, address: str, monotonic: float) -> None:
        """Give the try back."""
        for key in _keys(account, address):
            self._bucket(key, monotonic).give_back()

    def _bucket(self, key: tuple[str, str], monotonic: float) -> TokenBucket:
        bucket = self._buckets.setdefault(
            key, TokenBucket(PER_S, PER_MINUTE, PER_MINUTE, monotonic)
        )
        self._buckets.move_to_end(key)
        if len(self._buckets) > MOST_KNOWN:
            self._buckets.popitem(last=False)
        return bucket


def _keys(account: str, address: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("account", account[:LONGEST]), ("address", network_of(address))


def network_of(address: str) -> str:
    """What one subscriber holds: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address[:LONGEST]
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is None:
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(getattr(known, "ipv4_mapped", None) or known)
