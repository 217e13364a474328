"""The receivers that the guide shows, in three languages, against a running station and liars."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

import pytest

from hazardcast.signing import envelope, trust
from hazardcast.signing.envelope import Signer
from hazardcast.testing import eventually
from tests.conftest import free_port, missing

pytestmark = pytest.mark.network
RECEIVERS = Path(__file__).resolve().parents[2] / "docs" / "guide" / "receivers"
GROUP, LOOPBACK = "239.20.20.20", "127.0.0.1"
LANGUAGES = ("python", "javascript", "c")


def _refuses(receiver: Receiver, reasons: set[str]) -> bool:
    return reasons <= receiver.reasons()


def _answer(air: Air, receiver: Receiver) -> set[str]:
    """Say what is nothing, and give what it refused so far: it listens once there is something."""
    air.say(b"?")
    return receiver.reasons()


def command(language: str, folder: Path) -> list[str]:
    """How a receiver is started; the one in C is built before."""
    if language == "python":
        return [sys.executable, str(RECEIVERS / "receiver.py")]
    if language == "javascript":
        return [shutil.which("node") or missing("node"), str(RECEIVERS / "receiver.mjs")]
    compiler = shutil.which("cc") or shutil.which("gcc") or missing("a C compiler")
    program = folder / "receiver"
    built = subprocess.run(
        [compiler, "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, RECEIVERS / "receiver.c", "-lcrypto"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "openssl/evp.h" in built.stderr:
        missing("OpenSSL's headers (libssl-dev)")
    assert built.returncode == 0, built.stderr
    return [str(program)]


class Receiver:
    """A running receiver, and what it has said."""

    def __init__(self, words: list[str]) -> None:
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
        self.shown: list[str] = []
        self.refused: list[str] = []
        for stream, lines in ((self.process.stdout, self.shown), (self.process.stderr, self.refused)):  # fmt: skip
            assert stream
            threading.Thread(target=self._read, args=(stream, lines), daemon=True).start()

    @staticmethod
    def _read(stream: IO[str], lines: list[str]) -> None:
        lines.extend(line.rstrip("\n") for line in stream)

    def has_shown(self, beginning: str) -> bool:
        return any(line.startswith(beginning) for line in self.shown)

    def reasons(self) -> set[str]:
        return {line.removeprefix("REFUSED ") for line in self.refused}


class Air:
    """The group: what is on it, and a liar's way to say something there."""

    def __init__(self, port: int) -> None:
        self.place = (GROUP, port)
        self._mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))  # fmt: skip
        self.ears = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ears.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.ears.bind(self.place)
        membership = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(LOOPBACK))
        self.ears.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        self.ears.settimeout(10.0)

    def say(self, text: bytes) -> None:
        self._mouth.sendto(text, self.place)

    def close(self) -> None:
        self._mouth.close()
        self.ears.close()


