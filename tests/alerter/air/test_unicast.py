from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from alerter.air.schedule import Agenda
from alerter.air.transmitter import Transmitter
from alerter.air.unicast import UnicastList, look_up, parse

from hazardcast.contract.errors import ConfigError
from hazardcast.contract.messages import Alert
from hazardcast.machine.clock import SystemClock
from hazardcast.net.addresses import Address
from hazardcast.net.multicast import Group
from hazardcast.signing import trust
from hazardcast.testing import ManualClock, eventually


class Dns:
    """Answers as told; silent about some names until the test ends."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.silent: set[str] = set()
        self.end = threading.Event()

    def __call__(self, name: Address) -> Address:
        if name[0] in self.silent:
            self.end.wait(20.0)
        if name[0] not in self.known:
            raise OSError("Temporary failure in name resolution")
        return self.known[name[0]], name[1]


@pytest.fixture
def dns() -> Iterator[Dns]:
    made = Dns()
    yield made
    made.end.set()


class Rounds(ManualClock):
    """Ends after so many waits."""

    def __init__(self, rounds: int, between: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.left = rounds
        self.between = between

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        self.left -= 1
        self.between()
        if self.left <= 0:
            stop.set()
        return super().wait(stop, timeout_s)


def test_a_list_of_vehicles_is_read() -> None:
    assert parse(" 10.0.0.5:5520, car.local:1 ,[fd00::5]:5520") == (
        ("10.0.0.5", 5520),
        ("car.local", 1),
        ("fd00::5", 5520),
    )
    assert parse(None) == ()


@pytest.mark.parametrize("text", ["10.0.0.5", ":5520", "a:b", "a:0", "a:65536", "::1", "::1:5520"])
def test_a_wrong_list_of_vehicles_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match="HAZARDCAST_UNICAST"):
        parse(text)


def test_addresses_are_in_use_before_any_name_is_looked_up(dns: Dns) -> None:
    used: list[tuple[Address, ...]] = []
    dns.silent = {"car.local"}

    UnicastList(
        [("10.0.0.5", 1), ("car.local", 2), ("::1", 3)], used.append, clock=ManualClock(),
        look_up=dns,
    )  # fmt: skip

    assert used == [(("10.0.0.5", 1), ("::1", 3))]


def test_a_name_that_can_no_longer_be_looked_up_keeps_its_address(dns: Dns) -> None:
    used: list[tuple[Address, ...]] = []
    dns.known = {"car.local": "10.0.0.7"}
    clock = Rounds(3, between=dns.known.clear)
    (task,) = UnicastList([("car.local", 2)], used.append, clock=clock, look_up=dns).tasks

    task(threading.Event())

    assert used[-1] == (("10.0.0.7", 2),)


def test_a_name_with_a_new_address_is_followed(dns: Dns) -> None:
    used: list[tuple[Address, ...]] = []
    dns.known = {"car.local": "10.0.0.7"}
    clock = Rounds(3, between=lambda: dns.known.update({"car.local": "10.0.0.9"}))
    (task,) = UnicastList([("car.local", 2)], used.append, clock=clock, look_up=dns).tasks

    task(threading.Event())

    assert used[-1] == (("10.0.0.9", 2),)


def test_silence_about_one_name_holds_up_no_other(dns: Dns) -> None:
    used: list[tuple[Address, ...]] = []
    dns.silent, dns.known = {"dead.local"}, {"car.local": "10.0.0.7"}
    stop = threading.Event()
    names = [("dead.local", 1), ("car.local", 2)]
    unicast = UnicastList(names, used.append, clock=SystemClock(), look_up=dns)
    threads = [threading.Thread(target=task, args=(stop,)) for task in unicast.tasks]
    for thread in threads:
        thread.start()

    eventually(lambda: used[-1] == (("10.0.0.7", 2),))

    stop.set()
    dns.end.set()
    for thread in threads:
        thread.join(5.0)


def test_a_name_with_addresses_of_both_families_is_reached_by_ipv4() -> None:
    assert look_up(("localhost", 5)) == ("127.0.0.1", 5)


def test_a_vehicle_may_have_an_ipv6_address(alert: Alert) -> None:
    signer = trust.signer_of(trust.generate_jwk("EdDSA"))
    sender = Transmitter(
        Group("239.20.20.20", 9, "127.0.0.1"), signer, station=1, epoch=1, clock=SystemClock()
    )
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as vehicle:
        vehicle.bind(("::1", 0))
        vehicle.settimeout(5.0)
        sender.also_send_to((("::1", vehicle.getsockname()[1]),))
        sent = sender.send_alert(Agenda().begin("a", alert.encode(), now=0.0, until=9.0).first)
        assert vehicle.recv(2048) == sent.text.encode()
    sender.close()
