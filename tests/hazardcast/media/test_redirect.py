"""Children learn a camera's address on loopback, and nobody else does."""

from __future__ import annotations

import http.client
import socket
from urllib.parse import urlsplit

import pytest

from hazardcast.media.redirect import Redirect


def asked(url: str, path: str | None = None) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    connection.request("GET", path or parts.path)
    return connection.getresponse()


def test_who_asks_at_the_address_is_sent_on_as_often_as_it_likes() -> None:
    with Redirect("http://watcher:geheim@10.0.0.11/video") as way:
        assert "geheim" not in way.url
        for _ in range(2):
            answer = asked(way.url)
            assert answer.status == 302
            assert answer.headers["Location"] == "http://watcher:geheim@10.0.0.11/video"


def test_an_rtsp_viewer_is_sent_on_from_its_first_request() -> None:
    with Redirect("rtsps://watcher:geheim@10.0.0.11/main") as way:
        parts = urlsplit(way.url)
        assert parts.scheme == "rtsp"
        with socket.create_connection((parts.hostname, parts.port), timeout=5) as viewer:
            viewer.sendall(f"OPTIONS {way.url} RTSP/1.0\r\nCSeq: 7\r\n\r\n".encode())
            answer = b"".join(iter(lambda: viewer.recv(4096), b"")).decode()
    assert answer.startswith("RTSP/1.0 302 Found\r\nCSeq: 7\r\n")
    assert "\r\nLocation: rtsps://watcher:geheim@10.0.0.11/main\r\n" in answer


def test_who_only_knows_the_port_is_told_nothing() -> None:
    with Redirect("http://watcher:geheim@10.0.0.11/video") as way:
        assert asked(way.url, "/").status == 404
        assert asked(way.url, "/guess").status == 404


def test_another_user_of_the_machine_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with Redirect("http://watcher:geheim@10.0.0.11/video") as way:
        monkeypatch.setattr("hazardcast.media.redirect.os.getuid", lambda: 4242)
        with pytest.raises((http.client.HTTPException, OSError)):
            asked(way.url)


def test_after_it_is_closed_nobody_answers() -> None:
    with Redirect("http://10.0.0.11/video") as way:
        pass
    with pytest.raises(OSError):
        asked(way.url)


def test_an_address_never_ends_the_header_it_is_told_in() -> None:
    with Redirect("http://10.0.0.11/a\r\nSet-Cookie: b") as way:
        assert "Set-Cookie" not in asked(way.url).headers
