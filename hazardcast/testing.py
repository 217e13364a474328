"""What tests of services need: a bus in memory, a clock set by hand, and patience with a limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hazardcast.bus import ClearedHandler, Dispatcher, Handler, TextHandler
from hazardcast.clock import Clock, SystemClock
from hazardcast.messages import Message
from hazardcast.topics import Topic

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

    def _hear_retained(self, topic: Topic[Any]) -> None:
        for path, payload in list(self._broker.retained.items()):
            if topic.match(path) is not None:
                self.receive(path, payload, retained=True)

    def receive(self, path: str, payload: bytes, *, retained: bool) -> None:
        """Take one message from the broker."""
        if self.connected:
            self._dispatcher.dispatch(path, payload, retained=retained)


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


def eventually(condition: Callable[[], T], *, within_s: float = 5.0, what: str = "") -> T:
    """Wait until `condition()` is truthy and return it; AssertionError after `within_s`."""
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what or condition}")
        time.sleep(0.01)
