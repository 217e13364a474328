"""A receiver of Hazardcast's alerts in one file, with nothing of Hazardcast but the trust store.

    python3 receiver.py TRUSTSTORE [GROUP:PORT [INTERFACE_ADDRESS]]

Needs Python 3.9 and the package `cryptography`. A line for each version of an alert and for each
heartbeat; what is not believed is a line `REFUSED reason` on the standard error.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import socket
import struct
import sys
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LONGEST = 1400
WINDOW = 1024
MAX_AGE_S, MAX_FUTURE_S = 2.0, 0.25
MOST_EVENTS = 1024


class RefusedError(Exception):
    """This datagram is not believed; says why."""


def unb64url(text: bytes) -> bytes:
    """The bytes of base64url text without padding."""
    if not re.fullmatch(rb"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        raise RefusedError("shape")
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def json_object(data: bytes) -> dict:
    """The JSON object in `data`."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise RefusedError("shape") from None
    if not isinstance(value, dict):
        raise RefusedError("shape")
    return value


def whole(data: dict, name: str) -> int:
    """A member that must be a whole number, not negative."""
    value = data.get(name)
    if type(value) is not int or not 0 <= value < 2**53:
        raise RefusedError("schema")
    return value


def number(data: dict, name: str) -> float:
    """A member that must be a number."""
    value = data.get(name)
    if type(value) not in (int, float):
        raise RefusedError("schema")
    return float(value)


def word(data: dict, name: str) -> str:
    """A member that must be a text of one line, fit to be shown."""
    value = data.get(name)
    if not isinstance(value, str) or not value.isprintable():
        raise RefusedError("schema")
    return value


def inner(data: dict, name: str) -> dict:
    """A member that must be an object."""
    value = data.get(name)
    if not isinstance(value, dict):
        raise RefusedError("schema")
    return value


class Trust:
    """The keys of `truststore.json`: key id → (station, public key)."""

    def __init__(self, path: str) -> None:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - no more imports than needed
            entries = json.load(file)["keys"]
        self.keys = {
            entry["kid"]: (entry["station"], self._public(entry["jwk"]))
            for entry in entries
            if entry["state"] != "revoked" and entry["jwk"].get("crv") == "Ed25519"
        }

    @staticmethod
    def _public(jwk: dict) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(unb64url(jwk["x"].encode()))

    def open(self, text: bytes) -> tuple[int, dict]:
        """The station that signed `text`, and what it signed."""
        if len(text) > LONGEST:
            raise RefusedError("size")
        parts = text.split(b".")
        if len(parts) != 3:
            raise RefusedError("shape")
        header = json_object(unb64url(parts[0]))
        if header.get("typ") != "hazardcast+jws" or "crit" in header:
            raise RefusedError("shape")
        kid = header.get("kid")
        if not isinstance(kid, str) or kid not in self.keys:
            raise RefusedError("key")
        if header.get("alg") not in ("EdDSA", "Ed25519"):  # the key says which, not the datagram
            raise RefusedError("algorithm")
        station, key = self.keys[kid]
        try:
            key.verify(unb64url(parts[2]), parts[0] + b"." + parts[1])
        except InvalidSignature:
            raise RefusedError("signature") from None
        return station, json_object(unb64url(parts[1]))


class Station:
    """What was heard of one station: its newest epoch, and the newest 1024 numbers in it."""

    def __init__(self) -> None:
        self.epoch = -1
        self._forget()

    def _forget(self) -> None:
        self.highest = -1
        self.taken = [-1] * WINDOW

    def check(self, epoch: int, seq: int) -> None:
        """Whether this number may still be taken."""
        if epoch < self.epoch:
            raise RefusedError("epoch")
        if epoch > self.epoch:
            return
        if seq <= self.highest - WINDOW or self.taken[seq % WINDOW] == seq:
            raise RefusedError("replay")

    def take(self, epoch: int, seq: int) -> None:
        """It was believed: never again."""
        if epoch > self.epoch:
            self.epoch = epoch
            self._forget()
        self.taken[seq % WINDOW] = seq
        self.highest = max(self.highest, seq)


class Receiver:
    """Believes what is signed, new and fresh."""

    def __init__(self, trust: Trust) -> None:
        self.trust = trust
        self.stations: dict[int, Station] = {}
        self.events: dict[tuple[int, str], tuple[float, bool]] = {}

    def hear(self, text: bytes, now: float) -> str | None:
        """What to show of a datagram received at `now` (epoch seconds), None if that is known."""
        signer, data = self.trust.open(text)
        if data.get("v") != 1 or whole(data, "station") != signer:
            raise RefusedError("station")
        epoch, seq, sent = whole(data, "epoch"), whole(data, "seq"), number(data, "tx")
        station = self.stations.setdefault(signer, Station())
        station.check(epoch, seq)
        if not -MAX_FUTURE_S <= now - sent <= MAX_AGE_S:
            raise RefusedError("stale" if now > sent else "future")
        station.take(epoch, seq)  # only now: nothing that was refused has changed anything
        if word(data, "kind") == "alert":
            return self._alert(signer, sent, inner(data, "alert"))
        beat = inner(data, "heartbeat")
        count = whole(beat, "active_count")
        return f"HEARTBEAT {word(beat, 'state')}, {count} in force, station {signer}"

    def _alert(self, station: int, sent: float, alert: dict) -> str | None:
        event, status = (station, word(alert, "event_id")), word(alert, "status")
        over = status in ("cancel", "negate")
        began, holds_s = number(alert, "detection_time"), whole(alert, "validity_duration_s")
        version = (number(alert, "reference_time"), over)
        if version <= self.events.get(event, (-1.0, False)):
            return None  # a copy, or a version that a later one overtook
        if not over and sent >= began + holds_s:
            return None
        self.events.pop(event, None)
        self.events[event] = version
        if len(self.events) > MOST_EVENTS:
            del self.events[next(iter(self.events))]
        test = "TEST " if alert.get("test") is True else ""
        place = f"{number(alert, 'lat'):.5f},{number(alert, 'lon'):.5f}"
        return (
            f"ALERT {test}{status} {word(alert, 'type')} {word(alert, 'severity')} {event[1]} "
            f"at {place} within {whole(alert, 'awareness_distance_m')} m, "
            f"holds {holds_s} s from {began:.3f}"
        )


def join(group: str, port: int, interface: str) -> socket.socket:
    """A socket that hears `group`."""
    ears = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ears.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    ears.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    ears.bind((group, port))
    membership = struct.pack("4s4s", socket.inet_aton(group), socket.inet_aton(interface))
    ears.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    return ears


def main() -> None:
    """Hear for ever."""
    arguments = argparse.ArgumentParser(description="Show the alerts that are on the air.")
    arguments.add_argument("truststore")
    arguments.add_argument("place", nargs="?", default="239.20.20.20:5520")
    arguments.add_argument("interface", nargs="?", default="0.0.0.0")  # noqa: S104 - the system's choice
    given = arguments.parse_args()
    group, _, port = given.place.partition(":")
    receiver = Receiver(Trust(given.truststore))
    with join(group, int(port), given.interface) as ears:
        while True:
            text = ears.recv(2048)
            try:
                line = receiver.hear(text, time.time())
            except RefusedError as reason:
                print(f"REFUSED {reason}", file=sys.stderr, flush=True)
            else:
                if line:
                    print(line, flush=True)


if __name__ == "__main__":
    main()
