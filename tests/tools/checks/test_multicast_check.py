"""What the kernel says of the groups that this machine is in."""

from __future__ import annotations

import socket
import struct

from hazardcast_tools.checks.multicast_check import memberships
from hypothesis import given
from hypothesis import strategies as st


def in_kernels_words(address: str) -> str:
    return f"{struct.unpack('@I', socket.inet_aton(address))[0]:08X}"


def test_each_interface_has_its_groups() -> None:
    text = (
        "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
        "1\tlo        :     1      V3\n"
        f"\t\t\t\t{in_kernels_words('224.0.0.1')}     1 0:00000000\t\t0\n"
        "2\teth0      :     2      V3\n"
        f"\t\t\t\t{in_kernels_words('239.20.20.20')}     1 0:00000000\t\t0\n"
        f"\t\t\t\t{in_kernels_words('224.0.0.1')}     1 0:00000000\t\t0\n"
    )

    assert memberships(text) == {"lo": {"224.0.0.1"}, "eth0": {"224.0.0.1", "239.20.20.20"}}


def test_a_machine_that_does_not_tell_is_in_no_group() -> None:
    assert memberships("") == {}


@given(st.text(alphabet="0ABCh:\t \n", max_size=60) | st.text(max_size=40))
def test_whatever_is_there_can_be_read(text: str) -> None:
    memberships(text)
