from __future__ import annotations

import base64
import json
import random
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.receiving.datagram_verifier import Accepted, Reception, Rejection
from hazardcast.receiving.replay_window import Window
from hazardcast.receiving.sliding_bitmap import WINDOW
from hazardcast.receiving.token_bucket import FAILURES_BURST, MAX_SOURCES, RateLimit
from hazardcast.signing.envelope import Hs256Key, b64url, seal, unb64url
from hazardcast.signing.trust import generate_jwk, parse_truststore, signer_of
from hazardcast.testing import ManualClock, MemoryEpochs, SignedStation

JUNK = st.binary(max_size=1500) | st.text(max_size=200).map(str.encode)


class Receiver:
    """A `Reception` at a clock, so that a test reads as what it says."""

    def __init__(self, station: SignedStation, clock: ManualClock, **options: object) -> None:
        self.clock = clock
        self.epochs = MemoryEpochs()
        self.reception = Reception(
            options.pop("trust", station.truststore()), self.epochs, **options  # type: ignore[arg-type]
        )  # fmt: skip

    def hear(self, text: bytes, *, source: str = "10.0.0.1", error_s: float | None = 0.0) -> object:
        verdict = self.reception.judge(
            text,
            source=source,
            now=self.clock.now(),
            monotonic=self.clock.monotonic(),
            clock_error_s=error_s,
        )
        return Accepted if isinstance(verdict, Accepted) else verdict


@pytest.fixture
def station(clock: ManualClock) -> SignedStation:
    return SignedStation(clock=clock, epoch=1000)


@pytest.fixture
def receiver(station: SignedStation, clock: ManualClock) -> Receiver:
    return Receiver(station, clock)


def test_a_genuine_alert_is_accepted_once(station: SignedStation, receiver: Receiver) -> None:
    text = station.say(station.alert())

    assert receiver.hear(text) is Accepted
    assert receiver.hear(text) is Rejection.DUPLICATE


def test_an_accepted_datagram_comes_with_its_content_and_key(
    station: SignedStation, receiver: Receiver, clock: ManualClock
) -> None:
    alert = station.alert(road="segment_B")

    verdict = receiver.reception.judge(
        station.say(alert), source="s", now=clock.now(), monotonic=clock.monotonic()
    )

    assert isinstance(verdict, Accepted)
    assert verdict.datagram.alert == alert
    assert verdict.fresh
    assert verdict.kid == station.kid


def resign(text: bytes, change: Callable[[dict[str, object]], None], jwk: dict[str, str]) -> bytes:
    """The datagram with its payload changed and signed anew with `jwk`."""
    payload = json.loads(unb64url(text.split(b".")[1]))
    change(payload)
    return seal(json.dumps(payload).encode(), signer_of(jwk)).encode()


def with_header(text: bytes, **changes: object) -> bytes:
    """The datagram with its header changed, signature as it was."""
    header, payload, signature = text.split(b".")
    fields = {**json.loads(unb64url(header)), **changes}
    return b".".join([b64url(json.dumps(fields).encode()).encode(), payload, signature])


def hs256_with_the_public_key(text: bytes, station: SignedStation) -> bytes:
    """The classic confusion: the public key, which everyone has, taken for an HMAC secret."""
    return seal(
        unb64url(text.split(b".")[1]), Hs256Key(station.kid, unb64url(station.jwk["x"]))
    ).encode()


def flip_bit(text: bytes, position: int) -> bytes:
    changed = bytearray(text)
    changed[position] ^= 0x01
    return bytes(changed)


