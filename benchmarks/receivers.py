"""Many vehicles' ears in one process: `python -m benchmarks.receivers GROUP PORT TRUSTSTORE COUNT`.

Each has a socket, a judgement (`Reception`) and a life-cycle (`KnownAlerts`) of its own, as a
vehicle-agent has; what one heard helps no other. Counts until its stdin ends.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path

from vehicle_agent.known_alerts import Hearing, KnownAlerts, Outcome

from hazardcast.machine.clock import SystemClock
from hazardcast.net import multicast
from hazardcast.net.multicast import Group
from hazardcast.receiving.datagram_verifier import Accepted, Reception
from hazardcast.signing import trust
from hazardcast.testing import MemoryEpochs

CLOCK = SystemClock()


@dataclass
class Ear:
    """One vehicle."""

    socket: socket.socket
    reception: Reception
    known: KnownAlerts = field(default_factory=KnownAlerts)
    shown: int = 0
    unique: int = 0
    refused: int = 0
    overflowed: int = 0

    def hear(self) -> None:
        """Judge one datagram."""
        packet = multicast.read(self.socket)
        self.overflowed = packet.overflowed
        verdict = self.reception.judge(
            packet.data,
            source=packet.source,
            now=packet.kernel_time or CLOCK.now(),
            monotonic=CLOCK.monotonic(),
        )
        if not isinstance(verdict, Accepted):
            self.refused += 1
            return
        self.unique += 1
        datagram = verdict.datagram
        if datagram.alert:
            hearing = Hearing(datagram.station, datagram.tx, CLOCK.monotonic())
            outcome = self.known.observe(datagram.alert, hearing)
            self.shown += outcome in (Outcome.NEW, Outcome.UPDATE)

    def expected(self) -> int:
        """How many datagrams were sent since the first one heard."""
        window = self.reception.window(4097)
        return window.expected if window else 0


def main(group: str, port: int, truststore: str, count: int) -> None:
    """Listen with all ears."""
    store = trust.load_truststore(Path(truststore))
    ears = [
        Ear(
            multicast.open_receiver(Group(group, port, "127.0.0.1")),
            Reception(store, MemoryEpochs()),
        )
        for _ in range(count)
    ]
    listening = selectors.DefaultSelector()
    for ear in ears:
        listening.register(ear.socket, selectors.EVENT_READ, ear)
    listening.register(sys.stdin, selectors.EVENT_READ, None)
    print("ready", flush=True)
    while True:
        ready = listening.select()
        heard = [key.data for key, _ in ready if key.data]
        for ear in heard:
            ear.hear()
        if not heard:
            break
    print(
        json.dumps(
            {
                "expected": sum(ear.expected() for ear in ears),
                "unique": sum(ear.unique for ear in ears),
                "refused": sum(ear.refused for ear in ears),
                "overflowed": sum(ear.overflowed for ear in ears),
                "shown": sum(ear.shown for ear in ears),
                "shown_least": min(ear.shown for ear in ears),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
