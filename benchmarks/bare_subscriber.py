"""`python -m benchmarks.bare_subscriber HOST NAME`: prints every message of `v2x/alert`.

Plain MQTT at its best: QoS 1, a session that the broker keeps, no Nagle, a short keep-alive and quick
reconnects.
"""

from __future__ import annotations

import sys

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.alert_path import _send_at_once


def main(host: str, name: str) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"bare-{name}", clean_session=False)
    client.on_socket_open = _send_at_once
    client.reconnect_delay_set(1, 1)
    client.max_queued_messages_set(0)

    def subscribe(*_: object) -> None:
        client.subscribe("v2x/alert", 1)

    def show(_client: object, _userdata: object, message: mqtt.MQTTMessage) -> None:
        sys.stdout.write(message.payload.decode() + "\n")
        sys.stdout.flush()

    client.on_connect = subscribe
    client.on_message = show
    client.connect_async(host, keepalive=15)
    client.loop_forever(retry_first_connection=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
