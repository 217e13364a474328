"""The MQTT bus: typed publish and subscribe over paho, 3.1.1 on the wire."""

from __future__ import annotations

import contextlib
import logging
import random
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from hazardcast import metrics
from hazardcast.clock import Clock, SystemClock
from hazardcast.errors import DecodeError
from hazardcast.messages import Message, ServiceStatus
from hazardcast.settings import Settings
from hazardcast.topics import STATUS, Topic

log = logging.getLogger(__name__)
M = TypeVar("M", bound=Message)

OUTBOX_MESSAGES = 10_000
KEEPALIVE_S = 15
INFLIGHT_MESSAGES = 100


@dataclass(frozen=True)
class Delivery:
    """The circumstances of one message's arrival."""

    path: str
    parameters: dict[str, str]
    received_at: float
    received_monotonic: float
    retained: bool = False


Handler = Callable[[M, Delivery], None]
TextHandler = Callable[[str, Delivery], None]
ClearedHandler = Callable[[Delivery], None]


class Bus(Protocol):
    """What a service may do with MQTT. Handlers run one at a time, before the acknowledgement."""

    def publish(self, topic: Topic[M], message: M, **parameters: str) -> bool:
        """Say `message`; False when the outbox is full (counted and logged)."""
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

    def on_connect(self, hook: Callable[[], None]) -> None:
        """Call `hook` after every connection, the first included."""
        ...

    @property
    def connected(self) -> bool:
        """Whether the broker can be reached now."""
        ...


class Dispatcher:
    """Decodes what arrives and hands it to the handlers; shared by the real bus and the fake."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._routes: list[tuple[Topic[Any], Callable[[bytes, Delivery], None]]] = []

    def add(
        self, topic: Topic[M], handler: Handler[M], cleared: ClearedHandler | None = None
    ) -> None:
        """Route messages of `topic` to `handler`."""
        model = topic.message
        if model is None:
            raise TypeError(f"{topic.template} carries text: use subscribe_text")

        def receive(payload: bytes, delivery: Delivery) -> None:
            if payload:
                handler(model.decode(payload), delivery)
            elif cleared:
                cleared(delivery)

        self._routes.append((topic, receive))

    def add_text(self, topic: Topic[Any], handler: TextHandler) -> None:
        """Route text of `topic` to `handler`."""
        self._routes.append((topic, lambda payload, delivery: handler(_text(payload), delivery)))

    @property
    def filters(self) -> dict[str, int]:
        """What to subscribe to, with the QoS of each."""
        return {topic.filter: topic.qos for topic, _ in self._routes}

    def dispatch(self, path: str, payload: bytes, *, retained: bool) -> None:
        """Hand one message to every handler of its topic; a bad one is logged and dropped."""
        for topic, receive in self._routes:
            parameters = topic.match(path)
            if parameters is None:
                continue
            delivery = Delivery(
                path, parameters, self._clock.now(), self._clock.monotonic(), retained
            )
            _guarded(receive, payload, delivery, topic)


def _text(payload: bytes) -> str:
    try:
        return payload.decode("ascii")
    except UnicodeDecodeError:
        raise DecodeError("not ASCII text") from None


def _guarded(
    receive: Callable[[bytes, Delivery], None],
    payload: bytes,
    delivery: Delivery,
    topic: Topic[Any],
) -> None:
    try:
        receive(payload, delivery)
    except DecodeError as error:
        metrics.MESSAGES_REJECTED.labels(kind=topic.filter).inc()
        log.warning("message rejected", extra={"topic": delivery.path, "reason": str(error)})
    except Exception:
        # One message must not take down the thread that hears all others.
        metrics.MESSAGES_REJECTED.labels(kind=topic.filter).inc()
        log.exception("handler failed", extra={"topic": delivery.path})


class MqttBus:
    """A `Bus` over a real broker; connects in the background and reconnects with jitter.

    The session is kept at the broker (`clean_session=False`) when `persistent`, so that what is
    said at QoS 1 while this service restarts is delivered afterwards.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        client_id: str,
        persistent: bool = False,
        will: ServiceStatus | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._dispatcher = Dispatcher(clock or SystemClock())
        self._hooks: list[Callable[[], None]] = []
        self._connected = threading.Event()
        self._connections = 0
        self._last: mqtt.MQTTMessageInfo | None = None
        self._owed: deque[mqtt.MQTTMessageInfo] = deque()
        self._client = self._make_client(settings, client_id, persistent=persistent)
        if will:
            path = STATUS.path(service=will.service, instance=will.instance)
            self._client.will_set(path, will.encode(), qos=STATUS.qos, retain=STATUS.retain)
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
        client.reconnect_delay_set(min_delay=1, max_delay=random.randint(3, 6))
        if settings.mqtt_username:
            password = settings.mqtt_password.get_secret_value() if settings.mqtt_password else None
            client.username_pw_set(settings.mqtt_username, password)
        if settings.mqtt_ca:
            client.tls_set(ca_certs=str(settings.mqtt_ca))
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_socket_open = _send_at_once
        return client

    def start(self) -> None:
        """Begin to connect; returns at once. Subscribe before, so that nothing is missed."""
        self._client.loop_start()

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait for the broker; False when it did not answer in time."""
        return self._connected.wait(timeout_s)

    def close(self) -> None:
        """Disconnect cleanly (the last will is not sent) and stop the thread."""
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def connected(self) -> bool:
        """Whether the broker can be reached now."""
        return self._connected.is_set()

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

    def _subscribe_now(self, topic: Topic[Any]) -> None:
        if self._connected.is_set():
            self._client.subscribe(topic.filter, topic.qos)

    def publish(self, topic: Topic[M], message: M, **parameters: str) -> bool:
        """Say `message`; kept in the outbox while the broker is away if the topic is QoS 1."""
        return self._send(topic, message.encode(), parameters)

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
            metrics.OUTBOX_DROPPED.labels(kind=topic.filter).inc()
            log.error("outbox full, message dropped", extra={"topic": path})
            return False
        if topic.qos:
            self._last = info
            if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._owed.append(info)
                self._forget_acknowledged()
        return True

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
        self, client: mqtt.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            log.error("broker refused the connection", extra={"reason": str(reason)})
            return
        if filters := list(self._dispatcher.filters.items()):
            client.subscribe(filters)
        self._connections += 1
        metrics.MQTT_CONNECTED.set(1)
        if self._connections > 1:
            metrics.MQTT_RECONNECTS.inc()
        self._connected.set()
        log.info("connected to the broker")
        for hook in self._hooks:
            hook()

    def _on_disconnect(
        self, _client: mqtt.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        self._connected.clear()
        metrics.MQTT_CONNECTED.set(0)
        if reason.is_failure:
            log.warning("broker lost, will reconnect", extra={"reason": str(reason)})

    def _on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        self._dispatcher.dispatch(message.topic, bytes(message.payload), retained=message.retain)


def _send_at_once(_client: mqtt.Client, _userdata: Any, sock: Any) -> None:
    """Without this a small message waits for the acknowledgement of the one before (Nagle)."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
