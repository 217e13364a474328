"""Saying something now or never: what the broker does not take in time is taken back.

A message at QoS 1 that waits in paho's queue goes out whenever the broker is back, and a word that
was meant for a moment then meets another situation. paho has no way to take one back.
"""

from __future__ import annotations

import contextlib
from typing import Any

WAITS_FOR_ACKNOWLEDGEMENT = 2
"""paho's `MessageState.MQTT_MS_WAIT_FOR_PUBACK`."""


def publish(client: Any, path: str, payload: str, *, within_s: float) -> bool:
    """Publish at QoS 1; False when the broker did not acknowledge it within `within_s`.

    Then it is not said later either; the broker may yet have taken it, its answer being lost.
    """
    info = client.publish(path, payload, qos=1)
    with contextlib.suppress(RuntimeError, ValueError):
        info.wait_for_publish(within_s)
        if info.is_published():
            return True
    return not _taken_back(client, info.mid)


def _taken_back(client: Any, mid: int) -> bool:
    """Whether a message was still waiting; it is no more."""
    with client._out_message_mutex:  # noqa: SLF001
        message = client._out_messages.pop(mid, None)  # noqa: SLF001
        if message is None:
            return False
        if message.state == WAITS_FOR_ACKNOWLEDGEMENT:
            client._inflight_messages -= 1  # noqa: SLF001
        message.info._set_as_published()  # noqa: SLF001
        return True
