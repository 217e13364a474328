"""Attacks over real sockets from a machine of its own: sent, shown (none), counted by reason."""

from __future__ import annotations

import io
import json
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from benchmarks.harness import Child
from benchmarks.loss_matrix import delays_s
from benchmarks.testbed import GROUP, PORT, Testbed
from hazardcast.net.multicast import Group, open_receiver, open_sender
from hazardcast.signing.envelope import Hs256Key, b64url, seal, unb64url
from hazardcast.signing.trust import generate_jwk, signer_of, truststore_entry, write_truststore
from hazardcast.testing import eventually

pytestmark = [pytest.mark.network, pytest.mark.slow]
TURNS = 20
FLOOD_PER_S = 50_000
FLOODER = str(Path(__file__).with_name("flooder.py"))
REASONS = 'hazardcast_datagrams_rejected_total{reason="'
Jwk = dict[str, str]
Forge = Callable[[bytes, int], bytes]
"""A datagram of the station's, and how often it was called → what is sent."""


class Attacker:
    """Two sockets on the vehicles' network: hears every datagram, sends what it likes."""

    def __init__(self, bed: Testbed) -> None:
        group = Group(GROUP, PORT, "eth0")
        self.recorded: list[bytes] = []
        self._receiver = bed.attacker.inside(lambda: open_receiver(group))
        self._sender = bed.attacker.inside(lambda: open_sender(group))
        self._closing, self._station = False, bed.station.address
        self._receiver.settimeout(0.2)
        self._thread = threading.Thread(target=self._record)
        self._thread.start()

    def _record(self) -> None:
        while not self._closing:
            try:
                text, (source, _) = self._receiver.recvfrom(2048)
            except TimeoutError:
                continue
            if source == self._station:
                self.recorded.append(text)

    def close(self) -> None:
        self._closing = True
        self._thread.join()
        self._receiver.close()
        self._sender.close()

    def send(self, text: bytes) -> None:
        self._sender.sendto(text, (GROUP, PORT))

    def has_of(self, road: str, status: str = "new") -> list[bytes]:
        """What it recorded of one alert, as it was sent."""
        about = [(text, claims(text).get("alert") or {}) for text in list(self.recorded)]
        return [text for text, alert in about if (alert.get("road"), alert.get("status")) == (road, status)]  # fmt: skip


def claims(text: bytes) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(unb64url(text.split(b".")[1]))
    return said


def header_of(text: bytes) -> dict[str, str]:
    said: dict[str, str] = json.loads(unb64url(text.split(b".")[0]))
    return said


def invented(text: bytes, turn: int, **changes: object) -> bytes:
    """The payload for an accident that nobody saw, under a number that nobody used."""
    said = claims(text)
    alert = {**said["alert"], "event_id": f"4097-{6660 + turn}", "road": "forged"}
    return json.dumps(
        {**said, "seq": said["seq"] + 5000 + turn, "alert": alert, **changes}
    ).encode()


def signed(jwk: Jwk, **changes: object) -> Forge:
    return lambda text, turn: seal(invented(text, turn, **changes), signer_of(jwk)).encode()


def under_the_stations_id(text: bytes, turn: int) -> bytes:
    return signed({**generate_jwk("EdDSA"), "kid": header_of(text)["kid"]})(text, turn)


def alg_none(text: bytes, turn: int) -> bytes:
    header = json.dumps({**header_of(text), "alg": "none"}).encode()
    return f"{b64url(header)}.{b64url(invented(text, turn))}.".encode()


def hs256_with(public_key: str) -> Forge:
    """Whoever lets the header choose takes the public key for the secret."""
    secret = unb64url(public_key)
    return lambda text, turn: seal(
        invented(text, turn), Hs256Key(header_of(text)["kid"], secret)
    ).encode()


def flipped(text: bytes, turn: int) -> bytes:
    """One bit of the payload is another: that of an unheard sequence number."""
    header, payload, signature = text.split(b".")
    seq = str(claims(text)["seq"])
    number = str(int(seq) ^ 1 << 12 + turn % 8)
    said = unb64url(payload).replace(f'"seq":{seq},'.encode(), f'"seq":{number},'.encode())
    return b".".join([header, b64url(said).encode(), signature])


def truncated(text: bytes, turn: int) -> bytes:
    return text[: 30 + 30 * turn]


def oversized(text: bytes, turn: int) -> bytes:
    return text + b"A" * (1401 - len(text) + 500 * turn)


def noise(_text: bytes, turn: int) -> bytes:
    return random.Random(turn).randbytes(60 * turn)


def report(index: int, **changes: object) -> str:
    place = {"lat": 37.0 + index * 0.01, "lon": 127.0, "road": f"bench-{index}-"}
    about = {"type": "collision", "event_id": f"event-{index}", "distance_m": 100}
    return json.dumps({**about, **place, "clip_hint": False, **changes})


