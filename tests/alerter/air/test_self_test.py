"""What the alerter says to itself: through the broker, and over the air."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from alerter.air.ear import Ear, beginning
from alerter.air.echoes import AirEcho, BrokerEcho
from alerter.air.group import Air
from alerter.air.schedule import Agenda
from alerter.air.self_test import SelfTester
from alerter.air.transmitter import Heard, Totals, Transmitter

from hazardcast.contract.errors import ConfigError
from hazardcast.contract.messages import Alert, Heartbeat, SelfTest
from hazardcast.contract.topics import SELF_TEST
from hazardcast.machine.clock import SystemClock
from hazardcast.net import multicast
from hazardcast.net.multicast import Group, Place
from hazardcast.signing import trust
from hazardcast.signing.envelope import Signer
from hazardcast.testing import ManualClock, MemoryBroker, eventually

SIGNER = trust.signer_of(trust.generate_jwk("EdDSA"))
CLOCK = SystemClock()


def heartbeat(_totals: Totals) -> Heartbeat:
    return Heartbeat(
        state="ok", interval_s=10.0, last_alert_seq=0, sent_alert_datagrams=0,
        sent_heartbeats=1, active_count=0, active_digest="",
    )  # fmt: skip


@pytest.fixture
def group() -> Group:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return Group("239.20.20.20", int(probe.getsockname()[1]), "127.0.0.1")


@pytest.fixture
def station(group: Group) -> Iterator[Callable[[Signer], Transmitter]]:
    made: list[Transmitter] = []

    def make(signer: Signer = SIGNER) -> Transmitter:
        made.append(Transmitter(group, signer, station=4097, epoch=len(made), clock=CLOCK))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def ear(group: Group) -> Iterator[Ear]:
    made = Ear(group)
    yield made
    made.close()


def test_a_station_hears_its_heartbeats_and_no_alert(
    station: Callable[..., Transmitter], ear: Ear, alert: Alert
) -> None:
    ours, theirs = station(), station(trust.signer_of(trust.generate_jwk("HS256")))
    ear.tune(SIGNER)
    slot = Agenda().begin("a", alert.encode(), now=0.0, until=9.0).first
    for sender in (theirs, ours):
        sender.send_alert(slot)
        sender.send_heartbeat(1, heartbeat)

    assert ear.hear(2.0) == ours.heartbeats[0].data
    with pytest.raises(TimeoutError):
        ear.hear(0.05)


@pytest.mark.parametrize("algorithm", ["EdDSA", "HS256"])
def test_every_heartbeat_of_a_key_begins_so(
    station: Callable[..., Transmitter], algorithm: str
) -> None:
    signer = trust.signer_of(trust.generate_jwk(algorithm))  # type: ignore[arg-type]
    sender = station(signer)
    sent = sender.send_heartbeat(7, heartbeat)

    assert sent.text.encode().startswith(beginning(signer))
    assert sender.heartbeats[-1].data == sent.text.encode()


def test_an_ear_follows_a_rotated_key(station: Callable[..., Transmitter], ear: Ear) -> None:
    sender, fresh = station(), trust.signer_of(trust.generate_jwk("EdDSA"))
    ear.tune(SIGNER)
    sender.sign_with(fresh)
    ear.tune(fresh)
    sender.send_heartbeat(1, heartbeat)

    assert ear.hear(2.0) == sender.heartbeats[0].data


def beats(*at: float) -> list[Heard]:
    return [Heard(b"%f" % one, one) for one in at]


def test_the_air_is_well_once_a_heartbeat_was_heard() -> None:
    echo, sent = AirEcho(), beats(10.0)
    assert echo.problem

    assert not echo.heard(b"a stranger's", sent)
    assert echo.problem
    assert echo.heard(sent[0].data, sent)
    assert echo.problem is None
    assert not echo.look(sent, 19.0)


def test_one_heartbeat_that_is_not_heard_is_tried_again_two_are_a_failure() -> None:
    echo, sent = AirEcho(), beats(10.0)
    echo.heard(sent[0].data, sent)

    sent += beats(20.0)
    assert not echo.look(sent, 20.5), "it may be on its way"
    assert echo.look(sent, 21.1)
    assert echo.problem is None
    sent += beats(21.1)
    echo.look(sent, 22.2)
    assert echo.problem
    sent += beats(23.0)
    assert echo.heard(sent[-1].data, sent)
    assert echo.problem is None


def test_while_nobody_hears_it_is_tried_every_few_seconds_not_more() -> None:
    echo, sent, tries = AirEcho(), beats(0.0), []
    for tenth in range(300):
        now = tenth / 10
        if echo.look(sent, now):
            tries.append(now)
            sent = [*sent, *beats(now)][-4:]

    pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert max(pauses) < 4.2, "so that it is noticed within 5 s when it is well again"
    assert min(pauses[2:]) > 3.9


def test_a_nonce_must_come_back_within_five_seconds() -> None:
    echo = BrokerEcho()
    assert echo.is_due(0.0)
    assert echo.problem
    echo.said("a", 0.0)
    echo.heard("somebody's")
    assert echo.problem
    echo.heard("a")
    assert echo.problem is None
    assert not echo.is_due(4.9)
    assert echo.is_due(5.0)
    echo.said("b", 5.0)
    echo.look(9.9)
    assert echo.problem is None
    echo.look(10.0)
    assert echo.problem
    echo.said("c", 10.0)
    echo.heard("b")
    assert echo.problem, "too late"
    echo.heard("c")
    assert echo.problem is None


class Quiet:
    """An air that is as it is told to be."""

    problem: str | None = None

    def look(self, stop: threading.Event) -> None:
        stop.set()


def self_tester(broker: MemoryBroker, air: Quiet, changes: list[str]) -> SelfTester:
    return SelfTester(
        air, broker.bus(), instance="a", clock=ManualClock(),  # type: ignore[arg-type]
        changed=lambda: changes.append("changed"),
    )  # fmt: skip


def test_both_ways_must_hold_and_a_change_is_told_once() -> None:
    broker, air = MemoryBroker(), Quiet()
    changes: list[str] = []
    tester = self_tester(broker, air, changes)
    assert tester.problem
    tester.listen()
    tester.run(threading.Event())
    assert tester.problem is None
    tester.run(threading.Event())
    assert changes == ["changed"]
    air.problem = "no carrier"
    tester.run(threading.Event())
    assert tester.problem == "no carrier"
    assert changes == ["changed"] * 2


def test_a_broker_that_gives_nothing_back_is_a_failure() -> None:
    broker = MemoryBroker()
    tester = self_tester(broker, Quiet(), [])
    tester.run(threading.Event())

    assert tester.problems["air"] is None
    assert tester.problems["broker"]
    assert len(broker.messages(SELF_TEST)) == 1


def test_a_nonce_has_its_own_topic_alone() -> None:
    broker = MemoryBroker()
    tester = self_tester(broker, Quiet(), [])
    tester.listen()
    tester.run(threading.Event())

    assert [path for path, _ in broker.published] == ["v2x/self-test/a"]
    other = SelfTest(nonce="0" * 16, ts=1.0)
    broker.send("v2x/self-test/b", other.encode().encode())
    assert tester.problem is None


class Network:
    """Interfaces as a test wants them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place: Place | None = multicast.place_of("127.0.0.1")
        self._true = multicast.place_of
        monkeypatch.setattr(multicast, "place_of", self._place_of)

    def _place_of(self, interface: str | None) -> Place:
        if self.place is None:
            raise ConfigError("no interface")
        return self.place


def test_an_interface_that_is_not_there_is_waited_for(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, stop, started = Network(monkeypatch), threading.Event(), threading.Event()
    there, network.place = network.place, None
    sender = Transmitter(group, SIGNER, station=4097, epoch=1, clock=CLOCK)

    def beat() -> None:
        sender.send_heartbeat(0, heartbeat)

    air = Air(group, sender, clock=CLOCK, beat=beat)
    air.open()
    assert sender.failing

    def look() -> None:
        started.set()
        while not stop.is_set():
            air.look(stop)

    thread = threading.Thread(target=look)
    thread.start()
    assert started.wait(5.0)
    assert air.problem == "no interface"
    network.place = there
    eventually(lambda: air.problem is None, within_s=5.0)
    network.place = Place("127.0.0.1", 1, running=False)
    eventually(lambda: "no carrier" in str(air.problem), within_s=5.0)
    network.place = Place("127.0.0.1", 1, running=True)
    eventually(lambda: air.problem is None, within_s=5.0)
    stop.set()
    thread.join(5.0)
    air.close()
    sender.close()
