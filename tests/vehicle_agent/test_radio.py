from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from vehicle_agent import flood_gate, metrics
from vehicle_agent import radio as radio_module
from vehicle_agent.flood_gate import FLOOD_PER_S, HOLD_S, FloodGate, Sieve
from vehicle_agent.radio import Radio
from vehicle_agent.sighting import Arrival

from hazardcast.machine.clock import SystemClock
from hazardcast.net.multicast import open_unicast_receiver
from hazardcast.receiving.datagram_verifier import Rejection
from hazardcast.testing import eventually


class Station:
    """Opens receivers, and sends to the one opened last."""

    def __init__(self) -> None:
        self.opened: list[socket.socket] = []
        self.refuse = 0
        self._sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def open(self) -> socket.socket:
        if self.refuse:
            self.refuse -= 1
            raise OSError("no such device")
        self.opened.append(open_unicast_receiver(0, host="127.0.0.1"))
        return self.opened[-1]

    def send(self, text: bytes) -> None:
        self._sender.sendto(text, self.opened[-1].getsockname())


class Listener:
    """A radio and what it delivered."""

    def __init__(self, station: Station) -> None:
        self.arrivals: list[Arrival] = []
        self.stop = threading.Event()
        self.radio = Radio(
            station.open,
            "unicast",
            self.deliver,
            clock=SystemClock(),
            stop=self.stop,
            beginnings=lambda: (b"ey hello",),
        )

    def deliver(self, arrival: Arrival) -> Rejection | None:
        if arrival.text.startswith(b"eyforged"):
            return Rejection.UNKNOWN_KEY
        if arrival.text.startswith(b"ey hello, forged"):
            return Rejection.SIGNATURE
        self.arrivals.append(arrival)
        if arrival.text == b"ey poison":
            raise ValueError("a bug")
        return None


@pytest.fixture
def station() -> Station:
    return Station()


@pytest.fixture
def listener(station: Station) -> Iterator[Listener]:
    found = Listener(station)
    yield found
    found.stop.set()
    found.radio.join()


def test_what_arrives_is_delivered_with_when_and_whence(
    station: Station, listener: Listener
) -> None:
    listener.radio.start()
    eventually(lambda: listener.radio.listening)
    before = SystemClock().now()

    station.send(b"ey hello")

    (arrival,) = eventually(lambda: listener.arrivals)
    assert (arrival.text, arrival.source, arrival.path) == (b"ey hello", "127.0.0.1", "unicast")
    assert before - 0.01 <= arrival.received_at <= SystemClock().now()
    assert arrival.received_monotonic <= SystemClock().monotonic()


def test_a_network_that_is_not_there_yet_is_tried_again(
    station: Station, listener: Listener
) -> None:
    station.refuse = 1
    listener.radio.start()

    eventually(lambda: listener.radio.listening)
    station.send(b"ey hello")

    eventually(lambda: listener.arrivals)


def test_a_datagram_that_trips_a_bug_does_not_deafen_the_radio(
    station: Station, listener: Listener
) -> None:
    listener.radio.start()
    eventually(lambda: listener.radio.listening)

    station.send(b"ey poison")
    station.send(b"ey hello")

    eventually(lambda: len(listener.arrivals) == 2)
    assert len(station.opened) == 1


def test_a_silent_radio_joins_anew(
    station: Station, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(radio_module, "REJOIN_AFTER_S", 0.1)
    monkeypatch.setattr(radio_module, "CHECK_EVERY_S", 0.02)
    listener.radio.start()

    eventually(lambda: len(station.opened) >= 2)
    eventually(lambda: listener.radio.listening)
    assert station.opened[0].fileno() == -1, "the old one is closed"


def test_a_radio_that_is_stopped_closes_its_socket(station: Station, listener: Listener) -> None:
    listener.radio.start()
    eventually(lambda: listener.radio.listening)

    listener.stop.set()
    listener.radio.join()

    assert not listener.radio.listening
    assert station.opened[0].fileno() == -1


def test_a_flood_of_garbage_is_refused_by_the_kernel_and_true_datagrams_are_not(
    station: Station, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flood_gate, "FLOOD_PER_S", 50)
    listener.radio.start()
    eventually(lambda: listener.radio.listening)
    before = metrics.REJECTED[Rejection.SHAPE]._value.get()

    def refused() -> float:
        return metrics.REJECTED[Rejection.SHAPE]._value.get() - before

    for _ in range(50):
        station.send(b"garbage")
    eventually(lambda: refused() == 50)
    for _ in range(500):
        station.send(b"garbage")
    station.send(b"ey hello")

    eventually(lambda: listener.arrivals)
    assert refused() < 100


@pytest.mark.parametrize("forged", [b"eyforged", b"ey hello, forged"])
def test_a_flood_of_forgeries_is_refused_by_how_it_begins_and_then_by_whence_it_comes(
    forged: bytes, station: Station, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flood_gate, "FLOOD_PER_S", 50)
    listener.radio.start()
    eventually(lambda: listener.radio.listening)
    station.send(b"ey hello")
    eventually(lambda: listener.arrivals)
    received = metrics.RECEIVED["unicast"]._value.get()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacker:
        attacker.bind(("127.0.0.9", 0))
        for _ in range(500):
            attacker.sendto(forged, station.opened[-1].getsockname())
            time.sleep(0.000_1)
    station.send(b"ey hello again")

    eventually(lambda: len(listener.arrivals) == 2)
    assert metrics.RECEIVED["unicast"]._value.get() - received < 300


def test_the_gate_closes_on_a_flood_and_opens_to_look_again() -> None:
    gate = FloodGate()

    def closes(monotonic: float, *, lookalike: bool = False) -> bool:
        return gate.closes(monotonic, lookalike=lookalike)

    assert not any(closes(number * 0.001) for number in range(20 * 999))
    assert [closes(50.0) for _ in range(FLOOD_PER_S)].count(True) == 1
    sieves = [gate.sieve]
    assert not any(closes(50.5, lookalike=True) for _ in range(FLOOD_PER_S)), "nobody is proven"
    gate.believed("10.0.0.1")
    assert not gate.closes(50.6, lookalike=False)
    assert [closes(51.5, lookalike=True) for _ in range(FLOOD_PER_S)].count(True) == 1
    sieves.append(gate.sieve)
    assert not gate.opens(51.5 + HOLD_S - 0.1)
    assert gate.opens(51.5 + HOLD_S)
    assert [*sieves, gate.sieve] == [Sieve.TRUSTED_KEYS, Sieve.PROVEN_SOURCES, Sieve.ANYTHING]
    assert not gate.opens(51.5 + HOLD_S)


def test_what_the_kernel_had_to_drop_counts_as_refused() -> None:
    gate = FloodGate()

    assert not gate.closes(5.0, lookalike=False, dropped=FLOOD_PER_S - 2)
    assert gate.closes(5.1, lookalike=False)