class Siege:
    """A station, a vehicle, an attacker, and the account of what became of the attacks."""

    def __init__(self, bed: Testbed) -> None:
        self.bed = bed
        bed.start_broker()
        self.alerter = bed.start_alerter()
        self.neighbour, self.revoked = generate_jwk("EdDSA"), generate_jwk("EdDSA")
        self.public_key = self._trust_more()
        (self.car,) = bed.cars
        self.lives = [bed.start_vehicle(self.car)]
        bed.wait_ready()
        self.client = bed.publisher()
        self.attacker = Attacker(bed)
        self.rows: list[tuple[str, int, int, str]] = []

    def _trust_more(self) -> str:
        """The vehicles know the key of another station too, and one that was revoked."""
        path = self.bed.data_dir / "keys" / "truststore.json"
        store = json.loads(path.read_text())
        more = [
            truststore_entry(self.neighbour, station=4098, state="active"),
            truststore_entry(self.revoked, station=4097, state="revoked"),
        ]
        write_truststore(path, version=store["version"] + 1, entries=[*store["keys"], *more])
        return str(store["keys"][0]["jwk"]["x"])

    def lines(self, *words: str) -> list[str]:
        lines = [line for life in self.lives for _, line in list(life.lines)]
        return [line for line in lines if all(word in line for word in ("[RECV]", *words))]

    def refusals(self) -> Counter[str]:
        metrics = self.car.metrics()
        return Counter(
            {
                name.removeprefix(REASONS).removesuffix('"}'): int(value)
                for name, value in metrics.items()
                if name.startswith(REASONS)
            }
        )

    def attack(self, name: str, texts: list[bytes], *reasons: str) -> None:
        """Send them; all are to be refused, for one of the reasons, and none is to be shown."""
        before, shown = self.refusals(), len(self.lines())
        for text in texts:
            self.attacker.send(text)

        def gained() -> Counter[str]:
            return Counter({reason: (self.refusals() - before)[reason] for reason in reasons})

        eventually(
            lambda: gained().total() >= len(texts), what=f"{name}: all {len(texts)} are counted"
        )
        assert gained().total() == len(texts) or "duplicate" in reasons, name
        shown = len(self.lines()) - shown
        counted = ", ".join(f"{reason} {count}" for reason, count in gained().items() if count)
        self.rows.append((name, len(texts), shown, counted))

    def table(self) -> str:
        grid = Table("attack", "sent", "shown", "counted as", title="attacks")
        for row in self.rows:
            grid.add_row(*map(str, row))
        console = Console(width=110, record=True, file=io.StringIO())
        console.print(grid)
        return console.export_text()


@pytest.fixture
def siege(make_bed: Callable[[int], Testbed]) -> Iterator[Siege]:
    found = Siege(make_bed(1))
    yield found
    found.attacker.close()


def test_no_attack_is_shown_and_each_is_counted_under_its_reason(siege: Siege) -> None:
    siege.client.publish("v2x/alert", report(1), qos=1)
    eventually(lambda: siege.lines("bench-1-") and len(siege.attacker.has_of("bench-1-")) >= 7)

    forge_everything(siege)
    keep_back_and_reorder(siege)
    replay_after_restarts(siege)

    print(siege.table())
    assert not sum(shown for _, _, shown, _ in siege.rows)
    told = Counter(line.split(" on ")[1].split()[0] for line in siege.lines())
    assert told == {"bench-1-": 1, "bench-2-": 1, "bench-4-": 1}, "each true alert once, no other"


