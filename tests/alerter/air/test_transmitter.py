from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from alerter.air.schedule import Agenda
from alerter.air.transmitter import Transmitter

from hazardcast.contract.messages import Alert, Datagram, Heartbeat
from hazardcast.machine.clock import SystemClock
from hazardcast.net.multicast import Group, open_receiver
from hazardcast.signing import trust
from hazardcast.signing.envelope import open_unverified

SIGNER = trust.signer_of(trust.generate_jwk("EdDSA"))


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def group() -> Group:
    return Group("239.20.20.20", free_udp_port(), "127.0.0.1")


@pytest.fixture
def air(group: Group) -> Iterator[socket.socket]:
    receiver = open_receiver(group)
    receiver.settimeout(5.0)
    yield receiver
    receiver.close()


@pytest.fixture
def transmitter(group: Group) -> Iterator[Transmitter]:
    sender = Transmitter(group, SIGNER, station=4097, epoch=7, clock=SystemClock())
    yield sender
    sender.close()


def hear(receiver: socket.socket) -> Datagram:
    return Datagram.decode(open_unverified(receiver.recv(2048)).payload)


def test_each_copy_is_numbered_stamped_and_sealed_anew(
    transmitter: Transmitter, air: socket.socket, alert: Alert
) -> None:
    agenda = Agenda()
    begun = agenda.begin("4097-1", alert.encode(), now=0.0, until=9.0)
    agenda.plan(begun)
    slots = [begun.first]
    while slot := agenda.take(0.45):
        slots.append(slot)
    for slot in slots:
        transmitter.send_alert(slot)
    heard = [hear(air) for _ in slots]
    assert [datagram.seq for datagram in heard] == list(range(1, 8))
    assert [datagram.copy_ for datagram in heard] == [(index, 7) for index in range(7)]
    assert {datagram.tick for datagram in heard} == {1}
    assert all(datagram.alert == alert for datagram in heard)
    assert [datagram.tx for datagram in heard] == sorted(datagram.tx for datagram in heard)


def test_a_heartbeat_counts_itself(
    transmitter: Transmitter, air: socket.socket, alert: Alert
) -> None:
    agenda = Agenda()
    transmitter.send_alert(agenda.begin("a", alert.encode(), now=0.0, until=9.0).first)

    def compose(totals: object) -> Heartbeat:
        assert totals == transmitter.totals
        return Heartbeat(
            state="ok", interval_s=10.0, last_alert_seq=transmitter.totals.last_alert_seq,
            sent_alert_datagrams=transmitter.totals.alerts,
            sent_heartbeats=transmitter.totals.heartbeats, active_count=0, active_digest="",
        )  # fmt: skip

    transmitter.send_heartbeat(agenda.tick, compose)
    hear(air)
    beat = hear(air)
    assert beat.heartbeat is not None
    assert (beat.seq, beat.tick, beat.copy_) == (2, 1, (0, 1))
    assert beat.heartbeat.sent_alert_datagrams + beat.heartbeat.sent_heartbeats == beat.seq


def test_the_unicast_list_gets_the_same_text(
    transmitter: Transmitter, air: socket.socket, alert: Alert
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as vehicle:
        vehicle.bind(("127.0.0.1", 0))
        vehicle.settimeout(5.0)
        transmitter.also_send_to((vehicle.getsockname(),))
        transmitter.send_alert(Agenda().begin("a", alert.encode(), now=0.0, until=9.0).first)
        assert vehicle.recv(2048) == air.recv(2048)


def test_a_network_that_refuses_is_noticed_and_stops_nothing(alert: Alert) -> None:
    """No route leads to 240/4 (reserved), so every send fails."""
    nowhere = Group("255.255.255.255", 9, "127.0.0.1")
    sender = Transmitter(nowhere, SIGNER, station=4097, epoch=7, clock=SystemClock())
    sent = sender.send_alert(Agenda().begin("a", alert.encode(), now=0.0, until=9.0).first)
    assert sender.failing
    assert sent.seq == 1
    sender.close()
