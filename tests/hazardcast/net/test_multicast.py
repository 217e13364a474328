from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from hazardcast.contract.errors import ConfigError
from hazardcast.net.multicast import (
    READ_BYTES,
    Group,
    Place,
    accept_anything,
    interface_address,
    open_receiver,
    open_sender,
    open_unicast_receiver,
    place_of,
    read,
    refuse_others,
    try_route,
    wait_at_most,
)
from hazardcast.receiving.bpf import only

pytestmark = pytest.mark.network
ADDRESS = "239.20.20.20"
IP_RECVTTL = 12  # linux/in.h; Python has no name for it


@pytest.fixture
def group() -> Group:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("", 0))
        port = probe.getsockname()[1]
    return Group(ADDRESS, port, "127.0.0.1")


def listening(receiver: socket.socket) -> socket.socket:
    receiver.settimeout(2.0)
    return receiver


def test_every_receiver_on_a_machine_hears_every_datagram(group: Group) -> None:
    with listening(open_receiver(group)) as first, listening(open_receiver(group)) as second, open_sender(group) as sender:  # fmt: skip
        for number in range(20):
            sender.sendto(b"%d" % number, (group.address, group.port))

        for receiver in (first, second):
            assert [read(receiver).data for _ in range(20)] == [b"%d" % n for n in range(20)]


def test_a_datagram_comes_with_its_source_and_the_time_the_kernel_took_it(group: Group) -> None:
    with listening(open_receiver(group)) as receiver, open_sender(group) as sender:
        # The kernel begins to stamp arrivals a moment after the machine's first socket asks for it
        # (net_enable_timestamp defers it); what came before is stamped when it is read.
        for _ in range(20):
            before = time.time()
            sender.sendto(b"x", (group.address, group.port))
            time.sleep(0.05)
            packet = read(receiver)
            assert packet.kernel_time is not None
            if packet.kernel_time <= time.time() - 0.04:
                break

        assert packet.source == "127.0.0.1"
        assert packet.kernel_time is not None
        assert before - 0.005 <= packet.kernel_time <= before + 0.03, "not when it was read"


def test_a_datagram_that_is_too_long_is_seen_to_be(group: Group) -> None:
    with listening(open_receiver(group)) as receiver, open_sender(group) as sender:
        sender.sendto(b"x" * 9000, (group.address, group.port))

        assert len(read(receiver).data) == READ_BYTES


def test_what_the_buffer_had_no_room_for_is_told(group: Group) -> None:
    with listening(open_receiver(group)) as receiver, open_sender(group) as sender:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(200):
            sender.sendto(b"x" * 1000, (group.address, group.port))
        while not read(receiver).overflowed:
            sender.sendto(b"y", (group.address, group.port))


def test_another_group_on_the_same_port_is_not_heard(group: Group) -> None:
    other = Group("239.20.20.21", group.port, group.interface)
    with listening(open_receiver(group)) as receiver, listening(open_receiver(other)), open_sender(other) as sender:  # fmt: skip
        sender.sendto(b"other", (other.address, other.port))
        sender.sendto(b"ours", (group.address, group.port))

        assert read(receiver).data == b"ours"


def test_datagrams_leave_with_the_configured_hops_marked_expedited() -> None:
    with open_sender(Group(ADDRESS, 5520, None, ttl=3)) as sender:
        assert sender.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL) == 3
        assert sender.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 46 << 2


def test_hops_and_priority_are_on_the_wire(group: Group) -> None:
    group = replace(group, ttl=3)
    with listening(open_receiver(group)) as receiver, open_sender(group) as sender:
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        receiver.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        sender.sendto(b"marked", (group.address, group.port))
        _, told, _, _ = receiver.recvmsg(64, 256)
    fields = {kind: data[0] for level, kind, data in told if level == socket.IPPROTO_IP}
    assert fields[socket.IP_TOS] == 46 << 2
    assert fields[socket.IP_TTL] == 3


def test_a_unicast_receiver_hears_what_is_sent_to_it() -> None:
    with listening(open_unicast_receiver(0, host="127.0.0.1")) as receiver, open_sender(Group(ADDRESS, 1)) as sender:  # fmt: skip
        sender.sendto(b"to you", receiver.getsockname())

        assert read(receiver).data == b"to you"


def test_a_taken_unicast_port_is_an_error_not_a_silent_share() -> None:
    with (
        open_unicast_receiver(0, host="127.0.0.1") as first,
        pytest.raises(OSError, match="in use"),
    ):
        open_unicast_receiver(first.getsockname()[1], host="127.0.0.1")


@pytest.mark.parametrize("patience", [wait_at_most, socket.socket.settimeout])
def test_silence_is_a_timeout(
    group: Group, patience: Callable[[socket.socket, float], None]
) -> None:
    with open_receiver(group) as receiver:
        patience(receiver, 0.01)
        with pytest.raises(TimeoutError):
            read(receiver)


def test_an_interface_is_named_by_name_or_address() -> None:
    assert interface_address("lo") == "127.0.0.1"
    assert interface_address("127.0.0.1") == "127.0.0.1"
    assert interface_address(None) == "0.0.0.0"


def test_an_interface_that_is_not_there_is_a_clear_error(group: Group) -> None:
    missing = Group(group.address, group.port, "nosuch0")

    for opening in (open_receiver, open_sender):
        with pytest.raises(ConfigError, match="no interface 'nosuch0'"):
            opening(missing)


def test_where_an_interface_is_is_told_by_name_and_by_address() -> None:
    number = socket.if_nametoindex("lo")

    assert place_of("lo") == place_of("127.0.0.1") == Place("127.0.0.1", number, running=True)
    assert place_of(None).running
    for absent in ("nosuch0", "192.0.2.77"):
        with pytest.raises(ConfigError, match=f"no interface '{absent}'"):
            place_of(absent)


def test_the_kernel_is_asked_for_a_way_without_sending(group: Group) -> None:
    with listening(open_receiver(group)) as receiver, open_sender(group) as sender:
        try_route(group)
        sender.sendto(b"after", (group.address, group.port))

        assert read(receiver).data == b"after"
    with pytest.raises(OSError, match=r"unreachable|denied"):
        try_route(Group("255.255.255.255", 9, "lo"))


def test_the_kernel_refuses_garbage_when_asked_to(group: Group) -> None:
    with listening(open_receiver(group)) as receiver, open_sender(group) as sender:

        def send(*texts: bytes) -> None:
            for text in texts:
                sender.sendto(text, (group.address, group.port))

        refuse_others(receiver, only([b"eyJhbG.", b"other"]))
        send(b"", b"eyJh", b"eyJhbG", b"garbage" * 100, b"eyJhbG-", b"eyJhbG.and more")
        assert read(receiver).data == b"eyJhbG.and more"
        refuse_others(receiver, only([b"eyJhbG."], sources=["10.0.0.1", "192.0.2.1"]))
        send(b"eyJhbG.and more")
        refuse_others(receiver, only([b"xxxx", b"eyJhbG."], sources=["10.0.0.1", "127.0.0.1"]))
        send(b"eyJhbG.from here")
        assert read(receiver).data == b"eyJhbG.from here"
        accept_anything(receiver)
        send(b"garbage")
        packet = read(receiver)

        assert packet.data == b"garbage"
        assert packet.overflowed == 6, "what was refused is told"
