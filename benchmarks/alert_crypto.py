"""What it costs to seal and to judge a datagram, beside the bare Ed25519 of `cryptography`."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.harness import Figure
from hazardcast.machine.clock import SystemClock
from hazardcast.receiving.datagram_verifier import Accepted, Reception
from hazardcast.signing import trust
from hazardcast.signing.envelope import open_unverified, seal
from hazardcast.testing import MemoryEpochs, SignedStation

ROUNDS = 15
PER_ROUND = 500


def _cost_us(work: Callable[[], object]) -> float:
    """Median over rounds of the time for one, so that a busy moment does not count."""
    rounds = []
    gc.collect()
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(PER_ROUND):
            work()
        rounds.append((time.perf_counter() - started) / PER_ROUND * 1e6)
    return statistics.median(rounds)


def _judging(texts: list[bytes], station: SignedStation) -> Callable[[], object]:
    clock = SystemClock()
    reception = Reception(station.truststore(), MemoryEpochs())
    waiting = iter(texts)

    def judge() -> None:
        verdict = reception.judge(
            next(waiting), source="10.0.0.1", now=clock.now(), monotonic=clock.monotonic(),
            clock_error_s=None,
        )  # fmt: skip
        assert isinstance(verdict, Accepted), verdict

    return judge


def run() -> list[Figure]:
    station = SignedStation()
    alert = station.alert()
    texts = [station.say(alert) for _ in range(ROUNDS * PER_ROUND)]
    envelope = open_unverified(texts[0])
    signer, key = trust.signer_of(station.jwk), Ed25519PrivateKey.generate()
    public, signature = key.public_key(), key.sign(envelope.signed)
    bare_sign = _cost_us(lambda: key.sign(envelope.signed))
    ours_sign = _cost_us(lambda: seal(envelope.payload, signer))
    bare_verify = _cost_us(lambda: public.verify(signature, envelope.signed))
    ours_verify = _cost_us(_judging(texts, station))
    duplicate = Reception(station.truststore(), MemoryEpochs())
    clock = SystemClock()

    def judge_again() -> object:
        return duplicate.judge(
            texts[0], source="10.0.0.1", now=clock.now(), monotonic=clock.monotonic(),
            clock_error_s=None,
        )  # fmt: skip

    judge_again()
    again = _cost_us(judge_again)
    size = {"datagram_bytes": float(len(texts[0]))}
    return [
        Figure("seal a datagram", "µs", ours_sign, bare_sign, "≤ 2 × bare", ours_sign <= 2 * bare_sign, size),
        Figure("judge a datagram", "µs", ours_verify, bare_verify, "≤ 2 × bare", ours_verify <= 2 * bare_verify),
        Figure("judge a duplicate", "µs", again, bare_verify, "≤ ½ × bare", again <= bare_verify / 2),
    ]  # fmt: skip


if __name__ == "__main__":
    for figure in run():
        print(figure)
