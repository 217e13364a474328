"""Which broker is chosen, and what is said when it cannot be had."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hazardcast_tools.stack import broker

from hazardcast.contract.errors import ConfigError, ToolMissingError
from hazardcast.net.ports import free_ports, is_free


def test_a_mosquitto_that_is_found_is_preferred(mosquitto_program: str, tmp_path: Path) -> None:
    chosen = broker.prepare(tmp_path, port=free_ports(1)[0])

    assert chosen.kind == "mosquitto"
    assert chosen.process.command[0] == mosquitto_program


def test_without_mosquitto_the_embedded_broker_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "find_mosquitto", lambda configured: None)

    chosen = broker.prepare(tmp_path, port=free_ports(1)[0])

    assert chosen.kind == "embedded"
    assert "hazardcast_tools.stack.embedded_broker" in chosen.process.command


def test_a_taken_port_is_told_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]

        with pytest.raises(ConfigError, match=rf"HAZARDCAST_MQTT_PORT.*{port} already"):
            broker.prepare(tmp_path, port=port)


def test_a_configured_mosquitto_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError, match="HAZARDCAST_MOSQUITTO"):
        broker.prepare(tmp_path, port=free_ports(1)[0], mosquitto=Path("/no/such/mosquitto"))


def test_the_broker_listens_on_loopback_alone() -> None:
    conf = broker.mosquitto_conf(Path("/data/broker"), 1883, user="someone")

    listeners = [line for line in conf.splitlines() if line.startswith("listener")]
    assert listeners == ["listener 1883 127.0.0.1"]


def test_free_ports_are_different_and_free() -> None:
    found = free_ports(12)

    assert len(set(found)) == 12
    assert all(is_free(port) for port in found)
