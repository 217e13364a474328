"""Deciding whether a datagram may be believed.

In the order size → shape → key → duplicate → rate → signature → window → freshness → schema, the
cheap tests first. Nothing changes state before the signature holds.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from hazardcast.contract.errors import DecodeError
from hazardcast.contract.messages import Datagram
from hazardcast.receiving.replay_window import Window
from hazardcast.receiving.token_bucket import RateLimit
from hazardcast.signing.envelope import MAX_DATAGRAM_BYTES, Envelope, open_unverified
from hazardcast.signing.trust import TrustedKey, TrustStore

MAX_AGE_S = 2.0
"""Past tolerance of the C2C-CC basic profile for CAM."""
MAX_FUTURE_S = 0.25

Number = tuple[int, int, int]
"""Station, epoch and sequence number of a datagram."""
Witness = Callable[[Number, float], None]
"""Told (number, the station's transmit time) of every authentic datagram, timely or not."""


class Rejection(StrEnum):
    """Why a datagram was not believed; the label `reason` of the metric."""

    SIZE = "size"
    SHAPE = "shape"
    UNKNOWN_KEY = "unknown_key"
    REVOKED_KEY = "revoked_key"
    ALGORITHM = "algorithm"
    DUPLICATE = "duplicate"
    """Taken already: another path or a repeating network brought it once more."""
    REPLAY = "replay"
    """Older than the window remembers, or from before this receiver's restart."""
    RATE = "rate"
    SIGNATURE = "signature"
    STATION = "station"
    EPOCH = "epoch"
    STALE = "stale"
    FUTURE = "future"
    SCHEMA = "schema"


@dataclass(frozen=True)
class Accepted:
    """A datagram that may be believed."""

    datagram: Datagram
    fresh: bool
    """False when the receiver's clock is not synchronised, so that freshness was not judged."""
    kid: str = ""
    """The key that signed it."""


class EpochStore(Protocol):
    """Keeps each station's highest epoch across restarts."""

    def load(self) -> dict[int, int]:
        """Station → highest epoch accepted."""
        ...

    def save(self, epochs: dict[int, int]) -> None:
        """Keep them."""
        ...


class Reception:
    """Judges datagrams and keeps what must be remembered to judge the next one.

    Not thread-safe: whoever hears on several paths judges under one lock.
    """

    def __init__(
        self,
        trust: TrustStore,
        epochs: EpochStore,
        rate: RateLimit | None = None,
        *,
        witness: Witness | None = None,
    ) -> None:
        self._trust = trust
        self._store = epochs
        self._highest_epochs = epochs.load()
        self._windows: dict[int, Window] = {}
        self._rate = rate or RateLimit()
        self._witness = witness or (lambda _number, _tx: None)

    def trust(self, store: TrustStore) -> None:
        """Use another trust store from now on."""
        self._trust = store

    def window(self, station: int) -> Window | None:
        """What was heard of `station` in its present epoch."""
        return self._windows.get(station)

    def high_water(self) -> dict[int, tuple[int, int]]:
        """Station → (epoch, highest sequence number), to be kept across a restart."""
        return {
            station: (window.epoch, window.highest) for station, window in self._windows.items()
        }

    def resume(self, marks: dict[int, tuple[int, int]]) -> None:
        """After a restart: take nothing again that `high_water` said was heard before it."""
        for station, (epoch, highest) in marks.items():
            if epoch >= self._highest_epochs.get(station, 0):
                self._highest_epochs[station] = epoch
                self._windows[station] = Window.resumed(epoch, highest)

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
        if obvious := glance(text):
            return obvious
        try:
            envelope = open_unverified(text)
            claim = _claim(envelope.payload)
        except DecodeError:
            return Rejection.SHAPE
        key = self._trust.keys.get(envelope.kid)
        if key is None:
            return Rejection.UNKNOWN_KEY
        if rejection := self._before_signature(envelope, key, claim, source, monotonic):
            return rejection
        if not key.verifier.verify(envelope.signed, envelope.signature):
            return Rejection.SIGNATURE
        self._rate.vouch(source)
        return self._after_signature(key, claim, now, clock_error_s)

    def _before_signature(
        self, envelope: Envelope, key: TrustedKey, claim: _Claim, source: str, monotonic: float
    ) -> Rejection | None:
        if not key.usable:
            return Rejection.REVOKED_KEY
        if envelope.alg != key.verifier.alg:
            return Rejection.ALGORITHM
        window = self._windows.get(claim.station)
        if window and window.epoch == claim.epoch and window.seen(claim.seq):
            return Rejection.REPLAY if window.forgotten(claim.seq) else Rejection.DUPLICATE
        return None if self._rate.allows(source, monotonic) else Rejection.RATE

    def _after_signature(
        self, key: TrustedKey, claim: _Claim, now: float, clock_error_s: float | None
    ) -> Accepted | Rejection:
        if claim.station != key.station:
            return Rejection.STATION
        if claim.epoch < self._highest_epochs.get(claim.station, 0):
            return Rejection.EPOCH
        self._witness((claim.station, claim.epoch, claim.seq), claim.tx)
        if clock_error_s is not None and (late := _untimely(claim.tx, now, clock_error_s)):
            return late
        try:
            datagram = Datagram.parse(claim.data)
        except DecodeError:
            return Rejection.SCHEMA
        self._commit(claim)
        return Accepted(datagram, fresh=clock_error_s is not None, kid=key.kid)

    def _commit(self, claim: _Claim) -> None:
        window = self._windows.get(claim.station)
        if window is None or window.epoch != claim.epoch:
            self._windows[claim.station] = Window(claim.epoch, claim.seq)
        else:
            window.take(claim.seq)
        if claim.epoch > self._highest_epochs.get(claim.station, -1):
            self._highest_epochs[claim.station] = claim.epoch
            self._store.save(self._highest_epochs)


def glance(text: bytes) -> Rejection | None:
    """What can be told at a glance and without any state, for whoever must survive a flood.

    Every JWS begins with the base64url of `{"` or `{ `, which is `ey`.
    """
    if len(text) > MAX_DATAGRAM_BYTES:
        return Rejection.SIZE
    return None if text.startswith(b"ey") else Rejection.SHAPE


@dataclass(frozen=True)
class _Claim:
    """What a payload says of itself, read before it is believed."""

    station: int
    epoch: int
    seq: int
    tx: float
    data: dict[str, Any]


def _claim(payload: bytes) -> _Claim:
    try:
        data = json.loads(payload)
    except (ValueError, RecursionError):
        raise DecodeError("payload is not JSON") from None
    if not isinstance(data, dict):
        raise DecodeError("payload is not an object")
    return _Claim(
        _whole(data, "station"),
        _whole(data, "epoch"),
        _whole(data, "seq"),
        _number(data, "tx"),
        data,
    )


def _whole(data: dict[str, Any], name: str) -> int:
    value = data.get(name)
    if type(value) is not int or not 0 <= value < 2**63:
        raise DecodeError("expected a whole number", field=name)
    return value


def _number(data: dict[str, Any], name: str) -> float:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DecodeError("expected a number", field=name)
    try:
        number = float(value)
    except OverflowError:
        raise DecodeError("expected a number in range", field=name) from None
    if not math.isfinite(number):
        raise DecodeError("expected a finite number", field=name)
    return number


def _untimely(tx: float, now: float, clock_error_s: float) -> Rejection | None:
    age_s = now - tx
    if age_s > MAX_AGE_S + clock_error_s:
        return Rejection.STALE
    return Rejection.FUTURE if age_s < -(MAX_FUTURE_S + clock_error_s) else None
