"""What tests of services need: a bus in memory, a clock set by hand, and patience with a limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hazardcast.contract.messages import Alert, Datagram, Message
from hazardcast.contract.topics import Topic
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.mqtt.bus import BytesHandler, ClearedHandler, Dispatcher, Handler, TextHandler
from hazardcast.signing.envelope import seal
from hazardcast.signing.trust import (
    KeyState,
    TrustStore,
    generate_jwk,
    parse_truststore,
    signer_of,
    truststore_entry,
)

M = TypeVar("M", bound=Message)
T = TypeVar("T")


class ManualClock:
    """A clock that moves only when told to; waiting moves it."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now = now
        self._monotonic = 1_000.0

    def now(self) -> float:
        """Wall clock, epoch seconds."""
        return self._now

    def monotonic(self) -> float:
        """Monotonic clock, seconds."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
        self._monotonic += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an operator or NTP would."""
        self._now += seconds

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        """Pass `timeout_s` at once unless `stop` is set."""
        if not stop.is_set():
            self.advance(max(0.0, timeout_s))
        return stop.is_set()


@dataclass
class MemoryBroker:
    """A broker in memory: QoS, retained messages and wildcards as far as Hazardcast uses them."""

    retained: dict[str, bytes] = field(default_factory=dict)
    published: list[tuple[str, bytes]] = field(default_factory=list)
    _buses: list[MemoryBus] = field(default_factory=list)

    def bus(self, clock: Clock | None = None) -> MemoryBus:
        """A client of this broker."""
        bus = MemoryBus(self, clock or SystemClock())
        self._buses.append(bus)
        return bus

    def send(self, path: str, payload: bytes, *, retain: bool = False) -> None:
        """Deliver raw bytes to everyone who listens, as any MQTT client could."""
        self.published.append((path, payload))
        if retain:
            self._retain(path, payload)
        for bus in list(self._buses):
            bus.receive(path, payload, retained=False)

    def _retain(self, path: str, payload: bytes) -> None:
        if payload:
            self.retained[path] = payload
        else:
            self.retained.pop(path, None)

    def payloads(self, topic: Topic[Any]) -> list[bytes]:
        """Everything said on `topic` so far, oldest first."""
        return [payload for path, payload in self.published if topic.match(path) is not None]

    def messages(self, topic: Topic[M]) -> list[M]:
        """Everything said on `topic` so far, decoded; removals left out."""
        assert topic.message is not None
        return [topic.message.decode(payload) for payload in self.payloads(topic) if payload]


class MemoryBus:
    """A `Bus` in memory; delivers at once, on the caller's thread."""

    def __init__(self, broker: MemoryBroker, clock: Clock) -> None:
        self._broker = broker
        self._dispatcher = Dispatcher(clock)
        self._hooks: list[Callable[[], None]] = []
        self.connected = True

    def start(self) -> None:
        """Connect: runs the connection hooks."""
        for hook in self._hooks:
            hook()

    def close(self) -> None:
        """Hear nothing more."""
        self.connected = False

    def on_connect(self, hook: Callable[[], None]) -> None:
        """Call `hook` after every connection."""
        self._hooks.append(hook)

    def publish(self, topic: Topic[M], message: M, **parameters: str) -> bool:
        """Say `message`."""
        return self.publish_text(topic, message.encode(), **parameters)

    def publish_now(self, topic: Topic[M], message: M, *, within_s: float, **params: str) -> bool:
        """Say `message`, if the broker is there and answers at all."""
        return within_s > 0 and self.connected and self.publish(topic, message, **params)

    def publish_text(self, topic: Topic[Any], text: str, **parameters: str) -> bool:
        """Say opaque text."""
        self._broker.send(topic.path(**parameters), text.encode(), retain=topic.retain)
        return True

    def clear(self, topic: Topic[Any], **parameters: str) -> bool:
        """Remove what is retained."""
        return self.publish_text(topic, "", **parameters)

    def subscribe(
        self, topic: Topic[M], handler: Handler[M], *, cleared: ClearedHandler | None = None
    ) -> None:
        """Hear every message of `topic`, retained ones first."""
        self._dispatcher.add(topic, handler, cleared)
        self._hear_retained(topic)

    def subscribe_text(self, topic: Topic[Any], handler: TextHandler) -> None:
        """Hear the opaque text of `topic`."""
        self._dispatcher.add_text(topic, handler)
        self._hear_retained(topic)

    def subscribe_bytes(self, topic: Topic[Any], handler: BytesHandler) -> None:
        """Hear `topic` as it came."""
        self._dispatcher.add_bytes(topic, handler)
        self._hear_retained(topic)

    def _hear_retained(self, topic: Topic[Any]) -> None:
        for path, payload in list(self._broker.retained.items()):
            if topic.match(path) is not None:
                self.receive(path, payload, retained=True)

    def receive(self, path: str, payload: bytes, *, retained: bool, again: bool = False) -> None:
        """Take one message from the broker."""
        if self.connected:
            self._dispatcher.dispatch(path, payload, retained=retained, again=again)


