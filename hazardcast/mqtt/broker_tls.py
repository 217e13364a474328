"""What a client believes of a broker that speaks TLS."""

from __future__ import annotations

import ssl
from pathlib import Path

from hazardcast.contract.errors import ConfigError


def tls_context(authority: Path) -> ssl.SSLContext:
    """A certificate by `authority` for the broker's own name, and nothing else.

    Raises:
        ConfigError: the file cannot be read, or holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(authority)
    except ssl.SSLError:
        raise ConfigError(f"HAZARDCAST_MQTT_CA: {authority} holds no PEM certificate") from None
    except OSError as error:
        raise ConfigError(f"HAZARDCAST_MQTT_CA: {authority}: {error.strerror}") from None
    return context
