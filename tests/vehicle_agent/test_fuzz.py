"""Everything that may arrive: nothing raises, and nothing is believed that no trusted key signed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vehicle_agent.sighting import Arrival

from benchmarks.fuzz_receive import Fuzz
from hazardcast.signing.envelope import seal, unb64url
from hazardcast.signing.trust import signer_of
from hazardcast.testing import ManualClock

MANY = settings(max_examples=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
SHARE = st.floats(0, 1, exclude_max=True)


@pytest.fixture
def fuzz(tmp_path: Path) -> Fuzz:
    return Fuzz(tmp_path)


def arrive(fuzz: Fuzz, text: bytes) -> bool:
    clock: ManualClock = fuzz.clock
    clock.advance(0.01)
    verdict = fuzz.agent.receive(
        Arrival(text, "10.0.0.9", "multicast", clock.now(), clock.monotonic())
    )
    return verdict is None


@MANY
@given(text=st.binary(max_size=1500))
def test_noise_is_refused(fuzz: Fuzz, text: bytes) -> None:
    assert not arrive(fuzz, text)
    assert not arrive(fuzz, b"ey" + text)


@MANY
@given(share=SHARE, change=st.integers(1, 255))
def test_an_authentic_datagram_with_any_byte_changed_is_refused(
    fuzz: Fuzz, share: float, change: int
) -> None:
    text = bytearray(fuzz.authentic())
    text[int(share * text.rindex(b"."))] ^= change

    assert not arrive(fuzz, bytes(text))


@MANY
@given(share=SHARE)
def test_a_cut_datagram_is_refused(fuzz: Fuzz, share: float) -> None:
    text = fuzz.authentic()

    assert not arrive(fuzz, text[: int(share * len(text))])


@MANY
@given(name=st.sampled_from(["v", "kind", "station", "epoch", "seq", "tx", "tick", "copy", "alert", "heartbeat"]), value=JSON)  # fmt: skip
def test_any_value_under_a_true_signature_raises_nothing(
    fuzz: Fuzz, name: str, value: object
) -> None:
    said = json.loads(unb64url(fuzz.authentic().split(b".")[1]))
    payload = json.dumps({**said, name: value}).encode("utf-8", "surrogatepass")

    arrive(fuzz, seal(payload, signer_of(fuzz.station.jwk)).encode())


def test_a_long_mix_of_everything_raises_nothing(fuzz: Fuzz) -> None:
    """`make fuzz` goes on for a million."""
    for number in range(5_000):
        fuzz.step(number)

    assert len({reason for _, reason in fuzz.counted}) >= 10, "all kinds of refusals were met"
    assert fuzz.shown > 100
