"""The MQTT broker of a machine without Docker: a mosquitto that is found, else embedded amqtt."""

from __future__ import annotations

import getpass
import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hazardcast.contract.errors import ConfigError, ToolMissingError
from hazardcast.net import ports
from hazardcast.net.ports import LOOPBACK
from hazardcast.service.processes import Process, python_module

BrokerKind = Literal["mosquitto", "embedded"]
BrokerChoice = Literal["auto", "mosquitto", "embedded"]
"""`auto`: a mosquitto if one is found, else the embedded broker."""
MOSQUITTO_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
NAME = "broker"


@dataclass(frozen=True)
class LocalBroker:
    """A broker that can be started on this machine."""

    kind: BrokerKind
    port: int
    process: Process
    program: str

    def __str__(self) -> str:
        label = self.program if self.kind == "mosquitto" else "amqtt, embedded"
        return f"{label}, on {LOOPBACK}:{self.port}"


def find_mosquitto(configured: Path | None = None) -> str | None:
    """The configured mosquitto, else the one on PATH or where packages put it, else None.

    Raises:
        ToolMissingError: the configured one is not a program.
    """
    if configured is not None:
        if shutil.which(str(configured)) is None:
            raise ToolMissingError(f"HAZARDCAST_MOSQUITTO: {configured} is not a program")
        return str(configured)
    places = os.pathsep.join(MOSQUITTO_PLACES)
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=places)


def prepare(
    folder: Path, *, port: int, mosquitto: Path | None = None, choice: BrokerChoice = "auto"
) -> LocalBroker:
    """Choose a broker for 127.0.0.1:`port` and write what it needs below `folder`.

    Raises:
        ConfigError: the port is taken.
        ToolMissingError: there is neither mosquitto nor amqtt, or not the chosen one.
    """
    if not ports.is_free(port):
        raise ConfigError(
            f"HAZARDCAST_MQTT_PORT: somebody listens on {LOOPBACK}:{port} already; stop it, "
            "choose another port, or use it with --broker external"
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mosquitto.conf").touch()  # says at once where the folder is another's
    program = None if choice == "embedded" else find_mosquitto(mosquitto)
    if program is not None:
        return _mosquitto(program, folder.resolve(), port)
    if choice == "mosquitto":
        raise ToolMissingError("no mosquitto: install the system's package of that name")
    return _embedded(port)


def _mosquitto(program: str, folder: Path, port: int) -> LocalBroker:
    conf = folder / "mosquitto.conf"
    conf.write_text(mosquitto_conf(folder, port, user=getpass.getuser()), encoding="utf-8")
    process = Process(NAME, (program, "-c", str(conf)), foundation=True)
    return LocalBroker("mosquitto", port, process, program)


def _embedded(port: int) -> LocalBroker:
    if importlib.util.find_spec("amqtt") is None:
        raise ToolMissingError(
            "no broker: apt install mosquitto, or pip install 'hazardcast[demo]'"
        )
    command = python_module("hazardcast_tools.stack.embedded_broker", str(port))
    process = Process(NAME, command, foundation=True)
    return LocalBroker("embedded", port, process, command[0])


def mosquitto_conf(folder: Path, port: int, *, user: str) -> str:
    """A configuration for mosquitto 1.6 to 2.1: on loopback only, so that it may be anonymous.

    `user` keeps a mosquitto that root starts from giving up the rights to `folder`.
    """
    return f"""\
# Written at every start.
listener {port} {LOOPBACK}
allow_anonymous true
user {user}
set_tcp_nodelay true
persistence true
persistence_location {folder}/
autosave_interval 60
persistent_client_expiration 7d
max_inflight_messages 100
max_queued_messages 10000
max_queued_bytes 67108864
max_packet_size 131072
connection_messages false
log_dest stderr
log_type error
"""
