"""The receive edge: one thread per socket reads datagrams for as long as the agent runs."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable

from hazardcast.machine.clock import Clock
from hazardcast.net import multicast
from hazardcast.net.multicast import Packet
from hazardcast.receiving.datagram_verifier import Rejection, glance
from hazardcast.service import lifecycle
from hazardcast.service.watchdog import UNWATCHED, Turn
from vehicle_agent import metrics
from vehicle_agent.flood_gate import FloodGate
from vehicle_agent.link import WARN_AFTER_S
from vehicle_agent.sighting import Arrival, Path

log = logging.getLogger(__name__)
CHECK_EVERY_S = 0.2
REJOIN_AFTER_S = WARN_AFTER_S
RETRY_AFTER_AT_MOST_S = 3.0
"""An interface that comes back brings alerts at once."""
MAX_QUEUED_S = 60.0

Deliver = Callable[[Arrival], Rejection | None]
"""Takes an arrival; says why it was refused, None if it was believed."""
Beginnings = Callable[[], tuple[bytes, ...]]
"""How datagrams of the trusted keys begin, at present."""
OpenSocket = Callable[[], socket.socket]


class Radio:
    """Listens on one socket and opens it anew when it fails, long stays silent or hears no more.

    Silence may mean that the network forgot the membership, as a switch that snoops IGMP without a
    querier does after some 260 s. That the kernel did, as with an interface that went away and came
    back, can be asked.
    """

    def __init__(
        self,
        open_socket: OpenSocket,
        path: Path,
        deliver: Deliver,
        *,
        clock: Clock,
        stop: threading.Event,
        beginnings: Beginnings = lambda: (),
        is_deaf: Callable[[], bool] = lambda: False,
        turn: Turn = UNWATCHED,
    ) -> None:
        self._turn = turn
        self._beginnings = beginnings
        self._is_deaf = is_deaf
        self._open = open_socket
        self.path = path
        self._received = metrics.RECEIVED[path]
        self._deliver = deliver
        self._clock = clock
        self._stop = stop
        self._overflowed = 0
        self.listening = False
        self._thread = threading.Thread(target=self._run, name=path, daemon=True)

    def start(self) -> None:
        """Begin to listen; returns at once."""
        self._thread.start()

    def join(self) -> None:
        """Wait until the thread has seen `stop`."""
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        lifecycle.repeat(
            self._listen,
            what=f"listening by {self.path}",
            stop=self._stop,
            clock=self._clock,
            most_s=RETRY_AFTER_AT_MOST_S,
        )

    def _listen(self) -> None:
        while not self._stop.is_set():
            with self._open() as receiver:
                multicast.wait_at_most(receiver, CHECK_EVERY_S)
                self._overflowed = 0
                self.listening = True
                log.info("listening", extra={"path": self.path})
                try:
                    self._hear(receiver)
                finally:
                    self.listening = False

    def _hear(self, receiver: socket.socket) -> None:
        heard, gate = self._clock.monotonic(), FloodGate()
        while not self._stop.is_set():
            if gate.opens(self._clock.monotonic()):
                multicast.accept_anything(receiver)
            try:
                packet = multicast.read(receiver)
            except TimeoutError:
                if why := self._is_silent(self._clock.monotonic() - heard):
                    log.warning("%s, joining anew", why, extra={"path": self.path})
                    return
                continue
            heard = self._clock.monotonic()
            self._received.inc()
            obvious = glance(packet.data)
            if obvious:
                metrics.REJECTED[obvious].inc()
            self._guard(receiver, packet, gate, obvious or self._take(packet, heard))

    def _is_silent(self, for_s: float) -> str | None:
        """Why nothing may be heard here any more, in words; None: there may be nothing to hear."""
        if for_s >= REJOIN_AFTER_S:
            return "nothing heard"
        return "the interface was made anew" if self._is_deaf() else None

    def _guard(
        self, receiver: socket.socket, packet: Packet, gate: FloodGate, verdict: Rejection | None
    ) -> None:
        """Learn who is believed; should too much be refused, have the kernel refuse it."""
        dropped = self._dropped(packet)
        if verdict is None:
            gate.believed(packet.source)
            return
        lookalike = packet.data.startswith(self._beginnings())
        if gate.closes(self._clock.monotonic(), lookalike=lookalike, dropped=dropped):
            log.warning(
                "flood, refused by the kernel for a while", extra={"sieve": gate.sieve.name}
            )
            multicast.refuse_others(receiver, gate.program(self._beginnings()))

    def _dropped(self, packet: Packet) -> int:
        """How many the kernel dropped since this was asked last."""
        dropped = packet.overflowed - self._overflowed
        if dropped <= 0:
            return 0
        metrics.DROPPED.inc(dropped)
        self._overflowed = packet.overflowed
        return dropped

    def _take(self, packet: Packet, monotonic: float) -> Rejection | None:
        now = self._clock.now()
        queued_s = min(MAX_QUEUED_S, max(0.0, now - (packet.kernel_time or now)))
        arrival = Arrival(
            packet.data, packet.source, self.path, now - queued_s, monotonic - queued_s
        )
        self._turn.begin()
        try:
            return self._deliver(arrival)
        except Exception:
            # One datagram must not deafen the vehicle to the next.
            log.exception("datagram not dealt with")
            return Rejection.SCHEMA
        finally:
            self._turn.end()
