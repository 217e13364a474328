"""The MQTT bus: typed publish and subscribe over paho, 3.1.1 on the wire."""

from __future__ import annotations

import contextlib
import logging
import secrets
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MessageState, MQTTErrorCode

from hazardcast.config.settings import Settings
from hazardcast.contract.messages import Message, ServiceStatus
from hazardcast.contract.topics import STATUS, Topic
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.mqtt import at_once, outbox, waiting
from hazardcast.mqtt.attempts import Attempts
from hazardcast.mqtt.broker_failures import Way, retry_wait_s
from hazardcast.mqtt.broker_tls import tls_context
from hazardcast.mqtt.dispatch import (
    BytesHandler,
    ClearedHandler,
    Delivery,
    Dispatcher,
    Handler,
    TextHandler,
)
from hazardcast.mqtt.name_guard import BOOT, NameGuard
from hazardcast.service import metrics
from hazardcast.service.sparing_log import SparingLog
from hazardcast.service.watchdog import UNWATCHED

log = logging.getLogger(__name__)
mqtt.select = waiting.INSTEAD_OF_SELECT  # type: ignore[attr-defined, assignment]
M = TypeVar("M", bound=Message)
__all__ = [
    "Bus", "BytesHandler", "ClearedHandler", "Delivery", "Dispatcher", "Handler", "MqttBus",
    "TextHandler",
]  # fmt: skip

OUTBOX_MESSAGES = 10_000
KEEPALIVE_S = 15
INFLIGHT_MESSAGES = 100
NOT_SENT = frozenset({MessageState.MQTT_MS_PUBLISH, MessageState.MQTT_MS_QUEUED})
NEWCOMER = 0
"""No message has this id."""
CLOSE_WITHIN_S = 2.0
"""A thread that waits for DNS or for a broker that hangs is left behind at the end."""


class Bus(Protocol):
    """What a service may do with MQTT. Handlers run one at a time, before the acknowledgement."""

    def publish(self, topic: Topic[M], message: M, **parameters: str) -> bool:
        """Say `message`; False when the outbox is full of what is worth more (counted, logged)."""
        ...

    def publish_now(self, topic: Topic[M], message: M, *, within_s: float, **params: str) -> bool:
        """Say `message` now or never: False when the broker did not take it in time."""
        ...

    def publish_text(self, topic: Topic[Any], text: str, **parameters: str) -> bool:
        """Say opaque text on a topic that has no message type."""
        ...

    def clear(self, topic: Topic[Any], **parameters: str) -> bool:
        """Remove what is retained on a topic."""
        ...

    def subscribe(
        self, topic: Topic[M], handler: Handler[M], *, cleared: ClearedHandler | None = None
    ) -> None:
        """Hear every message of `topic`, also after reconnects; `cleared` hears removals."""
        ...

    def subscribe_text(self, topic: Topic[Any], handler: TextHandler) -> None:
        """Hear the opaque text of `topic`."""
        ...

    def subscribe_bytes(self, topic: Topic[Any], handler: BytesHandler) -> None:
        """Hear `topic` as it came, to be read by the handler; nothing when it is cleared."""
        ...

    def on_connect(self, hook: Callable[[], None]) -> None:
        """Call `hook` after every connection, the first included."""
        ...

    @property
    def connected(self) -> bool:
        """Whether the broker can be reached now."""
        ...


