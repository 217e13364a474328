"""Deciding whether a datagram may be believed: size → shape → key → duplicate → rate → signature →
window → freshness → schema. Nothing changes state before the signature holds.
"""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from hazardcast.envelope import MAX_DATAGRAM_BYTES, Envelope, open_unverified
from hazardcast.errors import DecodeError
from hazardcast.messages import Datagram
from hazardcast.trust import TrustedKey, TrustStore

WINDOW = 1024
MAX_AGE_S = 2.0
"""Past tolerance of the C2C-CC basic profile for CAM."""
MAX_FUTURE_S = 0.25
RATE_PER_S = 400.0
RATE_BURST = 800.0
MAX_SOURCES = 4096


class Rejection(StrEnum):
    """Why a datagram was not believed; the label `reason` of the metric."""

    SIZE = "size"
    SHAPE = "shape"
    UNKNOWN_KEY = "unknown_key"
    ALGORITHM = "algorithm"
    DUPLICATE = "duplicate"
    RATE = "rate"
    SIGNATURE = "signature"
    STATION = "station"
    EPOCH = "epoch"
    REPLAY = "replay"
    STALE = "stale"
    FUTURE = "future"
    SCHEMA = "schema"


@dataclass(frozen=True)
class Accepted:
    """A datagram that may be believed."""

    datagram: Datagram
    fresh: bool
    """False when the receiver's clock is not synchronised, so that freshness was not judged."""


class EpochStore(Protocol):
    """Keeps each station's highest epoch across restarts."""

    def load(self) -> dict[int, int]:
        """Station → highest epoch accepted."""
        ...

    def save(self, epochs: dict[int, int]) -> None:
        """Keep them."""
        ...


@dataclass
class Window:
    """Sliding bitmap over sequence numbers, as RFC 4303 §3.4.3 does against replay."""

    epoch: int
    base: int
    """First sequence number heard in this epoch: what came before is not ours to miss."""
    highest: int
    bits: int = 1
    unique: int = 1

    def seen(self, seq: int) -> bool:
        """Whether `seq` was taken already, or is too old to tell."""
        behind = self.highest - seq
        return behind >= WINDOW or (behind >= 0 and bool(self.bits >> behind & 1))

    def take(self, seq: int) -> None:
        """Mark `seq` as taken."""
        ahead = seq - self.highest
        if ahead > 0:
            self.bits = (self.bits << ahead if ahead < WINDOW else 0) | 1
            self.bits &= (1 << WINDOW) - 1
            self.highest = seq
        else:
            self.bits |= 1 << -ahead
        self.unique += 1
        self.base = min(self.base, seq)

    @property
    def expected(self) -> int:
        """How many datagrams the station sent since the first one heard (RFC 3550 A.3)."""
        return self.highest - self.base + 1


@dataclass
class _Bucket:
    tokens: float
    at: float


@dataclass
class RateLimit:
    """A token bucket per source address; the oldest source is forgotten beyond `MAX_SOURCES`."""

    per_s: float = RATE_PER_S
    burst: float = RATE_BURST
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)

    def allows(self, source: str, monotonic: float) -> bool:
        """Take a token for `source`, if it has one left."""
        bucket = self._buckets.setdefault(source, _Bucket(self.burst, monotonic))
        self._buckets.move_to_end(source)
        if len(self._buckets) > MAX_SOURCES:
            self._buckets.popitem(last=False)
        bucket.tokens = min(self.burst, bucket.tokens + (monotonic - bucket.at) * self.per_s)
        bucket.at = monotonic
        if bucket.tokens < 1.0:
            return False
        bucket.tokens -= 1.0
        return True


