"""A short visit to the broker."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from hazardcast.config.settings import Settings
from hazardcast.contract.errors import ConfigError
from hazardcast.mqtt.bus import MqttBus

CONNECT_S = 5.0


@contextmanager
def visit(settings: Settings) -> Iterator[MqttBus]:
    """A connected bus.

    Raises:
        ConfigError: no broker answers where the settings say.
    """
    bus = MqttBus(settings, client_id=f"hazardcast-{secrets.token_hex(4)}")
    bus.start()
    try:
        if not bus.wait_connected(CONNECT_S):
            why = f" ({bus.problem})" if bus.problem else ""
            raise ConfigError(
                f"no broker lets us in at {settings.broker}{why}: start the system "
                "with `hazardcast up`, or set HAZARDCAST_MQTT_HOST and HAZARDCAST_MQTT_PORT"
            )
        yield bus
    finally:
        bus.close()
