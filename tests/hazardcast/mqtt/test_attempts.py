"""Every try to have the broker says why it failed, and when the next one comes."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hazardcast_tools.provision import certificates

from hazardcast.config.settings import Settings
from hazardcast.contract.errors import ConfigError
from hazardcast.mqtt import broker_failures
from hazardcast.mqtt.attempts import Attempts
from hazardcast.mqtt.broker_failures import Way
from hazardcast.mqtt.bus import MqttBus
from hazardcast.testing import ManualClock, eventually

Answer = Callable[[socket.socket], None]
DAY_S = 86_400.0


@pytest.fixture(scope="module")
def authority() -> Any:
    return certificates.make_authority("A", now=time.time())


@pytest.fixture
def ca(authority: Any, tmp_path: Path) -> Path:
    path = tmp_path / "ca.crt"
    path.write_text(authority.certificate)
    return path


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], int]]:
    """Answers every connection in its own way, until the test is over."""
    listeners: list[socket.socket] = []

    def begin(answer: Answer) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run() -> None:
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = listener.accept()
                    with contextlib.suppress(OSError), peer:
                        answer(peer)

        threading.Thread(target=run, daemon=True).start()
        return int(listener.getsockname()[1])

    yield begin
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def tls(pair: Any, folder: Path) -> Answer:
    """Speaks TLS with a certificate, then hangs up."""
    (folder / "server.crt").write_text(pair.certificate)
    (folder / "server.key").write_text(pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")

    def answer(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) as secure:
            secure.recv(1000)

    return answer


def connack(code: int) -> Answer:
    def answer(peer: socket.socket) -> None:
        peer.recv(1000)
        peer.sendall(bytes([0x20, 2, 0, code]))
        peer.recv(1000)

    return answer


def said(caplog: pytest.LogCaptureFixture, **settings: Any) -> logging.LogRecord:
    """The first line about a try to connect with these settings."""
    bus = MqttBus(Settings(**settings), client_id="x", persistent=True)
    bus.start()

    def first() -> logging.LogRecord | None:
        return next((one for one in caplog.records if hasattr(one, "again_in_s")), None)

    try:
        return eventually(first, within_s=10)
    finally:
        bus.close()


@pytest.mark.parametrize(
    ("names", "age_days", "own", "reason"),
    [
        (["localhost", "127.0.0.1"], 500, True, "its certificate has expired"),
        (["localhost", "127.0.0.1"], -30, True, "not valid yet: is the clock"),
        (["broker.example"], 0, True, "for another name than 127.0.0.1"),
        (["localhost", "127.0.0.1"], 0, False, "another authority than HAZARDCAST_MQTT_CA"),
        (["localhost", "127.0.0.1"], 0, True, "it hung up before it answered"),
    ],
    ids=["expired", "early", "other name", "other authority", "no MQTT"],
)
def test_a_certificate_that_is_not_believed_is_told_with_its_fault(
    authority: Any, ca: Path, serve: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture,
    names: list[str], age_days: float, own: bool, reason: str,
) -> None:  # fmt: skip
    now = time.time() - age_days * DAY_S
    signer = authority if own else certificates.make_authority("B", now=time.time())
    port = serve(tls(certificates.make_server(names, signer, now=now), tmp_path))

    line = said(caplog, mqtt_port=port, mqtt_ca=ca)

    assert line.levelno == logging.WARNING
    assert reason in line.reason  # type: ignore[attr-defined]
    assert line.broker == f"127.0.0.1:{port}"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("answer", "with_tls", "reason"),
    [
        (lambda peer: None, False, "does this port speak TLS (HAZARDCAST_MQTT_CA)?"),
        (lambda peer: peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), True, "does this port speak TLS?"),
        (lambda peer: None, True, "does this port speak TLS?"),
        (connack(4), False, "user name or password is wrong: are HAZARDCAST_MQTT_USERNAME"),
        (connack(5), False, "does not let this account in"),
        (connack(2), False, "does not accept our client id: see HAZARDCAST_INSTANCE"),
        (connack(3), False, "not available"),
        (connack(1), False, "does not speak MQTT 3.1.1"),
    ],
    ids=["plain to TLS", "TLS to HTTP", "TLS to silence", "credentials", "account", "id", "busy", "protocol"],
)  # fmt: skip
def test_a_broker_that_does_not_let_us_in_is_told_with_its_reason(
    ca: Path, serve: Any, caplog: pytest.LogCaptureFixture,
    answer: Answer, with_tls: bool, reason: str,
) -> None:  # fmt: skip
    line = said(caplog, mqtt_port=serve(answer), mqtt_ca=ca if with_tls else None)

    assert reason in line.reason  # type: ignore[attr-defined]


def test_a_broker_that_cannot_be_reached_is_told_with_its_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    assert said(caplog, mqtt_port=port).reason == "nobody listens there"  # type: ignore[attr-defined]
    caplog.clear()

    line = said(caplog, mqtt_host="broker.invalid")
    assert "HAZARDCAST_MQTT_HOST: the name broker.invalid is not known" in line.reason  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "content", [None, "", "listener 1883\n"], ids=["missing", "empty", "no PEM"]
)
def test_an_authority_that_cannot_be_read_is_a_configuration_error(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "ca.crt").write_text(content)

    for path in (tmp_path / "ca.crt", tmp_path):
        with pytest.raises(ConfigError, match=f"^HAZARDCAST_MQTT_CA: {path}"):
            MqttBus(Settings(mqtt_ca=path), client_id="x")


@pytest.fixture
def attempts(clock: ManualClock) -> Attempts:
    return Attempts(Way("broker", "broker:1883", tls=False), "alerter-1", clock)


def test_a_failure_that_stays_is_told_now_and_then_and_a_new_one_at_once(
    attempts: Attempts, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(200):
        attempts.failed(ConnectionRefusedError(111, "Connection refused"))
        clock.advance(3)
    refused = len(caplog.records)
    attempts.failed(TimeoutError(110, "timed out"))

    assert 20 < refused < 40, "in ten minutes"
    assert len(caplog.records) == refused + 1


def test_connections_that_end_soon_again_and_again_look_like_another_with_our_name(
    attempts: Attempts, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(4):
        attempts.accepted()
        clock.advance(1)
        attempts.ended("Unspecified error")

    told = [one.reason for one in caplog.records if hasattr(one, "reason")]
    assert told[0] == "the broker hung up"
    assert "does another process use the client id alerter-1?" in told[-1]


def test_a_connection_that_stood_begins_the_waits_anew(
    attempts: Attempts, clock: ManualClock
) -> None:
    for _ in range(10):
        attempts.failed(ConnectionRefusedError())
    attempts.accepted()
    clock.advance(60)

    assert attempts.ended("Keep alive timeout") <= broker_failures.FIRST_CEILING_S


def test_clients_that_lose_a_broker_together_come_back_spread_and_soon() -> None:
    first = [broker_failures.retry_wait_s(0) for _ in range(1000)]
    later = [broker_failures.retry_wait_s(9) for _ in range(1000)]

    assert 0.2 <= min(first) < 0.3
    assert 1.4 < max(first) <= 1.5
    assert 5.5 < max(later) <= 6.0
    assert min(later) < 0.6
