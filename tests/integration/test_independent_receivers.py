"""Vehicles of other makes: receivers written only with public JOSE libraries verify every datagram.

Nothing of ours takes part on the receiving side but the trust store's file and the documents.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.network
GROUP, LOOPBACK = "239.20.20.20", "127.0.0.1"
Verify = Callable[[bytes, dict[str, Any]], dict[str, Any]]
"""A datagram and the public keys by id → the payload that was signed."""


def with_joserfc(datagram: bytes, keys: dict[str, Any]) -> dict[str, Any]:
    from joserfc import jwk, jws

    def find(obj: Any) -> Any:
        return jwk.import_key(keys[obj.headers()["kid"]])

    found = jws.deserialize_compact(datagram, find, algorithms=["EdDSA", "HS256"])
    assert found.headers()["typ"] == "hazardcast+jws"
    return dict(json.loads(found.payload))


def with_pyjwt(datagram: bytes, keys: dict[str, Any]) -> dict[str, Any]:
    import jwt

    header = jwt.get_unverified_header(datagram)
    assert header["typ"] == "hazardcast+jws"
    key = jwt.PyJWK.from_dict(keys[header["kid"]])
    payload = jwt.PyJWS().decode(datagram, key, algorithms=["EdDSA", "HS256"])
    return dict(json.loads(payload))


@pytest.fixture
def ears() -> Iterator[socket.socket]:
    """A plain multicast socket, opened as any textbook says."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    receiver.bind((GROUP, 0))
    membership = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(LOOPBACK))
    receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    receiver.settimeout(10.0)
    yield receiver
    receiver.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def alerter(tmp_path: Path, ears: socket.socket) -> Iterator[Path]:
    """An alerter without a broker; incidents reach it as files. Yields its data directory."""
    config = tmp_path / "cameras.yaml"
    config.write_text("site: {station_id: 4097, name: 교차로}\ncameras: {}\n", encoding="utf-8")
    data = tmp_path / "data"
    changes = {
        "CONFIG": config, "DATA_DIR": data, "MQTT_PORT": free_port(), "HTTP_PORT": free_port(),
        "METRICS_PORT": 0, "MULTICAST_PORT": ears.getsockname()[1], "MULTICAST_INTERFACE": LOOPBACK,
    }  # fmt: skip
    environment = {**os.environ, **{f"HAZARDCAST_{k}": str(v) for k, v in changes.items()}}
    process = subprocess.Popen(
        [sys.executable, "-m", "alerter"], env=environment, stderr=subprocess.DEVNULL
    )
    yield data
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0


@pytest.mark.parametrize("verify", [with_joserfc, with_pyjwt], ids=["joserfc", "PyJWT"])
def test_a_receiver_of_another_make_verifies_every_datagram(
    verify: Verify, alerter: Path, ears: socket.socket
) -> None:
    datagrams = [ears.recv(2048)]
    events = alerter / "events"
    events.mkdir(exist_ok=True)
    (events / "a.json").write_text('{"type":"collision","road":"세종로"}', "utf-8")
    datagrams += [ears.recv(2048) for _ in range(12)]
    store = json.loads((alerter / "keys" / "truststore.json").read_text())
    keys = {entry["kid"]: entry["jwk"] for entry in store["keys"] if entry["state"] != "revoked"}
    said = [verify(datagram, keys) for datagram in datagrams]
    assert [payload["seq"] for payload in said] == list(range(1, 14))
    assert {payload["station"] for payload in said} == {4097}
    assert said[0]["kind"] == "heartbeat"
    alerts = [payload["alert"] for payload in said if payload["kind"] == "alert"]
    assert len(alerts) >= 7, "the burst, beside heartbeats that tell of a missing broker"
    assert {alert["road"] for alert in alerts} == {"세종로"}
    assert all(abs(time.time() - payload["tx"]) < 30 for payload in said)
    assert all(len(datagram) <= 1400 for datagram in datagrams)


@pytest.mark.parametrize("verify", [with_joserfc, with_pyjwt], ids=["joserfc", "PyJWT"])
def test_a_receiver_of_another_make_notices_a_changed_datagram(
    verify: Verify, alerter: Path, ears: socket.socket
) -> None:
    header, payload, signature = ears.recv(2048).split(b".")
    store = json.loads((alerter / "keys" / "truststore.json").read_text())
    keys = {entry["kid"]: entry["jwk"] for entry in store["keys"]}
    assert verify(b".".join((header, payload, signature)), keys)
    changed = b"A" if payload[40:41] != b"A" else b"B"
    forged = payload[:40] + changed + payload[41:]
    with pytest.raises(Exception, match=r"(?i)signature"):
        verify(b".".join((header, forged, signature)), keys)
