"""Why the broker cannot be had, in words to act on; and when to try again. Pure."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from hazardcast.service.backoff import backoff_s

FIRST_CEILING_S = 1.5
MOST_WAIT_S = 6.0
LEAST_WAIT_S = 0.2
_DATES = {
    9: "its certificate is not valid yet: is the clock of this machine right?",
    10: "its certificate has expired (or the clock of this machine is wrong)",
}
_NAMES = frozenset({62, 63, 64})
_AUTHORITIES = frozenset({2, 18, 19, 20, 21, 7})
"""Codes of x509_vfy.h: issuer unknown or not to be got, self-signed, signature does not hold."""
_CREDENTIALS = "are HAZARDCAST_MQTT_USERNAME and HAZARDCAST_MQTT_PASSWORD right?"
_REFUSALS = {
    "Bad user name or password": f"user name or password is wrong: {_CREDENTIALS}",
    "Not authorized": f"it does not let this account in: {_CREDENTIALS}",
    "Unsupported protocol version": "it does not speak MQTT 3.1.1",
    "Client identifier not valid": "it does not accept our client id: see HAZARDCAST_INSTANCE",
    "Server unavailable": "it says that it is not available just now",
}


def retry_wait_s(failures: int) -> float:
    """How long to wait before the next try, after `failures` in a row before this one.

    Full jitter from the first on: clients that lost a broker together must not come back in step.
    """
    return backoff_s(failures, first_s=FIRST_CEILING_S, most_s=MOST_WAIT_S, least_s=LEAST_WAIT_S)


@dataclass(frozen=True)
class Way:
    """How the broker is reached."""

    host: str
    broker: str
    tls: bool

    def failure(self, error: BaseException | None) -> str:
        """Why no connection came about."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return self._disbelief(error)
        if isinstance(error, OSError) and type(error).__name__ == "gaierror":  # of socket
            return f"HAZARDCAST_MQTT_HOST: the name {self.host} is not known: {error.strerror}"
        if isinstance(error, ConnectionRefusedError):
            return "nobody listens there"
        if self.tls and isinstance(error, ssl.SSLError | ConnectionResetError):
            return f"no TLS with it ({_said(error)}): does this port speak TLS?"
        if isinstance(error, TimeoutError):
            return f"it does not answer ({_said(error)})"
        return _said(error)

    def _disbelief(self, error: ssl.SSLCertVerificationError) -> str:
        code = error.verify_code
        if code in _DATES:
            return _DATES[code]
        if code in _NAMES:
            return f"its certificate is for another name than {self.host}: {error.verify_message}"
        if code in _AUTHORITIES:
            problem = "its certificate is of another authority than HAZARDCAST_MQTT_CA"
            return f"{problem}: {error.verify_message}"
        return f"its certificate is not believed: {error.verify_message}"

    def silence(self, heard: str | None) -> str:
        """It took the connection and ended it without a word of MQTT."""
        ended = f"it hung up before it answered{f' ({heard})' if heard else ''}"
        return ended if self.tls else f"{ended}: does this port speak TLS (HAZARDCAST_MQTT_CA)?"


def refusal(reason: str) -> str:
    """What its answer to our CONNECT means; `reason` as paho words it."""
    return _REFUSALS.get(reason, reason)


def loss(reason: str, heard: str | None) -> str:
    """Why a connection that stood has ended: paho's reason code, and what it logged before."""
    if heard:
        return heard
    return "the broker hung up" if reason == "Unspecified error" else reason


def _said(error: BaseException | None) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
