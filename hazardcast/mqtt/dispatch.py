"""What arrives over MQTT, decoded and handed to who asked for it; one bad message stops nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from hazardcast.contract.errors import DecodeError
from hazardcast.contract.messages import Message
from hazardcast.contract.topics import Topic
from hazardcast.machine.clock import Clock
from hazardcast.service import metrics
from hazardcast.service.sparing_log import SparingLog

log = logging.getLogger(__name__)
M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Delivery:
    """The circumstances of one message's arrival."""

    path: str
    parameters: dict[str, str]
    received_at: float
    received_monotonic: float
    retained: bool = False
    again: bool = False
    """Whether the broker says that it may have delivered it before (MQTT's DUP flag)."""


Handler = Callable[[M, Delivery], None]
TextHandler = Callable[[str, Delivery], None]
BytesHandler = Callable[[bytes, Delivery], None]
ClearedHandler = Callable[[Delivery], None]


class Dispatcher:
    """Decodes what arrives and hands it to the handlers; shared by the real bus and the fake."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines = SparingLog(log, clock)
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

    def add_bytes(self, topic: Topic[Any], handler: BytesHandler) -> None:
        """Route messages of `topic` to `handler` unread."""
        self._routes.append((topic, handler))

    @property
    def filters(self) -> dict[str, int]:
        """What to subscribe to, with the QoS of each."""
        return {topic.filter: topic.qos for topic, _ in self._routes}

    def dispatch(self, path: str, payload: bytes, *, retained: bool, again: bool = False) -> None:
        """Hand one message to every handler of its topic; a bad one is logged and dropped."""
        for topic, receive in self._routes:
            parameters = topic.match(path)
            if parameters is None:
                continue
            delivery = Delivery(
                path, parameters, self._clock.now(), self._clock.monotonic(), retained, again
            )
            self._guarded(receive, payload, delivery, topic)

    def _guarded(
        self,
        receive: Callable[[bytes, Delivery], None],
        payload: bytes,
        delivery: Delivery,
        topic: Topic[Any],
    ) -> None:
        try:
            receive(payload, delivery)
        except DecodeError as error:
            metrics.MESSAGES_REJECTED.labels(kind=topic.filter).inc()
            about = {"topic": delivery.path, "reason": str(error)}
            self._lines.say(logging.WARNING, "message rejected", extra=about)
        except Exception:  # noqa: BLE001 - told below
            # One message must not take down the thread that hears all others.
            metrics.MESSAGES_REJECTED.labels(kind=topic.filter).inc()
            about = {"topic": delivery.path}
            self._lines.say(logging.ERROR, "handler failed", extra=about, exc_info=True)


def _text(payload: bytes) -> str:
    try:
        return payload.decode("ascii")
    except UnicodeDecodeError:
        raise DecodeError("not ASCII text") from None
