"""How often a login may be tried: a few times a minute for each account and each address.

Names that nobody has share one bucket: whoever tries many of them makes no other's be forgotten.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from hazardcast.receiving.token_bucket import TokenBucket

PER_MINUTE = 5.0
PER_S = PER_MINUTE / 60.0
WAIT_S = 60.0 / PER_MINUTE
MOST_KNOWN = 4096
LONGEST = 64


Buckets = OrderedDict[str | None, TokenBucket]


@dataclass
class Attempts:
    """A bucket for each account and each address; a login that succeeds costs nothing.

    An account is named where there is one of that name, None otherwise.
    """

    _accounts: Buckets = field(default_factory=OrderedDict)
    _addresses: Buckets = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allows(self, account: str | None, address: str, monotonic: float) -> bool:
        """Take one try of both, if both have one left."""
        with self._lock:
            buckets = self._of(account, address, monotonic)
            if not all(bucket.take(monotonic, 0.0) and bucket.tokens >= 1.0 for bucket in buckets):
                return False
            return all(bucket.take(monotonic) for bucket in buckets)

    def succeeded(self, account: str | None, address: str, monotonic: float) -> None:
        """Give the try back."""
        with self._lock:
            for bucket in self._of(account, address, monotonic):
                bucket.give_back()

    def _of(self, account: str | None, address: str, monotonic: float) -> list[TokenBucket]:
        return [
            _bucket(self._accounts, account, monotonic),
            _bucket(self._addresses, network_of(address), monotonic),
        ]


def _bucket(known: Buckets, key: str | None, monotonic: float) -> TokenBucket:
    bucket = known.setdefault(key, TokenBucket(PER_S, PER_MINUTE, PER_MINUTE, monotonic))
    known.move_to_end(key)
    if len(known) > MOST_KNOWN:
        known.popitem(last=False)
    return bucket


def network_of(address: str) -> str:
    """What one subscriber holds: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address[:LONGEST]
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is None:
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(getattr(known, "ipv4_mapped", None) or known)
