"""`python -m hazardcast_tools.stack.embedded_broker PORT`: amqtt where no mosquitto is.

MQTT 3.1.1, in memory: what is retained or queued is lost when this process ends. The clients of
`hazardcast.mqtt.bus` say again what they must at every connection, so that the system recovers.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Iterator
from typing import Any, TypeVar

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session

from hazardcast.contract.terminal_text import printable
from hazardcast.net.ports import LOOPBACK
from hazardcast.service import logs

log = logging.getLogger(__name__)
K = TypeVar("K")
V = TypeVar("V")
MAX_QUEUED_MESSAGES = 10_000
"""Kept at most for one client that is away, as in our mosquitto configuration."""


class LoopbackClients(BaseAuthPlugin):  # type: ignore[misc] # amqtt has no types
    """Lets everyone in. Unlike amqtt's anonymous plugin it leaves sessions persistent."""

    async def authenticate(self, *, session: Session) -> bool:
        """Yes: the listener is bound to loopback."""
        return session is not None


class SteadyDict(dict[K, V]):
    """Iterates over a copy: amqtt awaits inside its loops while other clients come and go."""

    def __iter__(self) -> Iterator[K]:
        return iter(list(super().__iter__()))

    def items(self) -> Any:
        """The items of now."""
        return dict(super().items()).items()


class EmbeddedBroker(Broker):  # type: ignore[misc] # amqtt has no types
    """amqtt 0.12 with a few corrections, each named where it is made."""

    def __init__(self, port: int) -> None:
        listener = ListenerConfig(bind=f"{LOOPBACK}:{port}")
        plugins: dict[str, Any] = {
            f"hazardcast_tools.stack.embedded_broker.{LoopbackClients.__name__}": {}
        }
        super().__init__(BrokerConfig(listeners={"default": listener}, plugins=plugins))
        self._subscriptions: SteadyDict[str, Any] = SteadyDict()
        self._retained_messages: SteadyDict[str, Any] = SteadyDict()

    async def _broadcast_message(
        self, session: Session | None, topic: str, data: bytes, force_qos: int | None = None
    ) -> None:
        """Not on a topic that steers a terminal; mosquitto refuses those too."""
        if _is_plain(topic):
            await super()._broadcast_message(session, topic, data, force_qos)

    async def retain_message(
        self, source_session: Session, topic_name: str, data: bytes, qos: int | None = None
    ) -> None:
        """As above: wills come this way as well."""
        if _is_plain(topic_name):
            await super().retain_message(source_session, topic_name, data, qos)

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        """Only to a subscriber: amqtt offers a new client what others subscribed to."""
        subscribers = self._subscriptions.get(subscription[0], ())
        if any(subscriber.client_id == session.client_id for subscriber, _ in subscribers):
            await super()._publish_retained_messages_for_subscription(subscription, session)

    async def _publish_session_retained_messages(self, session: Session) -> None:
        """What waited for a client is not `retained` in MQTT's sense (MQTT 3.1.1, 3.3.1.3)."""
        handler = self._get_handler(session)
        while handler and not session.retained_messages.empty():
            waiting = session.retained_messages.get_nowait()
            publishing = handler.mqtt_publish(
                waiting.topic, waiting.data, waiting.qos, retain=False
            )
            self._tasks_queue.append(asyncio.ensure_future(publishing))

    async def _retain_broadcast_message(
        self, broadcast: dict[str, Any], qos: int, target_session: Session
    ) -> None:
        """Bounded: the oldest message gives way."""
        if target_session.retained_messages.qsize() >= MAX_QUEUED_MESSAGES:
            target_session.retained_messages.get_nowait()
        await super()._retain_broadcast_message(broadcast, qos, target_session)


def _is_plain(topic: str) -> bool:
    """Whether nothing in `topic` is a control; what is refused is told."""
    plain = printable(topic) == topic
    if not plain:
        log.error("message refused: controls in its topic", extra={"topic": topic})
    return plain


async def serve(port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    broker = EmbeddedBroker(port)
    await broker.start()
    await stop.wait()
    await broker.shutdown()


def main() -> None:
    """Read the port and serve; exit code 1 when the port cannot be had."""
    logs.configure(logging.ERROR, "text")
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    asyncio.run(serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()
