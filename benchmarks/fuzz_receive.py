"""`python -m benchmarks.fuzz_receive [INPUTS] [SEED]`: everything that may arrive at a vehicle, at random.

Noise, authentic datagrams changed at random, cut short, forged with every trick at once, and contents
at random under a signature that holds go through the whole of a vehicle's judgement: envelope,
keys, window, clock, life-cycle, line, log and receipt. What is held all the while: nothing raises,
nothing is believed that no trusted key signed, memory does not grow.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from vehicle_agent.agent import Agent
from vehicle_agent.alert_log import AlertLog
from vehicle_agent.announcement import Announcement, alert_line
from vehicle_agent.memory import Memory
from vehicle_agent.receipts import Reading, receipt
from vehicle_agent.relevance import Pose
from vehicle_agent.sighting import Arrival

from hazardcast.contract.messages import Alert
from hazardcast.signing.envelope import TYPE, Hs256Key, b64url, seal, unb64url
from hazardcast.signing.trust import generate_jwk, parse_truststore, signer_of, truststore_entry
from hazardcast.testing import ManualClock, SignedStation

GROWTH_ALLOWED_MB = 16.0
RECENT = 64
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**70), 10**400, 0.0, -0.0, 1e308, -1e308,
    float("nan"), float("inf"), "", "0", "nan", "x" * 500, "\x00", "\x1b[2J", "\ud800", "\uff14\uff10",
    "=cmd()", [], [[]], {}, {"": {}}, [0] * 50, "4097-1", "new", "cancel", "negate", "fire", [0, 7],
)  # fmt: skip
"""Values that break what trusts them."""


class Showing:
    """Does with an announcement what the vehicle does, on this thread."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self._log, self._clock = AlertLog(folder, max_bytes=100_000), clock
        self.shown = 0

    def announce(self, announcement: Announcement) -> None:
        self.shown += 1
        line = alert_line(announcement, self._clock.now())
        if "\n" in line or "\x1b" in line:
            raise ValueError(f"a line that is more than a line: {line!r}")
        self._log.append(announcement, self._clock.now())
        self._acknowledge(announcement)

    def irrelevant(self, announcement: Announcement) -> None:
        self._acknowledge(announcement)

    def _acknowledge(self, announcement: Announcement) -> None:
        now = Reading(self._clock.now(), self._clock.monotonic())
        proof = receipt("car", announcement, result="displayed", dealt=now, published=now)
        if proof is not None:
            proof.encode()


