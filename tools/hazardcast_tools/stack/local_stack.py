"""One machine that runs everything: a broker of its own or another's, and the table of services."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hazardcast.contract.errors import ConfigError
from hazardcast.machine.clock import Clock
from hazardcast.net import ports
from hazardcast.service.processes import Child, LineSink, Process
from hazardcast_tools.stack.broker import LocalBroker
from hazardcast_tools.stack.supervisor import POLL_S, Death, Supervisor

BROKER_START_S = 15.0


@dataclass(frozen=True)
class BrokerAddress:
    """Where the services find their broker, and the one to start for them, if any."""

    host: str
    port: int
    local: LocalBroker | None

    def __str__(self) -> str:
        return str(self.local) if self.local else f"{self.host}:{self.port}, not ours"


class Machine:
    """Starts broker and services, tells of deaths, ends everything."""

    def __init__(self, *, sink: LineSink, clock: Clock, restart: bool) -> None:
        self._clock = clock
        self._supervisor = Supervisor(
            (), lambda process: Child(process, sink), clock=clock, restart=restart
        )

    def start_broker(self, address: BrokerAddress) -> None:
        """Start the broker and wait until it listens.

        Raises:
            ConfigError: it died or did not listen in time; its own lines say why.
        """
        if address.local is None:
            return
        self._supervisor.add(address.local.process)
        deadline = self._clock.monotonic() + BROKER_START_S
        while not ports.answers(address.host, address.port):
            if self._supervisor.tick() or self._clock.monotonic() > deadline:
                raise ConfigError(f"the broker does not start ({address.local})")
            self._clock.wait(threading.Event(), POLL_S)

    def start(self, table: Iterable[Process]) -> None:
        """Start the services, in the order of the table."""
        for process in table:
            self._supervisor.add(process)

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each that runs."""
        return self._supervisor.pids

    def tick(self) -> list[Death]:
        """As `Supervisor.tick`."""
        return self._supervisor.tick()

    def stop(self) -> list[str]:
        """As `Supervisor.stop`."""
        return self._supervisor.stop()

    def run(
        self, stop: threading.Event, tell: Callable[[Death], None], every: Callable[[], None]
    ) -> None:
        """Keep everything running until `stop`; `every` is called at each look."""
        while not self._clock.wait(stop, POLL_S):
            for death in self.tick():
                tell(death)
            every()


def own_broker(address: LocalBroker) -> BrokerAddress:
    """The address of a broker that is ours to start."""
    return BrokerAddress(ports.LOOPBACK, address.port, address)
