"""The GPS daemon of the vehicle, over TCP (gpsd_json(5))."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable

from hazardcast.contract.errors import ConfigError
from hazardcast.machine.clock import Clock
from hazardcast.net.addresses import Address, host_port
from hazardcast.service.backoff import backoff_s

log = logging.getLogger(__name__)
DEFAULT_PORT = 2947
TIMEOUT_S = 0.5
SILENT_S = 10.0
"""Without a word for so long the connection is made anew: the peer may be gone silently."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0
MAX_LINE = 65_536
WATCH = b'?WATCH={"enable":true,"json":true};\n'


def parse_address(text: str) -> Address:
    """`host`, `host:port`, or an IPv6 address, in brackets where a port follows.

    Raises:
        ConfigError: it is none of them.
    """
    try:
        return host_port(text, default_port=DEFAULT_PORT)
    except ValueError as error:
        raise ConfigError(f"HAZARDCAST_VEHICLE_GPSD: {error}") from None


class Gpsd:
    """Hands on every line that the daemon says, and comes back when it goes away."""

    def __init__(self, address: Address, hear: Callable[[bytes], None], *, clock: Clock) -> None:
        self._address = address
        self._hear = hear
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        """Listen until `stop`."""
        failures = 0
        while not stop.is_set():
            try:
                heard = self._listen(stop)
            except OSError as error:
                log.warning("gpsd: not heard", extra={"reason": str(error)})
                heard = False
            failures = 0 if heard else failures + 1
            pause_s = backoff_s(failures, first_s=FIRST_PAUSE_S, most_s=LONGEST_PAUSE_S)
            self._clock.wait(stop, pause_s)

    def _listen(self, stop: threading.Event) -> bool:
        """Whether the daemon said anything before the connection ended."""
        with socket.create_connection(self._address, TIMEOUT_S) as connection:
            connection.sendall(WATCH)
            connection.settimeout(TIMEOUT_S)
            rest, heard_at, heard = b"", self._clock.monotonic(), False
            while not stop.is_set() and self._clock.monotonic() - heard_at < SILENT_S:
                try:
                    said = connection.recv(4096)
                except TimeoutError:
                    continue
                if not said:
                    break
                heard, heard_at = True, self._clock.monotonic()
                *lines, rest = (rest + said).split(b"\n")
                rest = rest if len(rest) <= MAX_LINE else b""
                for line in lines:
                    self._hear(line)
        return heard