def lies(genuine: bytes, signer: Signer) -> dict[str, bytes]:
    """Reason → a datagram that must be refused for it; `genuine` was heard a moment ago."""
    header, payload, signature = genuine.split(b".")
    said = json.loads(envelope.unb64url(payload))
    impostor = trust.signer_of({**trust.generate_jwk("EdDSA"), "kid": signer.kid})
    stranger = trust.signer_of(trust.generate_jwk("EdDSA"))

    def sealed(by: Signer, **changes: object) -> bytes:
        later = {**said, "seq": said["seq"] + 5000, "tx": time.time(), **changes}
        return envelope.seal(json.dumps(later).encode(), by).encode()

    unsigned = envelope.b64url(json.dumps({"alg": "none", "kid": signer.kid, "typ": envelope.TYPE}).encode())  # fmt: skip
    changed = payload[:-8] + (b"A" if payload[-8:-7] != b"A" else b"B") + payload[-7:]
    return {
        "replay": genuine,
        "signature": b".".join((header, changed, signature)),
        "signature, as by an impostor": sealed(impostor),
        "key": sealed(stranger),
        "algorithm": unsigned.encode() + b"." + payload + b".",
        "stale": sealed(signer, tx=time.time() - 3),
        "future": sealed(signer, tx=time.time() + 3),
        "station": sealed(signer, station=said["station"] + 1),
        "epoch": sealed(signer, epoch=said["epoch"] - 1),
        "schema": sealed(signer, seq=-1),
        "size": sealed(signer, padding="x" * 1400),
        "shape": b"ey.not.json",
    }


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Receiver]]:
    """An accident, then every lie, then the accident's end; by language what became of it."""
    folder = tmp_path_factory.mktemp("receivers")
    data, config = folder / "data", folder / "cameras.yaml"
    config.write_text("cameras: {}\n", encoding="utf-8")
    trust.ensure_keys(data / "keys", station=4097)
    air = Air(free_port(socket.SOCK_DGRAM))
    place = [str(data / "keys" / "truststore.json"), f"{GROUP}:{air.place[1]}", LOOPBACK]
    receivers = {one: Receiver([*command(one, folder), *place]) for one in LANGUAGES}
    changes = {
        "CONFIG": config, "DATA_DIR": data, "MQTT_PORT": free_port(), "HTTP_PORT": free_port(),
        "METRICS_PORT": 0, "MULTICAST_PORT": air.place[1], "MULTICAST_INTERFACE": LOOPBACK,
    }  # fmt: skip
    environment = {**os.environ, **{f"HAZARDCAST_{k}": str(v) for k, v in changes.items()}}
    station: subprocess.Popen[bytes] | None = None
    try:
        for receiver in receivers.values():
            eventually(partial(_answer, air, receiver), what="it listens")
        station = subprocess.Popen([sys.executable, "-m", "alerter"], env=environment, stderr=subprocess.DEVNULL)  # fmt: skip
        _wait(receivers, "HEARTBEAT ")
        _drop(data, "accident", {"type": "collision", "event_id": "a-1", "lat": 37.5, "lon": 127})
        _wait(receivers, "ALERT new collision high ")
        signer = trust.load_signer(data / "keys" / "station.jwk")
        told = lies(_newest_alert(air.ears), signer)
        for lie in told.values():
            air.say(lie)
        reasons = {reason.split(",")[0] for reason in told}
        for language, receiver in receivers.items():
            eventually(partial(_refuses, receiver, reasons), what=f"{language} refuses all of {reasons}")  # fmt: skip
        _drop(data, "end", {"type": "collision", "event_id": "a-1", "status": "cancel"})
        _wait(receivers, "ALERT cancel collision ")
        yield receivers
    finally:
        started: list[subprocess.Popen[Any]] = [one.process for one in receivers.values()]
        for process in started if station is None else [*started, station]:
            process.send_signal(signal.SIGTERM)
            process.wait(15)
        air.close()


def _wait(receivers: dict[str, Receiver], beginning: str) -> None:
    for language, receiver in receivers.items():
        eventually(lambda one=receiver: one.has_shown(beginning), within_s=20, what=f"{language} shows {beginning}")  # type: ignore[misc]  # fmt: skip


def _drop(data: Path, name: str, incident: dict[str, object]) -> None:
    (data / "events").mkdir(exist_ok=True)
    (data / "events" / f"{name}.json").write_text(json.dumps(incident), encoding="utf-8")


def _newest_alert(ears: socket.socket) -> bytes:
    """An alert's datagram that is on the air just now, behind those that wait to be read."""
    ears.setblocking(False)
    try:
        while True:
            ears.recv(2048)
    except BlockingIOError:
        ears.settimeout(10.0)
    while True:
        text = ears.recv(2048)
        if b'"kind":"alert"' in envelope.unb64url(text.split(b".")[1]):
            return text


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_shows_what_the_station_says_once_however_many_copies_come(
    scene: dict[str, Receiver], language: str
) -> None:
    alerts = [line.split() for line in scene[language].shown if line.startswith("ALERT")]

    assert [words[1] for words in alerts] == ["new", "cancel"]
    assert {words[4] for words in alerts} == {alerts[0][4]}, "one event"
    assert "37.50000,127.00000" in alerts[0]
    assert scene[language].process.poll() is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_refuses_what_is_forged_replayed_or_out_of_its_time(
    scene: dict[str, Receiver], language: str
) -> None:
    refused = [line for line in scene[language].refused if line != "REFUSED shape"]

    assert sorted(refused) == sorted(
        f"REFUSED {reason}"
        for reason in ("replay", "signature", "signature", "key", "algorithm", "stale", "future", "station", "epoch", "schema", "size")
    )  # fmt: skip


def test_they_say_the_same_in_every_language(scene: dict[str, Receiver]) -> None:
    alerts = {
        language: [line for line in receiver.shown if line.startswith("ALERT")]
        for language, receiver in scene.items()
    }

    assert alerts["python"] == alerts["javascript"] == alerts["c"]
