"""Subscribers as real HTTP servers: they get every version, in their format, in order."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from alerter import metrics
from alerter.exports import subscribers
from alerter.exports.formats import Format
from alerter.exports.posting import NotTakenError, post
from alerter.exports.subscribers import Address, Subscriber, parse
from defusedxml import ElementTree

from hazardcast.contract.errors import ConfigError
from hazardcast.contract.messages import Alert
from hazardcast.machine.clock import SystemClock
from hazardcast.net import ports
from hazardcast.testing import SignedStation, eventually

CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"


class Reader:
    """Somebody's endpoint; `answers` are the status codes to come, then 200."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.always = 200
        self.upset_by = b"nothing"
        self.asked: list[str] = []
        self.heard: list[tuple[str, bytes]] = []
        reader = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                code = reader.answers.pop(0) if reader.answers else reader.always
                code = 500 if reader.upset_by in body else code
                if code < 300:
                    reader.heard.append((str(self.headers["content-type"]), body))
                self.send_response(code)
                if 300 <= code < 400:
                    self.send_header("Location", "/moved")
                self.end_headers()

            def do_GET(self) -> None:
                reader.asked.append(self.path)
                self.send_response(200)
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


def test_a_version_that_upsets_a_subscriber_holds_up_no_other_accident(
    reader: Reader, tell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribers, "FIRST_PAUSE_S", 0.01)
    station = SignedStation()
    reader.upset_by = b'"4097-17"'
    subscriber = tell(Format.JSON)
    for number in (17, 18, 19):
        subscriber.tell(station.alert(number))

    eventually(lambda: len(reader.heard) == 2, what="the others are told")
    reader.upset_by = b"nothing"
    eventually(lambda: len(reader.heard) == 3, what="the odd one too, once it is taken")


def test_a_later_version_is_told_in_the_stead_of_one_that_is_not_taken(
    reader: Reader, tell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribers, "FIRST_PAUSE_S", 0.01)
    reader.upset_by = b'"revision":0'
    subscriber = tell(Format.JSON)
    for version in versions():
        subscriber.tell(version)

    eventually(lambda: len(reader.heard) == 2)
    assert [b'"update"' in body for _, body in reader.heard] == [True, False]


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_no_delivery_and_is_told(
    reader: Reader, tell: Any, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    reader.always = code
    delivered = told("delivered")

    tell(Format.JSON).tell(versions()[0])

    eventually(lambda: caplog.records)
    reason = caplog.records[0].__dict__["reason"]
    assert str(code) in reason
    assert "moved to /moved" in reason
    assert reader.asked == [], "an alert is said to nobody who is not configured"
    reader.always = 200
    eventually(lambda: reader.heard, what="it is tried again")
    eventually(lambda: told("delivered") == delivered + 1)


def test_each_failure_says_why_and_where(
    reader: Reader, tell: Any, caplog: pytest.LogCaptureFixture
) -> None:
    reader.answers = [503, 429]

    tell(Format.JSON).tell(versions()[0])

    eventually(lambda: reader.heard)
    told_of = [record.__dict__ for record in caplog.records]
    assert ["503" in told_of[0]["reason"], "429" in told_of[1]["reason"]] == [True, True]
    assert {one["to"] for one in told_of} == {f"127.0.0.1:{reader.server.server_port}"}


def test_what_is_refused_is_not_counted_as_delivered(reader: Reader, tell: Any) -> None:
    reader.answers = [410]
    delivered, refused = told("delivered"), told("refused")

    tell(Format.JSON).tell(versions()[0])

    eventually(lambda: told("refused") == refused + 1)
    assert told("delivered") == delivered


@pytest.fixture
def dripping() -> Iterator[int]:
    """The port of a server that answers a byte at a time, each in good time, without end."""
    with ports.listen("127.0.0.1", 0) as listener:
        end = threading.Event()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Never-Ends: ")
                while not end.wait(0.05):
                    connection.sendall(b"x")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        end.set()
        thread.join(5.0)


def test_an_answer_that_drips_is_given_up_in_time(dripping: int) -> None:
    began = time.monotonic()

    with pytest.raises(NotTakenError, match="timed out"):
        post(f"http://127.0.0.1:{dripping}/", b"{}", "application/json", timeout_s=0.4)

    assert time.monotonic() - began < 2.0


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    with ports.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(NotTakenError, match="timed out"):
            post(f"http://127.0.0.1:{port}/", b"{}", "application/json", timeout_s=0.2)


def told(result: str) -> float:
    return float(metrics.TOLD.labels(kind="json", result=result)._value.get())


def test_the_setting_names_a_format_for_each_address() -> None:
    assert parse("cap=https://a.example/x?b=c, http://c.example,http://[::1]:8000/x") == [
        Address("https://a.example/x?b=c", Format.CAP),
        Address("http://c.example", Format.JSON),
        Address("http://[::1]:8000/x", Format.JSON),
    ]
    assert parse(None) == parse("") == []


@pytest.mark.parametrize(
    "text",
    [
        "xml=http://a",
        "cap=ftp://a",
        "cap=",
        "http://user:secret@a",
        "nonsense",
        "http://[::1",
        "http://::1:80/",
        "http://a:x/",
    ],
)
def test_a_wrong_address_is_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigError, match="HAZARDCAST_SUBSCRIBERS") as caught:
        parse(text)
    assert "secret" not in str(caught.value)