class Fuzz:
    """A station, its imitators, and one vehicle that hears them all."""

    def __init__(self, folder: Path, *, seed: int = 1) -> None:
        self.chance = random.Random(seed)
        self.clock = ManualClock()
        self.station = SignedStation(clock=self.clock)
        self.neighbour = SignedStation(clock=self.clock, station=4098, jwk=generate_jwk("HS256"))
        self.revoked = generate_jwk("EdDSA")
        self._folder = folder
        self._showing = Showing(folder, self.clock)
        self._store = parse_truststore(
            {
                "version": 1,
                "keys": [
                    self.station.trust_entry(),
                    self.neighbour.trust_entry(),
                    truststore_entry(self.revoked, station=4097, state="revoked"),
                ],
            }
        )
        self.recent: list[bytes] = [self.authentic()]
        self.counted: Counter[tuple[str, str]] = Counter()
        self.restart()
        self.kinds: tuple[tuple[str, Callable[[], bytes]], ...] = (
            ("noise", self.noise),
            ("changed", self.changed),
            ("cut short", self.cut_short),
            ("forged", self.forged),
            ("odd header", self.odd_header),
            ("odd contents, signed", self.odd_contents),
            ("authentic", self.authentic),
            ("replayed", self.replayed),
        )

    @property
    def shown(self) -> int:
        return self._showing.shown

    def restart(self) -> None:
        """The vehicle starts anew with what it kept."""
        self.memory = Memory(self._folder / "state")
        self.agent = Agent(
            self._store, memory=self.memory, reporter=self._showing, clock=self.clock,
            pose=Pose(37.12, 127.12, 90.0), cruising_mps=20.0,
        )  # fmt: skip

    # -- what arrives

    def noise(self) -> bytes:
        text = self.chance.randbytes(int(1500 * self.chance.random() ** 3))
        return b"ey" + text if self.chance.random() < 0.3 else text

    def changed(self) -> bytes:
        """An authentic datagram with some bytes flipped, put in or left out."""
        text = bytearray(self.replayed())
        for _ in range(self.chance.randint(1, 4)):
            at = self.chance.randrange(len(text) + 1)
            what = self.chance.randrange(3)
            if what == 0 and at < len(text):
                text[at] ^= 1 << self.chance.randrange(8)
            elif what == 1:
                text[at:at] = self.chance.randbytes(self.chance.randint(1, 8))
            else:
                del text[at : at + self.chance.randint(1, 8)]
        return bytes(text)

    def cut_short(self) -> bytes:
        text = self.replayed()
        return text[: self.chance.randrange(len(text))]

    def forged(self) -> bytes:
        """Contents as they should be, under a key or an algorithm that should not be."""
        payload = unb64url(self.replayed().split(b".")[1])
        said = json.loads(payload)
        said["seq"] += self.chance.randrange(1, 3000)
        payload = json.dumps(said).encode()
        match self.chance.randrange(4):
            case 0:
                return seal(payload, signer_of(self.revoked)).encode()
            case 1:
                secret = unb64url(self.station.jwk["x"])
                return seal(payload, Hs256Key(self.station.kid, secret)).encode()
            case 2:
                header = {"alg": "none", "kid": self.station.kid, "typ": TYPE}
                return f"{b64url(json.dumps(header).encode())}.{b64url(payload)}.".encode()
            case _:
                text = seal(payload, signer_of(self.station.jwk))
                return (text[: text.rindex(".") + 1] + b64url(self.chance.randbytes(64))).encode()

    def odd_header(self) -> bytes:
        header: Any = {"alg": "EdDSA", "kid": self.station.kid, "typ": TYPE}
        header[self.chance.choice(("alg", "kid", "typ", "crit", "b64", "jwk"))] = self._odd()
        _, payload, signature = self.replayed().split(b".")
        return b".".join([b64url(_json(header)).encode(), payload, signature])

    def odd_contents(self) -> bytes:
        """What only a station gone mad would sign."""
        said = json.loads(unb64url(self.authentic().split(b".")[1]))
        for _ in range(self.chance.randint(1, 3)):
            self._make_odd(said)
        jwk = self.chance.choice((self.station.jwk, self.neighbour.jwk))
        if isinstance(epoch := said.get("epoch"), int) and epoch > self.station.epoch:
            said["epoch"] = self.station.epoch  # else nothing of the station is believed any more
        return seal(_json(said), signer_of(jwk)).encode()

    def authentic(self) -> bytes:
        station = self.chance.choice((self.station, self.neighbour))
        if self.chance.random() < 0.1:
            text = station.heartbeat(active_count=self.chance.randrange(3))
        else:
            text = station.say(self._alert(station), copy=(self.chance.randrange(7), 7))
        if len(self.__dict__.get("recent", ())) >= RECENT:
            self.recent[self.chance.randrange(RECENT)] = text
        elif "recent" in self.__dict__:
            self.recent.append(text)
        return text

    def replayed(self) -> bytes:
        return self.chance.choice(self.recent)

    def _alert(self, station: SignedStation) -> Alert:
        number = self.chance.randrange(10) if self.chance.random() < 0.7 else station.seq
        status = self.chance.choice(("new", "new", "update", "cancel", "negate"))
        return station.alert(
            number, status=status, lat=37.1 + self.chance.random() / 10,
            validity_duration_s=self.chance.choice((1, 60, 900)),
        )  # fmt: skip

    def _make_odd(self, said: Any) -> None:
        """One value of the payload, however deep, becomes another, or goes."""
        while deeper := [name for name, value in said.items() if value and isinstance(value, dict)]:
            if self.chance.random() < 0.2:
                break
            said = said[self.chance.choice(deeper)]
        name = self.chance.choice([*said, "new"])
        if self.chance.random() < 0.2:
            said.pop(name, None)
        else:
            said[name] = self._odd()

    def _odd(self) -> Any:
        return self.chance.choice(ODD)

    # -- what becomes of it

    def step(self, number: int) -> None:
        name, make = self.kinds[self.chance.randrange(len(self.kinds))]
        text = make()
        self.clock.advance(self.chance.random() * 0.02)
        verdict = self.agent.receive(
            Arrival(
                text,
                f"10.{self.chance.randrange(256)}.{self.chance.randrange(256)}.1",
                self.chance.choice(("multicast", "unicast", "mqtt")),
                self.clock.now(),
                self.clock.monotonic(),
            )
        )
        if verdict is None and not self._signed(text):
            raise AssertionError(f"{name}: believed, and no trusted key signed it: {text!r}")
        self.counted[name, "believed" if verdict is None else verdict.value] += 1
        if number % 50 == 0:
            self.agent.check(self.chance.choice((None, None, 0.01)))
        if number % 5_000 == 0:
            self._live_on()

    def _signed(self, text: bytes) -> bool:
        """By a look of its own: the exact signature that the key makes over these bytes."""
        header, payload, signature = text.split(b".")
        jwks = (self.station.jwk, self.neighbour.jwk)
        made = [signer_of(jwk).sign(header + b"." + payload) for jwk in jwks]
        return unb64url(signature) in made

    def _live_on(self) -> None:
        """Set the clock, keep what must be kept, start anew."""
        self.clock.step(self.chance.choice((0.0, 0.0, 5.0, -5.0)))
        self.memory.note(self.agent.marks())
        self.memory.flush()
        if (alerts := self.agent.changes()) is not None:
            self.memory.save_alerts(alerts)
        if self.chance.random() < 0.2:
            self.restart()
        self.station.epoch = self.neighbour.epoch = self.station.epoch + 1


def _json(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


def main(inputs: int = 1_000_000, seed: int = 1) -> None:
    process, started = psutil.Process(), time.monotonic()
    warm, rss_mb = inputs // 5, 0.0
    with tempfile.TemporaryDirectory() as folder:
        fuzz = Fuzz(Path(folder), seed=seed)
        for number in range(inputs):
            fuzz.step(number)
            if number == warm:
                rss_mb = process.memory_info().rss / 1e6
            if number % 100_000 == 0:
                print(f"{number} …", file=sys.stderr, flush=True)
    grown_mb = process.memory_info().rss / 1e6 - rss_mb
    for name, _ in fuzz.kinds:
        reasons = sorted((why, n) for (kind, why), n in fuzz.counted.items() if kind == name)
        print(f"{name}: {sum(n for _, n in reasons)}")
        print("    " + ", ".join(f"{why} {n}" for why, n in reasons))
    took_s = time.monotonic() - started
    print(
        f"{inputs} inputs in {took_s:.0f} s, seed {seed}: none raised, none was believed that no "
        f"trusted key signed; {fuzz.shown} lines; memory {rss_mb:.0f} MB after {warm}, "
        f"{grown_mb:+.1f} MB at the end"
    )
    if grown_mb > GROWTH_ALLOWED_MB:
        sys.exit("memory grew")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
