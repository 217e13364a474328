from __future__ import annotations

import pytest
from console.doors import origins


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8088", "localhost:8088"),
        ("https://console.example", "console.example"),
        ("https://console.example", "console.example:443"),
        ("http://[::1]:8088", "[::1]:8088"),
        ("http://LOCALHOST", "localhost:80"),
    ],
)
def test_a_page_of_this_very_server_is_own(origin: str, host: str) -> None:
    assert origins.is_own({"origin": origin}, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:3000", "localhost:8088"),
        ("http://localhost", "localhost:8088"),
        ("http://localhost.evil:8088", "localhost:8088"),
        ("null", "localhost"),
        ("", ""),
        ("file://", "localhost"),
        ("http://localhost:8088/", "localhost:8088"),
        ("http://localhost:99999", "localhost:99999"),
        ("http://[::1", "[::1"),
    ],
)
def test_any_other_is_foreign(origin: str, host: str) -> None:
    assert not origins.is_own({"origin": origin}, host)


def test_what_is_no_browser_says_nothing_and_may() -> None:
    assert origins.is_own({}, "localhost")


@pytest.mark.parametrize(
    ("headers", "is_json"),
    [
        ({}, True),
        ({"content-length": "0"}, True),
        ({"content-type": "application/json; charset=utf-8", "content-length": "2"}, True),
        ({"content-length": "2"}, False),
        ({"transfer-encoding": "chunked"}, False),
        ({"content-type": "text/plain"}, False),
        ({"content-type": "application/json-patch"}, False),
    ],
)
def test_a_body_is_json_or_there_is_none(headers: dict[str, str], is_json: bool) -> None:
    assert origins.carries_json(headers) is is_json
