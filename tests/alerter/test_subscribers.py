"""Subscribers as real HTTP servers: they get every version, in their format, in order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from alerter.formats import Format
from alerter.subscribers import Address, Subscriber, parse
from defusedxml import ElementTree

from hazardcast.clock import SystemClock
from hazardcast.errors import ConfigError
from hazardcast.messages import Alert
from hazardcast.testing import SignedStation, eventually

CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"


class Reader:
    """Somebody's endpoint; `answers` are the status codes to come, then 200."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.heard: list[tuple[str, bytes]] = []
        reader = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                code = reader.answers.pop(0) if reader.answers else 200
                if code < 300:
                    reader.heard.append((str(self.headers["content-type"]), body))
                self.send_response(code)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/cap"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def reader() -> Iterator[Reader]:
    found = Reader()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def tell(reader: Reader) -> Iterator[Any]:
    """Starts a subscriber of a format and hands back its `tell`."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def start(form: Format) -> Subscriber:
        subscriber = Subscriber(Address(reader.url, form), clock=SystemClock(), stop=stop)
        threads.append(threading.Thread(target=subscriber.run, args=(stop,)))
        threads[-1].start()
        return subscriber

    yield start
    stop.set()
    for thread in threads:
        thread.join(10)


def versions() -> list[Alert]:
    first = SignedStation().alert(17)
    return [
        first,
        first.model_copy(update={"status": "update", "revision": 1}),
        first.model_copy(update={"status": "cancel", "revision": 2}),
    ]


def test_a_cap_subscriber_reads_alert_update_and_cancel_with_references(
    reader: Reader, tell: Any
) -> None:
    subscriber = tell(Format.CAP)
    for version in versions():
        subscriber.tell(version)

    eventually(lambda: len(reader.heard) == 3)

    assert {kind for kind, _ in reader.heard} == {"application/cap+xml"}
    roots = [ElementTree.fromstring(body) for _, body in reader.heard]
    assert [root.findtext(f"{CAP}msgType") for root in roots] == ["Alert", "Update", "Cancel"]
    references = [root.findtext(f"{CAP}references") for root in roots]
    assert references[0] is None
    assert "4097-17.0" in str(references[1])
    assert "4097-17.0" in str(references[2])
    assert "4097-17.1" in str(references[2])


def test_each_reads_its_own_format(reader: Reader, tell: Any) -> None:
    for form in (Format.JSON, Format.DENM_JSON):
        tell(form).tell(versions()[0])

    eventually(lambda: len(reader.heard) == 2)

    assert any(b'"event_id":"4097-17"' in body for _, body in reader.heard)
    assert any(b'"originatingStationId": 4097' in body for _, body in reader.heard)


def test_a_subscriber_that_is_away_gets_it_when_it_is_back(reader: Reader, tell: Any) -> None:
    reader.answers = [503]

    tell(Format.JSON).tell(versions()[0])

    eventually(lambda: len(reader.heard) == 1)


def test_what_a_subscriber_refuses_is_not_sent_again_and_holds_up_nothing(
    reader: Reader, tell: Any
) -> None:
    reader.answers = [400]
    subscriber = tell(Format.JSON)
    for version in versions():
        subscriber.tell(version)

    eventually(lambda: len(reader.heard) == 2)

    assert b'"revision":1' in reader.heard[0][1]


def test_the_setting_names_a_format_for_each_address() -> None:
    assert parse("cap=https://a.example/x?b=c, http://c.example") == [
        Address("https://a.example/x?b=c", Format.CAP),
        Address("http://c.example", Format.JSON),
    ]
    assert parse(None) == parse("") == []


@pytest.mark.parametrize(
    "text", ["xml=http://a", "cap=ftp://a", "cap=", "http://user:secret@a", "nonsense"]
)
def test_a_wrong_address_is_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigError, match="HAZARDCAST_SUBSCRIBERS") as caught:
        parse(text)
    assert "secret" not in str(caught.value)
