"""How many signatures a source may have checked for nothing, so that a flood cannot eat the CPU."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

FAILURES_PER_S = 400.0
FAILURES_BURST = 800.0
STRANGERS_PER_S = 2_000.0
STRANGERS_BURST = 4_000.0
MAX_SOURCES = 4096
MAX_PROVEN = 256


@dataclass
class TokenBucket:
    """`per_s` tokens a second, at most `burst` at once."""

    per_s: float
    burst: float
    tokens: float
    at: float

    def take(self, monotonic: float, count: float = 1.0) -> bool:
        """Take `count` tokens if there are that many."""
        gained = max(0.0, monotonic - self.at) * self.per_s
        self.tokens = min(self.burst, self.tokens + gained)
        self.at = monotonic
        if self.tokens < count:
            return False
        self.tokens -= count
        return True

    def give_back(self) -> None:
        """Undo a `take`."""
        self.tokens = min(self.burst, self.tokens + 1.0)


@dataclass
class RateLimit:
    """Token buckets against floods: a source pays only for signatures that do not hold.

    Each source has a bucket of its own. Sources of which no signature ever held share one more,
    because a flood may forge a fresh address for every datagram; a proven station is never kept
    out by strangers. Memory is bounded: the sources longest unheard are forgotten.
    """

    per_s: float = FAILURES_PER_S
    burst: float = FAILURES_BURST
    _buckets: OrderedDict[str, TokenBucket] = field(default_factory=OrderedDict)
    _proven: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _strangers: TokenBucket = field(
        default_factory=lambda: TokenBucket(STRANGERS_PER_S, STRANGERS_BURST, STRANGERS_BURST, 0.0)
    )

    def allows(self, source: str, monotonic: float) -> bool:
        """Take a token for one check of a signature from `source`, if there is one left."""
        if not self._bucket(source, monotonic).take(monotonic):
            return False
        return source in self._proven or self._strangers.take(monotonic)

    def vouch(self, source: str) -> None:
        """The signature held: give the token back, and call `source` a stranger no more."""
        self._buckets[source].give_back()
        if source not in self._proven:
            self._strangers.give_back()
        self._proven[source] = None
        self._proven.move_to_end(source)
        if len(self._proven) > MAX_PROVEN:
            self._proven.popitem(last=False)

    def _bucket(self, source: str, monotonic: float) -> TokenBucket:
        bucket = self._buckets.get(source)
        if bucket is None:
            bucket = TokenBucket(self.per_s, self.burst, self.burst, monotonic)
            self._buckets[source] = bucket
        self._buckets.move_to_end(source)
        if len(self._buckets) > MAX_SOURCES:
            self._buckets.popitem(last=False)
        return bucket
