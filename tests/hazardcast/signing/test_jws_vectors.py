"""Datagrams that any implementation must take or refuse alike; a second JOSE library judges too."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import OctKey, OKPKey

from hazardcast.contract.messages import Datagram
from hazardcast.receiving.datagram_verifier import Accepted, Reception
from hazardcast.signing.envelope import b64url, seal, unb64url
from hazardcast.signing.trust import parse_truststore, signer_of
from hazardcast.testing import MemoryEpochs

VECTORS = json.loads((Path(__file__).parent / "vectors" / "jws.json").read_text(encoding="utf-8"))
KEYS: dict[str, dict[str, str]] = VECTORS["keys"]
PAYLOAD: str = VECTORS["payload"]
CASES = pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
SIGNED_CASES = [
    case for case in VECTORS["cases"] if case["refused"] not in ("unknown_key", "shape")
]
ALGORITHMS = {"ed-1": ["EdDSA", "Ed25519"], "hs-1": ["HS256"]}


@CASES
def test_reception_takes_the_good_and_refuses_the_bad_for_its_reason(case: dict[str, Any]) -> None:
    entries = [
        {"kid": kid, "station": 4097, "state": "active", "jwk": jwk} for kid, jwk in KEYS.items()
    ]
    reception = Reception(parse_truststore({"version": 1, "keys": entries}), MemoryEpochs())
    datagram = Datagram.decode(PAYLOAD)
    verdict = reception.judge(
        case["jws"].encode(), source="10.0.0.1", now=datagram.tx + 0.01, monotonic=1.0
    )
    if case["refused"] is None:
        assert isinstance(verdict, Accepted)
        assert verdict.datagram == datagram
    else:
        assert verdict == case["refused"]


@pytest.mark.parametrize("case", SIGNED_CASES, ids=lambda case: case["name"])
def test_a_second_library_agrees_about_the_signature(case: dict[str, Any]) -> None:
    """It knows nothing of our type and key ids, so only what is about signatures is compared."""
    kid = json.loads(unb64url(case["jws"].split(".")[0]))["kid"]
    if case["refused"]:
        with pytest.raises((JoseError, ValueError)):
            _verified(case["jws"], kid)
    else:
        assert _verified(case["jws"], kid) == PAYLOAD.encode()


def _verified(text: str, kid: str) -> bytes:
    """Verify with joserfc, which warns of `EdDSA` since RFC 9864; we send it as RFC 8037 has it."""
    jwk: Any = {name: value for name, value in KEYS[kid].items() if name != "alg"}
    key = OctKey.import_key(jwk) if jwk["kty"] == "oct" else OKPKey.import_key(jwk)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)
        return jws.deserialize_compact(text, key, algorithms=ALGORITHMS[kid]).payload


def test_our_own_datagrams_are_the_vectors_to_the_byte() -> None:
    """Both algorithms are deterministic (RFC 8032, RFC 2104)."""
    private = {**KEYS["ed-1"], "d": b64url(bytes(range(32)))}
    assert seal(PAYLOAD.encode(), signer_of(private)) == VECTORS["cases"][0]["jws"]
    assert seal(PAYLOAD.encode(), signer_of(KEYS["hs-1"])) == VECTORS["cases"][1]["jws"]
