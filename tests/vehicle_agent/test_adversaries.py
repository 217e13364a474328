"""Real datagrams on a real group, genuine and forged."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from vehicle_agent import metrics
from vehicle_agent.agent import Agent
from vehicle_agent.announcement import Announcement
from vehicle_agent.memory import Memory
from vehicle_agent.radio import Radio
from vehicle_agent.relevance import Pose

from hazardcast.machine.clock import SystemClock
from hazardcast.net.multicast import Group, open_receiver, open_sender
from hazardcast.receiving.datagram_verifier import Rejection
from hazardcast.signing.envelope import Hs256Key, b64url, seal, unb64url
from hazardcast.signing.trust import generate_jwk, parse_truststore, signer_of
from hazardcast.testing import SignedStation, eventually

pytestmark = pytest.mark.network


class Shown:
    """Notes what is announced."""

    def __init__(self) -> None:
        self.announced: list[Announcement] = []

    def announce(self, announcement: Announcement) -> None:
        self.announced.append(announcement)

    def irrelevant(self, announcement: Announcement) -> None:
        """A cancel of what was never heard: nothing to show."""


class Air:
    """A station, a revoked station, an attacker and one vehicle on one group."""

    def __init__(self, folder: Path) -> None:
        self.station = SignedStation(epoch=1000)
        self.revoked = SignedStation(epoch=1000)
        self.group = Group("239.20.20.20", _free_port(), "127.0.0.1")
        self._sender = open_sender(self.group)
        self._folder = folder
        self.listen()

    def listen(self) -> None:
        entries = [self.station.trust_entry(), self.revoked.trust_entry("revoked")]
        self.shown = Shown()
        self._stop = threading.Event()
        clock = SystemClock()
        self.agent = Agent(
            parse_truststore({"version": 1, "keys": entries}),
            memory=Memory(self._folder),
            reporter=self.shown,
            clock=clock,
            pose=Pose(),
            cruising_mps=20.0,
        )
        self._radio = Radio(
            lambda: open_receiver(self.group),
            "multicast",
            self.agent.receive,
            clock=clock,
            stop=self._stop,
        )
        self._radio.start()
        eventually(lambda: self._radio.listening, what="the vehicle listens")

    def restart_vehicle(self) -> None:
        self.silence()
        memory = Memory(self._folder)
        memory.note(self.agent.marks())
        memory.flush()
        self.listen()

    def silence(self) -> None:
        self._stop.set()
        self._radio.join()

    def send(self, text: bytes) -> None:
        self._sender.sendto(text, (self.group.address, self.group.port))

    def events(self) -> list[str]:
        return [announcement.alert.event_id for announcement in self.shown.announced]

    def refused(self, reason: Rejection) -> float:
        return metrics.REJECTED[reason]._value.get()

    def sends_in_vain(self, text: bytes, reason: Rejection) -> None:
        before, shown = self.refused(reason), len(self.shown.announced)
        self.send(text)
        eventually(lambda: self.refused(reason) > before, what=f"refused as {reason}")
        assert len(self.shown.announced) == shown

    def close(self) -> None:
        self.silence()
        self._sender.close()


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def air(tmp_path: Path) -> Iterator[Air]:
    found = Air(tmp_path)
    yield found
    found.close()


def payload(text: bytes) -> bytes:
    return unb64url(text.split(b".")[1])


def changed(text: bytes, jwk: dict[str, str], **changes: object) -> bytes:
    """The payload with other numbers, signed with `jwk`."""
    return seal(
        json.dumps({**json.loads(payload(text)), **changes}).encode(), signer_of(jwk)
    ).encode()


def alg_none(air: Air, text: bytes) -> bytes:
    header = b64url(
        json.dumps({"alg": "none", "kid": air.station.kid, "typ": "hazardcast+jws"}).encode()
    )
    return f"{header}.{b64url(payload(text))}.".encode()


def flipped(text: bytes) -> bytes:
    """One bit of one letter of the road, the signature as it was."""
    header, said, signature = text.split(b".")
    other = b64url(unb64url(said).replace(b"segment_A", b"segment_C")).encode()
    return b".".join([header, other, signature])


FORGERIES: dict[str, tuple[Rejection, Callable[[Air, bytes], bytes]]] = {
    "forged with a key of the attacker's": (Rejection.UNKNOWN_KEY, lambda air, text: changed(text, generate_jwk("EdDSA"))),
    "forged under the station's key id": (Rejection.SIGNATURE, lambda air, text: changed(text, {**generate_jwk("EdDSA"), "kid": air.station.kid})),
    "signed with a revoked key": (Rejection.REVOKED_KEY, lambda air, text: changed(text, air.revoked.jwk)),
    "alg none": (Rejection.ALGORITHM, alg_none),
    "HS256 with the public key": (Rejection.ALGORITHM, lambda air, text: seal(payload(text), Hs256Key(air.station.kid, unb64url(air.station.jwk["x"]))).encode()),
    "one bit flipped": (Rejection.SIGNATURE, lambda air, text: flipped(text)),
    "cut short": (Rejection.SHAPE, lambda air, text: text[:300]),
    "cut within the signature": (Rejection.SIGNATURE, lambda air, text: text[:-8]),
    "longer than a datagram may be": (Rejection.SIZE, lambda air, text: text + b"A" * 1400),
    "as long as UDP allows": (Rejection.SIZE, lambda air, text: b"A" * 60_000),
    "empty": (Rejection.SHAPE, lambda air, text: b""),
    "noise": (Rejection.SHAPE, lambda air, text: random.Random(1).randbytes(900)),
    "in the name of another station": (Rejection.STATION, lambda air, text: changed(text, air.station.jwk, station=1)),
    "epoch rolled back": (Rejection.EPOCH, lambda air, text: changed(text, air.station.jwk, epoch=999)),
    "kept back for a minute": (Rejection.STALE, lambda air, text: changed(text, air.station.jwk, seq=0, tx=time.time() - 60)),
    "of another version": (Rejection.SCHEMA, lambda air, text: changed(text, air.station.jwk, v=2)),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_counted_under_its_reason_and_never_shown(name: str, air: Air) -> None:
    air.send(air.station.heartbeat())
    eventually(air.agent.marks, what="the link stands")
    reason, forge = FORGERIES[name]
    genuine = air.station.say(air.station.alert())

    air.sends_in_vain(forge(air, genuine), reason)

    air.send(genuine)
    eventually(air.events, what="the genuine alert is shown")
    assert air.events() == ["4097-1"]


def test_a_replay_is_a_duplicate_and_after_a_restart_a_replay(air: Air) -> None:
    recorded = air.station.say(air.station.alert())
    air.send(recorded)
    eventually(air.events)

    air.sends_in_vain(recorded, Rejection.DUPLICATE)
    air.restart_vehicle()
    air.sends_in_vain(recorded, Rejection.REPLAY)


def test_a_burst_out_of_order_is_shown_once(air: Air) -> None:
    alert = air.station.alert()
    texts = [air.station.say(alert, copy=(copy, 7)) for copy in range(7)]
    random.Random(3).shuffle(texts)
    for text in texts:
        air.send(text)
    last = air.station.say(air.station.alert(2))
    air.send(last)

    eventually(lambda: "4097-2" in air.events())

    assert air.events() == ["4097-1", "4097-2"]
    (counters,) = air.agent.counters()
    assert (counters.datagrams_expected, counters.datagrams_unique) == (8, 8)
    assert (counters.ticks_expected, counters.ticks_delivered) == (2, 2)


def test_a_cancel_that_overtakes_its_alert_wins(air: Air) -> None:
    alert = air.station.alert()
    lost = air.station.say(alert)
    end = alert.model_copy(
        update={"status": "cancel", "revision": 1, "reference_time": alert.reference_time + 0.001}
    )
    air.send(air.station.say(end))
    air.send(lost)
    air.send(air.station.say(air.station.alert(2)))

    eventually(air.events)

    assert air.events() == ["4097-2"]


def test_a_true_alert_is_shown_through_a_flood_of_forgeries_from_its_own_address(air: Air) -> None:
    """Well-formed, with the station's key id, unseen numbers: each costs a signature check."""
    air.send(air.station.heartbeat())
    attacker = {**generate_jwk("EdDSA"), "kid": air.station.kid}
    text = air.station.say(air.station.alert(99))
    for seq in range(400):
        air.send(changed(text, attacker, seq=10_000 + seq))

    air.send(air.station.say(air.station.alert()))

    eventually(air.events, what="the true alert is shown")
    assert air.events() == ["4097-1"]
