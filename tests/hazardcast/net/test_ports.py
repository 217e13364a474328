from __future__ import annotations

import socket

import pytest

from hazardcast.net import ports


@pytest.mark.parametrize(
    ("host", "callers"),
    [("127.0.0.1", ["127.0.0.1"]), ("::1", ["::1"]), ("::", ["::1", "127.0.0.1"])],
)
def test_a_server_may_listen_on_either_family(host: str, callers: list[str]) -> None:
    with ports.listen(host, 0) as listener:
        port = listener.getsockname()[1]

        assert all(ports.answers(caller, port) for caller in callers)


def test_a_port_that_is_taken_is_an_error() -> None:
    with ports.listen("127.0.0.1", 0) as listener, pytest.raises(OSError, match="in use"):
        ports.listen("127.0.0.1", listener.getsockname()[1])


def test_an_address_of_another_machine_is_an_error() -> None:
    with pytest.raises(OSError, match="assign"):
        ports.listen("192.0.2.1", 0)


def test_what_listens_is_listened_to_at_once() -> None:
    """Until a socket listens, SO_REUSEADDR lets another process take the same port."""
    with ports.listen("127.0.0.1", 0) as listener:
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