FORGERIES: dict[str, tuple[Rejection, Callable[[bytes, SignedStation], bytes]]] = {
    "alg none": (Rejection.ALGORITHM, lambda text, _: with_header(text, alg="none")),
    "HS256 with the public key": (Rejection.ALGORITHM, hs256_with_the_public_key),
    "unknown key": (Rejection.UNKNOWN_KEY, lambda text, _: resign(text, lambda _: None, generate_jwk("EdDSA"))),
    "another key under our id": (Rejection.SIGNATURE, lambda text, s: resign(text, lambda _: None, {**generate_jwk("EdDSA"), "kid": s.kid})),
    "content changed": (Rejection.SIGNATURE, lambda text, _: text.replace(text.split(b".")[1], b64url(unb64url(text.split(b".")[1]).replace(b'"high"', b'"lows"')).encode())),
    "signature emptied": (Rejection.SIGNATURE, lambda text, _: text[: text.rindex(b".") + 1]),
    "signature cut short": (Rejection.SIGNATURE, lambda text, _: text[:-4]),
    "cut short": (Rejection.SHAPE, lambda text, _: text[: len(text) // 2]),
    "too long": (Rejection.SIZE, lambda text, _: text + b"A" * 1400),
    "not base64url": (Rejection.SHAPE, lambda text, _: text.replace(b".", b".!", 1)),
    "one bit of the payload": (Rejection.SIGNATURE, lambda text, _: flip_bit(text, text.index(b".") + text.split(b".")[1].index(b"Y29"))),
    "another station's number": (Rejection.STATION, lambda text, s: resign(text, lambda p: p.update(station=1), s.jwk)),
    "an earlier epoch": (Rejection.EPOCH, lambda text, s: resign(text, lambda p: p.update(epoch=999), s.jwk)),
    "sent 3 s ago": (Rejection.STALE, lambda text, s: resign(text, lambda p: p.update(tx=p["tx"] - 3), s.jwk)),  # type: ignore[operator]
    "sent in 1 s": (Rejection.FUTURE, lambda text, s: resign(text, lambda p: p.update(tx=p["tx"] + 1), s.jwk)),  # type: ignore[operator]
    "alert without type": (Rejection.SCHEMA, lambda text, s: resign(text, lambda p: p["alert"].pop("type"), s.jwk)),  # type: ignore[attr-defined]
    "control character": (Rejection.SCHEMA, lambda text, s: resign(text, lambda p: p["alert"].update(road="\x1b[2J"), s.jwk)),  # type: ignore[attr-defined]
    "sequence number a text": (Rejection.SHAPE, lambda text, s: resign(text, lambda p: p.update(seq="5"), s.jwk)),
    "sequence number beyond all bounds": (Rejection.SHAPE, lambda text, s: resign(text, lambda p: p.update(seq=2**63), s.jwk)),
    "time of infinity": (Rejection.SHAPE, lambda text, s: resign(text, lambda p: p.update(tx=float("inf")), s.jwk)),
    "time of four hundred digits": (Rejection.SHAPE, lambda text, s: resign(text, lambda p: p.update(tx=10**400, alert=None), s.jwk)),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_what_is_not_genuine_is_refused_for_its_reason(
    name: str, station: SignedStation, receiver: Receiver
) -> None:
    reason, forge = FORGERIES[name]
    genuine = station.say(station.alert())
    receiver.hear(station.heartbeat())

    assert receiver.hear(forge(genuine, station)) is reason
    assert receiver.hear(genuine) is Accepted, "and it did not spoil the genuine one"


def test_a_revoked_key_is_refused_and_a_retired_one_is_not(clock: ManualClock) -> None:
    station = SignedStation(clock=clock)
    text = station.say(station.alert())

    assert (
        Receiver(station, clock, trust=station.truststore("revoked")).hear(text)
        is Rejection.REVOKED_KEY
    )
    assert Receiver(station, clock, trust=station.truststore("retired")).hear(text) is Accepted
    assert Receiver(station, clock, trust=station.truststore("next")).hear(text) is Accepted


def test_a_key_revoked_while_listening_is_refused_from_then_on(
    station: SignedStation, receiver: Receiver
) -> None:
    assert receiver.hear(station.heartbeat()) is Accepted

    receiver.reception.trust(station.truststore("revoked"))

    assert receiver.hear(station.heartbeat()) is Rejection.REVOKED_KEY


def test_a_shared_secret_works_where_the_trust_store_says_so(clock: ManualClock) -> None:
    station = SignedStation(clock=clock, jwk=generate_jwk("HS256"))

    assert Receiver(station, clock).hear(station.heartbeat()) is Accepted


def test_two_stations_are_kept_apart(station: SignedStation, clock: ManualClock) -> None:
    other = SignedStation(clock=clock, station=4098, epoch=5)
    trust = parse_truststore({"version": 1, "keys": [station.trust_entry(), other.trust_entry()]})
    receiver = Receiver(station, clock, trust=trust)

    assert receiver.hear(station.heartbeat()) is Accepted
    assert receiver.hear(other.heartbeat()) is Accepted
    assert receiver.epochs.epochs == {4097: 1000, 4098: 5}


def changed(into: dict[str, int], payload: dict[str, object]) -> None:
    payload.update(into)


def test_nothing_changes_before_the_signature_holds(
    station: SignedStation, receiver: Receiver
) -> None:
    """A forged epoch or sequence number must not shut the genuine station out."""
    genuine = station.say(station.alert())
    for forged in ({"epoch": 9_999_999}, {"seq": 9_999_999}):
        other_key = {**generate_jwk("EdDSA"), "kid": station.kid}
        text = resign(genuine, partial(changed, forged), other_key)
        assert receiver.hear(text) is Rejection.SIGNATURE

    assert receiver.epochs.epochs == {}
    assert receiver.hear(genuine) is Accepted


def test_datagrams_out_of_order_are_accepted_within_the_window(
    station: SignedStation, receiver: Receiver
) -> None:
    texts = [station.heartbeat() for _ in range(50)]
    random.Random(7).shuffle(texts)

    assert {receiver.hear(text) for text in texts} == {Accepted}
    assert {receiver.hear(text) for text in texts} == {Rejection.DUPLICATE}


def test_a_datagram_older_than_the_window_is_a_replay(
    station: SignedStation, receiver: Receiver
) -> None:
    late = station.heartbeat()
    station.seq += WINDOW
    receiver.hear(station.heartbeat())

    assert receiver.hear(late) is Rejection.REPLAY


def test_a_new_epoch_is_kept_at_once_and_ends_the_old_one(
    station: SignedStation, receiver: Receiver
) -> None:
    before = station.heartbeat()
    station.epoch, station.seq = 1001, 0

    assert receiver.hear(station.heartbeat()) is Accepted
    assert receiver.epochs.epochs == {4097: 1001}
    assert receiver.hear(before) is Rejection.EPOCH


def test_after_a_restart_nothing_heard_before_it_is_accepted_again(
    station: SignedStation, receiver: Receiver, clock: ManualClock
) -> None:
    heard, lost = station.heartbeat(), station.heartbeat()
    last = station.heartbeat()
    receiver.hear(heard)
    receiver.hear(last)
    restarted = Receiver(station, clock)
    restarted.reception.resume(receiver.reception.high_water())

    assert restarted.hear(heard) is Rejection.REPLAY
    assert restarted.hear(lost) is Rejection.REPLAY
    assert restarted.hear(last) is Rejection.REPLAY
    assert restarted.hear(station.heartbeat()) is Accepted
    window = restarted.reception.window(4097)
    assert window is not None
    assert (window.expected, window.unique) == (1, 1), "what came before is not a loss"


def test_a_known_clock_error_widens_freshness(station: SignedStation, receiver: Receiver) -> None:
    text = station.heartbeat()
    receiver.clock.advance(2.4)

    assert receiver.hear(text) is Rejection.STALE
    assert receiver.hear(text, error_s=0.5) is Accepted


def test_without_a_known_clock_freshness_is_not_judged(
    station: SignedStation, receiver: Receiver
) -> None:
    text = station.heartbeat()
    receiver.clock.step(-3600)

    assert receiver.hear(text) is Rejection.FUTURE
    assert receiver.hear(text, error_s=None) is Accepted


def test_the_witness_hears_of_authentic_datagrams_only(
    station: SignedStation, clock: ManualClock
) -> None:
    heard: list[tuple[int, float]] = []
    receiver = Receiver(station, clock, witness=lambda number, tx: heard.append((number[0], tx)))
    late, sent = station.heartbeat(), clock.now()
    clock.advance(60)

    receiver.hear(resign(late, lambda _: None, {**generate_jwk("EdDSA"), "kid": station.kid}))
    assert heard == []
    assert receiver.hear(late) is Rejection.STALE
    assert heard == [(4097, sent)]


def forged(station: SignedStation) -> bytes:
    jwk = {**generate_jwk("EdDSA"), "kid": station.kid}
    return resign(station.say(station.alert()), lambda p: p.update(seq=10**6), jwk)


def test_a_flood_of_forgeries_is_cut_off_and_the_station_still_heard(
    station: SignedStation, receiver: Receiver
) -> None:
    text = forged(station)

    verdicts = Counter(receiver.hear(text, source="10.0.0.66") for _ in range(5000))

    assert verdicts[Rejection.SIGNATURE] == FAILURES_BURST
    assert verdicts[Rejection.RATE] == 5000 - FAILURES_BURST
    assert receiver.hear(station.heartbeat(), source="10.0.0.1") is Accepted


def test_a_station_may_say_as_much_as_it_likes(station: SignedStation, receiver: Receiver) -> None:
    assert {receiver.hear(station.heartbeat()) for _ in range(1500)} == {Accepted}


def test_a_proven_station_is_heard_through_a_flood_from_forged_addresses(
    station: SignedStation, receiver: Receiver
) -> None:
    assert receiver.hear(station.heartbeat()) is Accepted
    text = forged(station)

    verdicts = Counter(receiver.hear(text, source=f"10.9.{n >> 8}.{n & 255}") for n in range(6000))

    assert verdicts[Rejection.RATE] > 0, "strangers share one budget"
    assert receiver.hear(station.heartbeat()) is Accepted


def test_the_rate_limit_recovers_and_its_memory_is_bounded() -> None:
    rate = RateLimit(per_s=10, burst=2)

    assert [rate.allows("a", 0.0) for _ in range(3)] == [True, True, False]
    assert rate.allows("a", 1.0)
    for number in range(MAX_SOURCES + 500):
        rate.allows(str(number), 2.0)
    assert len(rate._buckets) == MAX_SOURCES


@given(JUNK)
def test_no_bytes_whatever_break_reception(text: bytes) -> None:
    clock = ManualClock()
    assert Receiver(SignedStation(clock=clock), clock).hear(text) in set(Rejection)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["v", "kind", "station", "epoch", "seq", "tx", "tick", "copy", "alert", "heartbeat"]), inner, max_size=8), max_leaves=12))  # fmt: skip
