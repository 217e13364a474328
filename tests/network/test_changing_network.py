"""The station's network changes under it: it multicasts again by itself, and says when it cannot."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator

import pytest

from benchmarks.testbed import Node, Testbed
from hazardcast.net import multicast
from hazardcast.net.multicast import Group
from hazardcast.testing import eventually

pytestmark = pytest.mark.network
GROUP = Group("239.20.20.20", 5520, "eth0")
HEALED_WITHIN_S = 5.0
NOTICED_WITHIN_S = 5.0


@pytest.fixture
def bed(make_bed: Callable[[int], Testbed]) -> Testbed:
    made = make_bed(1)
    made.start_broker()
    return made


@pytest.fixture
def listener(bed: Testbed) -> Iterator[Listener]:
    made = Listener(bed.cars[0])
    yield made
    made.socket.close()


class Listener:
    """Somebody on another machine who hears the group."""

    def __init__(self, car: Node) -> None:
        self.socket = car.inside(lambda: multicast.open_receiver(GROUP))
        self.socket.setblocking(False)

    def sources(self) -> set[str]:
        """Who was heard since this was asked last."""
        found: set[str] = set()
        with contextlib.suppress(TimeoutError):
            for _ in itertools.count():
                found.add(multicast.read(self.socket).source)
        return found


def hears(listener: Listener, bed: Testbed, source: str) -> None:
    listener.sources()
    eventually(lambda: source in listener.sources(), within_s=HEALED_WITHIN_S, what=source)
    eventually(lambda: bed.station.answer("/readyz"), within_s=HEALED_WITHIN_S)


def is_told_by_readiness_alone(bed: Testbed) -> None:
    eventually(lambda: bed.station.answer("/readyz") is None, within_s=NOTICED_WITHIN_S)
    assert bed.station.answer("/healthz")
    by_broker = 'hazardcast_self_test_passed{stage="broker"}'
    eventually(lambda: bed.station.metrics()[by_broker] == 1)


@pytest.mark.parametrize("by", ["eth0", None], ids=["named", "by route"])
def test_it_follows_to_another_address_and_another_interface(
    bed: Testbed, listener: Listener, by: str | None
) -> None:
    bed.start_alerter(interface=by)
    hears(listener, bed, bed.station.address)

    bed.address(bed.station, "10.83.0.77")
    hears(listener, bed, "10.83.0.77")

    bed.address(bed.station, None)
    is_told_by_readiness_alone(bed)
    bed.address(bed.station, bed.station.address)
    hears(listener, bed, bed.station.address)

    bed.unplug(bed.station)
    is_told_by_readiness_alone(bed)
    bed.plug(bed.station)
    hears(listener, bed, bed.station.address)


def test_an_interface_that_is_not_there_at_the_start_is_waited_for(
    bed: Testbed, listener: Listener
) -> None:
    bed.unplug(bed.station)
    bed.start_alerter(ready=False)
    is_told_by_readiness_alone(bed)

    bed.plug(bed.station)
    hears(listener, bed, bed.station.address)


def test_a_pulled_cable_is_told(bed: Testbed, listener: Listener) -> None:
    bed.start_alerter()
    bed.carry(bed.station, carrier=False)
    is_told_by_readiness_alone(bed)

    bed.carry(bed.station, carrier=True)
    hears(listener, bed, bed.station.address)


@pytest.mark.parametrize("chain", ["OUTPUT", "INPUT"])
def test_a_firewall_that_swallows_datagrams_is_told(
    bed: Testbed, listener: Listener, chain: str
) -> None:
    bed.start_alerter()
    rule = (chain, "-p", "udp", "--dport", str(GROUP.port), "-j", "DROP")
    in_station(bed, "iptables", "-I", *rule)
    eventually(lambda: bed.station.answer("/readyz") is None, within_s=20.0)
    assert bed.station.answer("/healthz")

    in_station(bed, "iptables", "-D", *rule)
    hears(listener, bed, bed.station.address)


def in_station(bed: Testbed, *command: str) -> None:
    assert bed.keep(bed.station.spawn(*command)).process.wait(10) == 0


@pytest.mark.parametrize("by", ["eth0", None], ids=["named", "by route"])
def test_a_vehicle_whose_interface_was_made_anew_hears_again(bed: Testbed, by: str | None) -> None:
    bed.start_alerter()
    (car,) = bed.cars
    bed.start_vehicle(car, interface=by)
    bed.wait_ready()
    client = bed.publisher()
    client.publish("v2x/alert", '{"type":"collision","event_id":"a","clip_hint":false}', qos=1)
    eventually(lambda: multicast_heard(car) > 2)

    bed.unplug(car)
    before = multicast_heard(car)
    bed.plug(car)

    eventually(lambda: multicast_heard(car) > before, within_s=HEALED_WITHIN_S)


def multicast_heard(car: Node) -> float:
    return car.metrics()['hazardcast_datagrams_received_total{kind="multicast"}']