class Reception:
    """Judges datagrams and keeps what must be remembered to judge the next one."""

    def __init__(
        self, trust: TrustStore, epochs: EpochStore, rate: RateLimit | None = None
    ) -> None:
        self._trust = trust
        self._store = epochs
        self._highest_epochs = epochs.load()
        self._windows: dict[int, Window] = {}
        self._rate = rate or RateLimit()

    def trust(self, store: TrustStore) -> None:
        """Use another trust store from now on."""
        self._trust = store

    def window(self, station: int) -> Window | None:
        """What was heard of `station` in its present epoch."""
        return self._windows.get(station)

    def judge(
        self,
        text: bytes,
        *,
        source: str,
        now: float,
        monotonic: float,
        clock_error_s: float | None = 0.0,
    ) -> Accepted | Rejection:
        """Believe a datagram or say why not.

        Args:
            text: the datagram as it came.
            source: the sender's address, for the rate limit.
            now: wall clock, epoch seconds.
            monotonic: monotonic clock, seconds.
            clock_error_s: bound on the error of `now`; None when it is not synchronised.
        """
        if len(text) > MAX_DATAGRAM_BYTES:
            return Rejection.SIZE
        try:
            envelope = open_unverified(text)
            claim = _claim(envelope.payload)
        except DecodeError:
            return Rejection.SHAPE
        key = self._trust.find(envelope.kid)
        if key is None:
            return Rejection.UNKNOWN_KEY
        if rejection := self._before_signature(envelope, key, claim, source, monotonic):
            return rejection
        if not key.verifier.verify(envelope.signed, envelope.signature):
            return Rejection.SIGNATURE
        return self._after_signature(envelope, key, claim, now, clock_error_s)

    def _before_signature(
        self, envelope: Envelope, key: TrustedKey, claim: _Claim, source: str, monotonic: float
    ) -> Rejection | None:
        if envelope.alg != key.verifier.alg:
            return Rejection.ALGORITHM
        window = self._windows.get(claim.station)
        if window and window.epoch == claim.epoch and window.seen(claim.seq):
            return Rejection.DUPLICATE
        return None if self._rate.allows(source, monotonic) else Rejection.RATE

    def _after_signature(
        self,
        envelope: Envelope,
        key: TrustedKey,
        claim: _Claim,
        now: float,
        clock_error_s: float | None,
    ) -> Accepted | Rejection:
        if claim.station != key.station:
            return Rejection.STATION
        if claim.epoch < self._highest_epochs.get(claim.station, 0):
            return Rejection.EPOCH
        if clock_error_s is not None and (late := _untimely(claim.tx, now, clock_error_s)):
            return late
        try:
            datagram = Datagram.decode(envelope.payload)
        except DecodeError:
            return Rejection.SCHEMA
        self._commit(claim)
        return Accepted(datagram, fresh=clock_error_s is not None)

    def _commit(self, claim: _Claim) -> None:
        window = self._windows.get(claim.station)
        if window is None or window.epoch != claim.epoch:
            self._windows[claim.station] = Window(claim.epoch, claim.seq, claim.seq)
        else:
            window.take(claim.seq)
        if claim.epoch > self._highest_epochs.get(claim.station, -1):
            self._highest_epochs[claim.station] = claim.epoch
            self._store.save(self._highest_epochs)


@dataclass(frozen=True)
class _Claim:
    """What a payload says of itself, read before it is believed."""

    station: int
    epoch: int
    seq: int
    tx: float


def _claim(payload: bytes) -> _Claim:
    try:
        data = json.loads(payload)
    except (ValueError, RecursionError):
        raise DecodeError("payload is not JSON") from None
    if not isinstance(data, dict):
        raise DecodeError("payload is not an object")
    return _Claim(
        _whole(data, "station"), _whole(data, "epoch"), _whole(data, "seq"), _number(data, "tx")
    )


def _whole(data: dict[str, Any], name: str) -> int:
    value = data.get(name)
    if type(value) is not int or not 0 <= value < 2**63:
        raise DecodeError("expected a whole number", field=name)
    return value


def _number(data: dict[str, Any], name: str) -> float:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DecodeError("expected a finite number", field=name)
    return float(value)


def _untimely(tx: float, now: float, clock_error_s: float) -> Rejection | None:
    age_s = now - tx
    if age_s > MAX_AGE_S + clock_error_s:
        return Rejection.STALE
    return Rejection.FUTURE if age_s < -(MAX_FUTURE_S + clock_error_s) else None