def forge_everything(siege: Siege) -> None:
    """What needs no more than one recorded datagram."""
    genuine = siege.attacker.has_of("bench-1-")[0]
    forgeries: dict[str, tuple[Forge, str]] = {
        "forged, with a key of one's own": (signed(generate_jwk("EdDSA")), "unknown_key"),
        "forged under the station's key id": (under_the_stations_id, "signature"),
        "signed with a revoked key": (signed(siege.revoked), "revoked_key"),
        "signed by another station": (signed(siege.neighbour), "station"),
        "its own station, other contents": (signed(siege.neighbour, station=4098, epoch=9, alert={}), "schema"),
        "downgraded: alg none": (alg_none, "algorithm"),
        "downgraded: HS256 with the public key": (hs256_with(siege.public_key), "algorithm"),
        "one bit flipped": (flipped, "signature"),
        "truncated": (truncated, "shape"),
        "oversized": (oversized, "size"),
        "noise": (noise, "shape"),
    }  # fmt: skip
    for name, (forge, reason) in forgeries.items():
        siege.attack(name, [forge(genuine, turn) for turn in range(TURNS)], reason)
    anywhere = [bytearray(genuine) for _ in range(200)]
    for turn, text in enumerate(anywhere):
        text[len(text) * turn // 200] ^= 1 << turn % 8
    reasons = ("shape", "unknown_key", "algorithm", "station", "signature", "duplicate", "replay")
    siege.attack("one bit flipped, anywhere", [bytes(text) for text in anywhere], *reasons)
    siege.attack("replayed at once", siege.attacker.has_of("bench-1-")[:7], "duplicate")


def keep_back_and_reorder(siege: Siege) -> None:
    """The attacker hears what the vehicle does not, and brings it late or in another order."""
    siege.bed.cut(siege.car, "-s", siege.bed.station.address)
    siege.client.publish("v2x/alert", report(2), qos=1)
    eventually(lambda: len(siege.attacker.has_of("bench-2-")) >= 7)
    kept = siege.attacker.has_of("bench-2-")[:7]
    siege.client.publish("v2x/alert", report(3), qos=1)
    eventually(lambda: len(siege.attacker.has_of("bench-3-")) >= 3)
    siege.client.publish("v2x/alert", report(3, status="cancel"), qos=1)
    eventually(lambda: siege.attacker.has_of("bench-3-", "cancel"))
    end, begin = siege.attacker.has_of("bench-3-", "cancel")[0], siege.attacker.has_of("bench-3-")
    versions = 'hazardcast_alert_versions_total{result="'
    for text in (end, *reversed(begin)):
        siege.attacker.send(text)
    eventually(lambda: siege.car.metrics()[f'{versions}old"}}'] >= len(begin))
    assert siege.car.metrics()[f'{versions}tombstone"}}'] >= 1
    shown = len(siege.lines("bench-3-"))
    counted = f"tombstone 1, old {len(begin)}"
    siege.rows.append(("re-ordered: the end first", 1 + len(begin), shown, counted))
    time.sleep(max(0.0, claims(kept[-1])["tx"] + 2.8 - time.time()))
    siege.attack("stale: kept back for 3 s", kept, "stale")
    siege.bed.mend(siege.car)
    eventually(lambda: siege.lines("NEW", "bench-2-"), what="the alert itself is told after all")


def replay_after_restarts(siege: Siege) -> None:
    """A vehicle that was restarted, then a station that was."""
    recorded = siege.attacker.has_of("bench-1-")
    siege.lives[0].process.send_signal(signal.SIGTERM)
    siege.lives[0].process.wait(15)
    siege.lives.append(siege.bed.start_vehicle(siege.car))
    siege.bed.wait_ready()
    eventually(lambda: siege.car.metrics().get("hazardcast_vehicle_alerts_active") == 2.0)
    siege.attack("replayed after the vehicle's restart", recorded[:7], "replay", "duplicate")
    siege.alerter.process.kill()
    siege.alerter.process.wait(15)
    siege.alerter = siege.bed.start_alerter()
    siege.client.publish("v2x/alert", report(4), qos=1)
    eventually(lambda: siege.lines("NEW", "bench-4-"))
    siege.attack("epoch rolled back", recorded[:7], "epoch")


def flood(bed: Testbed, kind: str, seconds: float) -> Child:
    command = (sys.executable, FLOODER, GROUP, str(PORT), str(seconds), str(FLOOD_PER_S), kind)
    return bed.keep(bed.attacker.spawn(*command))


@pytest.mark.parametrize("kind", ["noise", "jws", "the station's key id"])
def test_an_alert_is_on_every_console_in_time_while_garbage_pours_in(
    kind: str, make_bed: Callable[[int], Testbed]
) -> None:
    """car-1 has multicast alone; the garbage is noise, or well-formed, or begins as the truth does."""
    bed = make_bed(2)
    bed.start_broker()
    bed.start_alerter()
    children = [bed.start_vehicle(car) for car in bed.cars]
    bed.wait_ready()
    bed.cut(bed.cars[0], "-p", "tcp")
    client, published = bed.publisher(), []
    client.publish("v2x/alert", report(99), qos=1)
    for child in children:
        eventually(lambda c=child: any("bench-99-" in line for _, line in c.lines))  # type: ignore[misc]
    before = [_garbage(bed, n) for n in range(2)]

    kid = json.loads((bed.data_dir / "keys" / "station.jwk").read_text())["kid"]
    flooder = flood(bed, kid if kind.startswith("the") else kind, 6.0)
    time.sleep(1.0)
    for index in range(10):
        published.append(time.monotonic())
        client.publish("v2x/alert", report(index), qos=1)
        time.sleep(0.4)
    flooder.process.wait(20)
    eventually(lambda: flooder.lines)

    rate_per_s = float(flooder.lines[0][1])
    refused = [_garbage(bed, n) - before[n] for n in range(2)]
    delays = [delays_s(child, published) for child in children]
    print(
        f"{kind}: {rate_per_s:.0f} datagrams/s; refused {refused}; "
        f"slowest alerts {[f'{max(ds) * 1000:.0f} ms' for ds in delays]}"
    )
    assert rate_per_s > 5_000, "the sender was too slow to make a flood"
    assert min(refused) > 5_000
    assert max(map(max, delays)) <= 0.5
    assert all(len([line for _, line in child.lines if "[RECV]" in line]) == 11 for child in children)  # fmt: skip


def _garbage(bed: Testbed, number: int) -> float:
    """What was refused by reason, and what the kernel dropped for us."""
    metrics = bed.cars[number].metrics()
    refused = sum(value for name, value in metrics.items() if name.startswith(REASONS))
    return refused + metrics["hazardcast_datagrams_dropped_total"]
