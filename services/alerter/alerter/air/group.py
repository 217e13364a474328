"""Keeps the way to the group open, and knows whether what is sent there is heard.

The network may change under a running station: another DHCP lease, an interface that goes and comes
back under its name, a route that vanishes. Each second it is looked at anew.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from alerter.air.ear import Ear
from alerter.air.echoes import AirEcho
from alerter.air.transmitter import Transmitter
from hazardcast.contract.errors import ConfigError
from hazardcast.machine.clock import Clock
from hazardcast.net import multicast
from hazardcast.net.multicast import Group, Place

log = logging.getLogger(__name__)
LOOK_EVERY_S = 1.0
MOST_HEARD = 20
"""Strangers' heartbeats in one look; more of them wait, lest a flood keep this thread busy."""


class Air:
    """Looks after the transmitter's socket; `problem` says why an alert might not go out."""

    def __init__(
        self, group: Group, transmitter: Transmitter, *, clock: Clock, beat: Callable[[], None]
    ) -> None:
        self._group = group
        self._transmitter = transmitter
        self._clock = clock
        self._beat = beat
        self._ear = Ear(group)
        self._echo = AirEcho()
        self._place: Place | None = None
        self._no_way: str | None = None
        self._deaf: str | None = None

    @property
    def problem(self) -> str | None:
        """Why an alert might not go out by multicast; None when all is well."""
        return self._no_way or self._transmitter.problem or self._deaf or self._echo.problem

    def open(self) -> None:
        """Listen before the first heartbeat is sent."""
        self._find_way()
        self._tune()

    def look(self, stop: threading.Event) -> None:
        """Mend what can be mended and listen; takes `LOOK_EVERY_S`."""
        ends = self._clock.monotonic() + LOOK_EVERY_S
        is_new = self._find_way()
        self._tune()
        if is_new:
            self._beat()
        self._listen(ends)
        sent = tuple(self._transmitter.heartbeats)
        if not self._no_way and self._echo.look(sent, self._clock.monotonic()):
            self._try_anew()
        self._clock.wait(stop, ends - self._clock.monotonic())

    def _find_way(self) -> bool:
        """Whether the way to the group is open again, or another one than before."""
        was = self._no_way
        try:
            place = multicast.place_of(self._group.interface)
            place = place._replace(address=multicast.try_route(self._group))
        except (OSError, ConfigError) as error:
            self._no_way, self._place = str(error), None
            return False
        moved = self._place is None or place[:2] != self._place[:2]
        self._place = place
        if moved:
            self._move()
        self._no_way = None if place.running else f"{self._group.interface}: no carrier"
        return self._no_way is None and (moved or was is not None)

    def _move(self) -> None:
        self._transmitter.reopen()
        self._ear.close()
        log.info("sending to the group", extra=self._place._asdict() if self._place else None)

    def _tune(self) -> None:
        try:
            self._ear.tune(self._transmitter.signer)
            self._deaf = None
        except (OSError, ConfigError) as error:
            self._ear.close()
            self._deaf = f"cannot listen to the group: {error}"

    def _listen(self, ends: float) -> None:
        for _ in range(MOST_HEARD):
            left_s = ends - self._clock.monotonic()
            if left_s <= 0:
                return
            try:
                data = self._ear.hear(left_s)
            except TimeoutError:
                return
            except OSError:
                self._ear.close()
                return
            self._echo.heard(data, tuple(self._transmitter.heartbeats))

    def _try_anew(self) -> None:
        """Nobody heard us: perhaps a membership was forgotten, or the socket is of no use."""
        self._ear.close()
        self._transmitter.reopen()
        self._tune()
        self._beat()

    def close(self) -> None:
        """Listen no more."""
        self._ear.close()