class MemoryEpochs:
    """An `EpochStore` that forgets at exit."""

    def __init__(self, epochs: dict[int, int] | None = None) -> None:
        self.epochs = dict(epochs or {})

    def load(self) -> dict[int, int]:
        """Station → highest epoch."""
        return dict(self.epochs)

    def save(self, epochs: dict[int, int]) -> None:
        """Keep them."""
        self.epochs = dict(epochs)


@dataclass
class SignedStation:
    """A station that signs what a test wants said, numbered as the real one numbers."""

    clock: Clock = field(default_factory=SystemClock)
    station: int = 4097
    epoch: int = 1
    seq: int = 0
    tick: int = 0
    jwk: dict[str, str] = field(default_factory=lambda: generate_jwk("EdDSA"))

    @property
    def kid(self) -> str:
        """The id of its key."""
        return self.jwk["kid"]

    def trust_entry(self, state: KeyState = "active") -> dict[str, Any]:
        """What a trust store says of its key."""
        return truststore_entry(self.jwk, station=self.station, state=state)

    def truststore(self, state: KeyState = "active") -> TrustStore:
        """A trust store that knows this station alone."""
        return parse_truststore({"version": 1, "keys": [self.trust_entry(state)]})

    def alert(self, number: int = 1, **changes: Any) -> Alert:
        """A new collision, detected and confirmed now, with `changes`."""
        now = self.clock.now()
        fields: dict[str, Any] = {
            "event_id": f"{self.station}-{number}", "status": "new", "revision": 0,
            "detection_time": now, "reference_time": now, "confirmed_at": now, "ts": now,
            "validity_duration_s": 900, "awareness_distance_m": 5_000, "station_type": 15,
            "cause_code": 2, "sub_cause_code": 0, "information_quality": 6,
            "type": "collision", "severity": "high", "lat": 37.12345, "lon": 127.12345,
            "road": "segment_A", "distance_m": 500.0,
        }  # fmt: skip
        return Alert.parse({**fields, **changes})

    def say(self, alert: Alert, *, copy: tuple[int, int] = (0, 7), **changes: Any) -> bytes:
        """The next datagram about `alert`; copy 0 begins the next tick."""
        if copy[0] == 0:
            self.tick += 1
        return self._seal({"kind": "alert", "copy": copy, "alert": alert, **changes})

    def heartbeat(self, **changes: Any) -> bytes:
        """The next datagram, a heartbeat without active alerts unless `changes` say otherwise."""
        fields = {
            "state": "ok", "interval_s": 10.0, "last_alert_seq": 0, "sent_alert_datagrams": 0,
            "sent_heartbeats": 0, "active_count": 0, "active_digest": "e3b0c44298fc1c14",
        }  # fmt: skip
        return self._seal({"kind": "heartbeat", "heartbeat": {**fields, **changes}})

    def _seal(self, fields: dict[str, Any]) -> bytes:
        self.seq += 1
        numbers = {
            "station": self.station, "epoch": self.epoch, "seq": self.seq,
            "tx": self.clock.now(), "tick": self.tick,
        }  # fmt: skip
        datagram = Datagram.model_validate({**numbers, **fields})
        return seal(datagram.encode().encode(), signer_of(self.jwk)).encode()


def eventually(condition: Callable[[], T | None], *, within_s: float = 5.0, what: str = "") -> T:
    """Wait until `condition()` is truthy and return it; AssertionError after `within_s`."""
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what or condition}")
        time.sleep(0.01)
