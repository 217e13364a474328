from __future__ import annotations

import pytest
from console.doors import free_view
from console.doors.guard import FreeView
from starlette.requests import HTTPConnection


def asked(**headers: str) -> HTTPConnection:
    raw = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return HTTPConnection({"type": "http", "headers": raw})


AT_HOME = FreeView(published_locally=True, allowed=True)


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8088", "LOCALHOST:80", "127.0.0.1:8088", "[::1]:8088", "[::1]"]
)
def test_who_sits_at_the_machine_looks_freely(host: str) -> None:
    assert AT_HOME.holds(asked(host=host))


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "127.0.0.2", "10.0.0.5:8088",
     "localhost@evil", "[::2]", "::1", "0.0.0.0", "[::1].evil"],
)  # fmt: skip
def test_another_name_of_this_machine_is_no_free_view(host: str) -> None:
    assert not AT_HOME.holds(asked(host=host))


@pytest.mark.parametrize(
    "header", ["forwarded", "via", "x-forwarded-for", "x-forwarded-proto", "x-real-ip"]
)
def test_what_came_through_a_proxy_is_no_free_view(header: str) -> None:
    assert not AT_HOME.holds(asked(host="localhost", **{header: ""}))


@pytest.mark.parametrize(
    "free",
    [
        FreeView(published_locally=False, allowed=True),
        FreeView(published_locally=True, allowed=False),
        FreeView(published_locally=True, allowed=True, privacy_on=lambda: True),
    ],
    ids=["published", "not allowed", "privacy"],
)
def test_each_condition_alone_ends_free_view(free: FreeView) -> None:
    assert not free.holds(asked(host="localhost"))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_loopback_by_every_name(host: str) -> None:
    assert free_view.is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "console", ""])
def test_all_else_is_published(host: str) -> None:
    assert not free_view.is_loopback(host)