def test_no_signed_payload_whatever_breaks_reception(payload: object) -> None:
    clock = ManualClock()
    station = SignedStation(clock=clock)
    text = seal(json.dumps(payload).encode(), signer_of(station.jwk)).encode()

    assert Receiver(station, clock).hear(text, error_s=None) in {Accepted, *Rejection}


def test_two_hundred_thousand_mutations_are_all_refused(clock: ManualClock) -> None:
    """Whatever is done to a genuine datagram, only the genuine bytes are believed.

    The last character of the signature is left alone: two of its bits say nothing (RFC 4648 §3.5).
    """
    station = SignedStation(clock=clock)
    receiver = Receiver(station, clock, rate=RateLimit(per_s=1e9, burst=1e9))
    assert receiver.hear(station.heartbeat()) is Accepted, "so that it is no stranger"
    genuine = station.say(station.alert())
    chance = random.Random(20250815)
    verdicts: Counter[object] = Counter()
    for _ in range(MUTATIONS):
        mutant = bytearray(genuine)
        for _ in range(chance.randint(1, 3)):
            position = chance.randrange(len(mutant) - 2)
            match chance.randrange(4):
                case 0:
                    mutant[position] ^= 1 << chance.randrange(8)
                case 1:
                    del mutant[position : position + chance.randint(1, 40)]
                case 2:
                    mutant[position:position] = chance.randbytes(chance.randint(1, 40))
                case _:
                    mutant[position] = chance.randrange(256)
        if bytes(mutant[:-1]) != genuine[:-1]:
            verdicts[receiver.hear(bytes(mutant))] += 1

    assert Accepted not in verdicts
    assert verdicts[Rejection.SHAPE] > 0
    assert verdicts[Rejection.SIGNATURE] > 0
    assert receiver.hear(genuine) is Accepted


MUTATIONS = 200_000


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=200))
def test_the_window_agrees_with_a_plain_set(numbers: list[int]) -> None:
    window = Window(1, numbers[0])
    taken = {numbers[0]}
    for number in numbers[1:]:
        too_old = max(taken) - number >= WINDOW
        assert window.seen(number) == (number in taken or too_old)
        if not window.seen(number):
            window.take(number)
            taken.add(number)

    assert window.unique == len(taken)
    assert window.expected == max(taken) - min(taken) + 1


def test_a_public_key_in_hexadecimal_is_no_secret_either(
    station: SignedStation, receiver: Receiver
) -> None:
    public = Ed25519PrivateKey.from_private_bytes(unb64url(station.jwk["d"])).public_key()
    for secret in (
        public.public_bytes_raw().hex().encode(),
        base64.b64encode(public.public_bytes_raw()),
    ):
        text = seal(b'{"station":4097,"epoch":1,"seq":1,"tx":1}', Hs256Key(station.kid, secret))
        assert receiver.hear(text.encode()) is Rejection.ALGORITHM