class MqttBus:
    """A `Bus` over a real broker; connects in the background and reconnects with jitter.

    The session is kept at the broker (`clean_session=False`) when `persistent`, so that what is
    said at QoS 1 while this service restarts is delivered afterwards; only then must the client id
    stay the same, else each process has its own. A process with a `will` watches over its name.

    Raises:
        ConfigError: a setting of the way to the broker cannot be used.
    """

    turn = UNWATCHED
    """For whoever watches the thread that hears; set before `start`."""

    def __init__(
        self,
        settings: Settings,
        *,
        client_id: str,
        persistent: bool = False,
        will: ServiceStatus | None = None,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or SystemClock()
        boot = secrets.token_hex(4)
        self._dispatcher = Dispatcher(clock)
        self._hooks: list[Callable[[], None]] = []
        self._connected = threading.Event()
        self._connections = 0
        self._last: mqtt.MQTTMessageInfo | None = None
        self._owed: deque[mqtt.MQTTMessageInfo] = deque()
        self._drops = SparingLog(log, clock)
        self._asked: dict[int, list[str]] = {}
        self._persistent = persistent
        self._own_id = f"{client_id}-{boot}"
        client_id = client_id if persistent else self._own_id
        way = Way(settings.mqtt_host, settings.broker, tls=settings.mqtt_ca is not None)
        self._attempts = Attempts(way, client_id, clock)
        self._client = self._make_client(settings, client_id, persistent=persistent)
        self._guard = self._watch_name(will, boot, clock) if will else None
        self._client.connect_async(settings.mqtt_host, settings.mqtt_port, KEEPALIVE_S)

    def _make_client(self, settings: Settings, client_id: str, *, persistent: bool) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=not persistent,
            protocol=mqtt.MQTTv311,
        )
        client.max_queued_messages_set(OUTBOX_MESSAGES)
        client.max_inflight_messages_set(INFLIGHT_MESSAGES)
        if settings.mqtt_username:
            password = settings.mqtt_password.get_secret_value() if settings.mqtt_password else None
            client.username_pw_set(settings.mqtt_username, password)
        if settings.mqtt_ca:
            client.tls_set_context(tls_context(settings.mqtt_ca))
        paho_log = log.getChild(f"paho.{self._own_id}")
        paho_log.setLevel(logging.WARNING)
        paho_log.addFilter(self._attempts.hear)
        client.enable_logger(paho_log)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_socket_open = _send_at_once
        _wait(client, retry_wait_s(0))
        return client

    def _watch_name(self, will: ServiceStatus, boot: str, clock: Clock) -> NameGuard:
        guard = NameGuard(will, boot, clock)
        path = STATUS.path(service=will.service, instance=will.instance)
        last = will.model_copy(update={"detail": will.detail.model_copy(update={BOOT: boot})})
        self._client.will_set(path, last.encode(), qos=STATUS.qos, retain=STATUS.retain)
        self._dispatcher.add(replace(STATUS, template=path), self._hear_own_name)
        return guard

    def _hear_own_name(self, word: ServiceStatus, delivery: Delivery) -> None:
        assert self._guard
        path = delivery.path
        twin = self._guard.hear(
            word,
            retained=delivery.retained,
            say=lambda own: self._client.publish(
                path, own.encode(), qos=STATUS.qos, retain=STATUS.retain
            ),
        )
        if twin and self._persistent and self._guard.boot > twin:
            self._step_aside()

    def _step_aside(self) -> None:
        """Leave the session to the other, or both throw each other out for ever.

        paho has no other way; taken up when the other takes the session over again.
        """
        self._persistent = False
        self._client._client_id = self._own_id.encode()  # noqa: SLF001
        self._client._clean_session = True  # noqa: SLF001
        log.error("leaving the session at the broker to the other, what waits there is its own")

    def start(self) -> None:
        """Begin to connect; returns at once. Subscribe before, so that nothing is missed."""
        self._client.loop_start()

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait for the broker; False when it did not answer in time."""
        return self._connected.wait(timeout_s)

    def close(self) -> None:
        """Disconnect cleanly (the last will is not sent) and stop the thread."""
        self._client.disconnect()
        end = threading.Thread(target=self._client.loop_stop, name="end of bus", daemon=True)
        end.start()
        end.join(CLOSE_WITHIN_S)

    @property
    def connected(self) -> bool:
        """Whether the broker can be reached now."""
        return self._connected.is_set()

    @property
    def problem(self) -> str | None:
        """Why the broker could not be had when that was last tried; None while it is."""
        return self._attempts.problem

    def on_connect(self, hook: Callable[[], None]) -> None:
        """Call `hook` after every connection, the first included."""
        self._hooks.append(hook)

    def subscribe(
        self, topic: Topic[M], handler: Handler[M], *, cleared: ClearedHandler | None = None
    ) -> None:
        """Hear every message of `topic`, also after reconnects."""
        self._dispatcher.add(topic, handler, cleared)
        self._subscribe_now(topic)

    def subscribe_text(self, topic: Topic[Any], handler: TextHandler) -> None:
        """Hear the opaque text of `topic`."""
        self._dispatcher.add_text(topic, handler)
        self._subscribe_now(topic)

    def subscribe_bytes(self, topic: Topic[Any], handler: BytesHandler) -> None:
        """Hear `topic` as it came."""
        self._dispatcher.add_bytes(topic, handler)
        self._subscribe_now(topic)

    def _subscribe_now(self, topic: Topic[Any]) -> None:
        if self._connected.is_set():
            self._ask_for([(topic.filter, topic.qos)])

    def _ask_for(self, filters: list[tuple[str, int]]) -> None:
        _, number = self._client.subscribe(filters)
        if number is not None:
            self._asked[number] = [one for one, _ in filters]

    def publish(self, topic: Topic[M], message: M, **parameters: str) -> bool:
        """Say `message`; kept in the outbox while the broker is away if the topic is QoS 1."""
        said = self._guard.signed(message) if self._guard else message
        return self._send(topic, said.encode(), parameters)

    def publish_now(self, topic: Topic[M], message: M, *, within_s: float, **params: str) -> bool:
        """Say `message` now or never; waits for the acknowledgement."""
        path, text = topic.path(**params), message.encode()
        return self.connected and at_once.publish(self._client, path, text, within_s=within_s)

    def publish_text(self, topic: Topic[Any], text: str, **parameters: str) -> bool:
        """Say opaque text."""
        return self._send(topic, text, parameters)

    def clear(self, topic: Topic[Any], **parameters: str) -> bool:
        """Remove what is retained on a topic."""
        return self._send(topic, "", parameters)

    def flush(self, timeout_s: float) -> bool:
        """Wait until the broker has acknowledged the last message said at QoS 1."""
        if self._last is None:
            return True
        try:
            self._last.wait_for_publish(timeout_s)
        except (RuntimeError, ValueError):
            return False
        return self._last.is_published()

    def _send(self, topic: Topic[Any], payload: str, parameters: dict[str, str]) -> bool:
        path = topic.path(**parameters)
        info = self._client.publish(path, payload, qos=topic.qos, retain=topic.retain)
        if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            if not self._make_room(outbox.Waiting(path, payload.encode(), topic.retain)):
                return False
            info = self._client.publish(path, payload, qos=topic.qos, retain=topic.retain)
        if topic.qos:
            self._last = info
            if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._owed.append(info)
                self._forget_acknowledged()
        return True

    def _make_room(self, newcomer: outbox.Waiting) -> bool:
        """Let the least go, a hundredth at once so that it is rare; False if that is `newcomer`.

        paho has no other way to take back what it has not sent yet.
        """
        with self._client._out_message_mutex:  # noqa: SLF001
            held = self._client._out_messages  # noqa: SLF001
            waiting = {
                mid: outbox.Waiting(message.topic, bytes(message.payload), message.retain)
                for mid, message in held.items()
                if message.state in NOT_SENT
            }
            gone = outbox.least({**waiting, NEWCOMER: newcomer}, max(1, len(held) // 100))
            gone = gone[:1] if gone[0] == NEWCOMER else [mid for mid in gone if mid != NEWCOMER]
            for mid in gone:
                if mid != NEWCOMER:
                    held.pop(mid).info._set_as_published()  # noqa: SLF001
        self._tell_dropped([newcomer if mid == NEWCOMER else waiting[mid] for mid in gone])
        return NEWCOMER not in gone

    def _tell_dropped(self, gone: list[outbox.Waiting]) -> None:
        for message in gone:
            metrics.OUTBOX_DROPPED.labels(kind=outbox.kind(message.path)).inc()
        about = {"topic": gone[0].path, "count": len(gone)}
        self._drops.say(logging.ERROR, "outbox full, the least was dropped", extra=about)

    @property
    def backlog(self) -> int:
        """How many messages at QoS 1 the broker has still to acknowledge.

        Less what was said while it was away: that is delivered whenever it is back.
        """
        self._forget_acknowledged()
        return len(self._owed)

    def _forget_acknowledged(self) -> None:
        with contextlib.suppress(IndexError):  # another thread may look too
            while self._owed[0].is_published():
                self._owed.popleft()

    def _on_connect(
        self, _client: mqtt.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            self._attempts.refused(str(reason))
            return
        self._attempts.accepted()
        if self._guard:
            self._guard.connected()
        if filters := list(self._dispatcher.filters.items()):
            self._ask_for(filters)
        self._connections += 1
        if self._guard:  # a connection beside the service's own may come and go
            metrics.MQTT_CONNECTED.set(1)
            metrics.MQTT_RECONNECTS.inc(self._connections > 1)
        self._connected.set()
        for hook in self._hooks:
            _call(hook)

    def _on_subscribe(
        self, _client: mqtt.Client, _userdata: Any, number: int, reasons: Any, _properties: Any
    ) -> None:
        for one, reason in zip(self._asked.pop(number, []), reasons, strict=False):
            if reason.is_failure:
                log.error("broker refuses a subscription: see its ACL", extra={"topic": one})

    def _on_connect_fail(self, client: mqtt.Client, _userdata: Any) -> None:
        _wait(client, self._attempts.failed(sys.exception()))

    def _on_disconnect(
        self, client: mqtt.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        self._connected.clear()
        if self._guard:
            metrics.MQTT_CONNECTED.set(0)
        if reason.is_failure:
            _wait(client, self._attempts.ended(str(reason)))

    def _on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        self.turn.begin()
        self._dispatcher.dispatch(
            message.topic, bytes(message.payload), retained=message.retain, again=message.dup
        )
        self.turn.end()


def _call(hook: Callable[[], None]) -> None:
    """An error of one's own must not end the thread that all connections hang on."""
    try:
        hook()
    except Exception:
        log.exception("what is due at a connection failed")


def _wait(client: mqtt.Client, wait_s: float) -> None:
    """Let the next try come then; paho's own waits are the same for every client."""
    client.reconnect_delay_set(wait_s, wait_s)  # type: ignore[arg-type] # any number does


def _send_at_once(_client: mqtt.Client, _userdata: Any, sock: Any) -> None:
    """Without this a small message waits for the acknowledgement of the one before (Nagle)."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
