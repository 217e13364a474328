from __future__ import annotations

import contextlib
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OKPKey

from hazardcast.contract.errors import DecodeError
from hazardcast.signing.envelope import (
    Ed25519Signer,
    Ed25519Verifier,
    Hs256Key,
    b64url,
    open_unverified,
    seal,
    unb64url,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = Ed25519Signer("k1", KEY)
VERIFIER = Ed25519Verifier(KEY.public_key())
HEADER = b64url(b'{"alg":"EdDSA","kid":"k1","typ":"hazardcast+jws"}')


@given(st.binary(max_size=900))
def test_what_is_sealed_opens_to_the_same_bytes_and_verifies(payload: bytes) -> None:
    envelope = open_unverified(seal(payload, SIGNER).encode())

    assert (envelope.kid, envelope.alg, envelope.payload) == ("k1", "EdDSA", payload)
    assert VERIFIER.verify(envelope.signed, envelope.signature)


def test_a_known_key_and_payload_give_a_known_text() -> None:
    """Ed25519 is deterministic (RFC 8032), so this vector holds for any implementation."""
    assert seal(b'{"v":1}', SIGNER) == (
        "eyJhbGciOiJFZERTQSIsImtpZCI6ImsxIiwidHlwIjoiaGF6YXJkY2FzdCtqd3MifQ"
        ".eyJ2IjoxfQ"
        ".baEUnHCWWxCpr83uWOpVcTvItZqO9lBm95enRYXPx86bHu73ohQrHyebmEPbK0x3ESFwL_G3_lBEfwz0sxJPDg"
    )


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # RFC 9864 names it Ed25519 since 2025
def test_other_libraries_verify_our_datagrams() -> None:
    sealed = seal(b'{"v":1,"kind":"alert"}', SIGNER)

    assert (
        jwt.api_jws.decode(sealed, KEY.public_key(), algorithms=["EdDSA"])
        == b'{"v":1,"kind":"alert"}'
    )
    key = OKPKey.import_key(
        {"kty": "OKP", "crv": "Ed25519", "x": b64url(KEY.public_key().public_bytes_raw())}
    )
    assert (
        jws.deserialize_compact(sealed, key, algorithms=["EdDSA"]).payload
        == b'{"v":1,"kind":"alert"}'
    )


def test_other_libraries_datagrams_verify_here() -> None:
    foreign = jwt.api_jws.encode(
        b'{"v":1}', KEY, algorithm="EdDSA", headers={"kid": "k1", "typ": "hazardcast+jws"}
    )

    envelope = open_unverified(foreign.encode())

    assert VERIFIER.verify(envelope.signed, envelope.signature)


def test_a_shared_secret_signs_and_verifies_as_other_libraries_do() -> None:
    key = Hs256Key("s1", b"s" * 32)
    sealed = seal(b"{}", key)
    envelope = open_unverified(sealed.encode())

    assert jwt.api_jws.decode(sealed, b"s" * 32, algorithms=["HS256"]) == b"{}"
    assert key.verify(envelope.signed, envelope.signature)
    assert not key.verify(envelope.signed, envelope.signature[:-1])


@pytest.mark.parametrize("position", range(0, 200, 7))
def test_any_changed_byte_breaks_shape_or_signature(position: int) -> None:
    text = bytearray(seal(b'{"v":1,"text":"' + b"x" * 60 + b'"}', SIGNER).encode())
    position %= len(text) - 90  # header and payload; the signature's own text has slack bits
    text[position] ^= 0x01
    try:
        envelope = open_unverified(bytes(text))
    except DecodeError:
        return

    assert not VERIFIER.verify(envelope.signed, envelope.signature)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "EdDSA", "kid": "k1"},
        {"alg": "EdDSA", "kid": "k1", "typ": "JWT"},
        {"alg": "EdDSA", "typ": "hazardcast+jws"},
        {"kid": "k1", "typ": "hazardcast+jws"},
        {"alg": None, "kid": "k1", "typ": "hazardcast+jws"},
        {"alg": "EdDSA", "kid": 1, "typ": "hazardcast+jws"},
        {"alg": "EdDSA", "kid": "k1", "typ": "hazardcast+jws", "crit": ["exp"]},
        ["EdDSA", "k1"],
        "EdDSA",
    ],
)
def test_a_header_that_is_not_ours_is_refused(header: object) -> None:
    text = f"{b64url(json.dumps(header).encode())}.e30.AAAA"

    with pytest.raises(DecodeError):
        open_unverified(text.encode())


@pytest.mark.parametrize(
    "text",
    [b"", b".", b"..", b"a.b", b"a.b.c.d", b"\xff.\xff.\xff", b"e30.e30.e30", HEADER.encode() + b".e3=.AAAA", HEADER.encode() + b".e+/0.AAAA", HEADER.encode() + b".e3 0.AAAA", HEADER.encode() + b".A.AAAA"],
)  # fmt: skip
def test_what_is_not_three_parts_of_base64url_is_refused(text: bytes) -> None:
    with pytest.raises(DecodeError):
        open_unverified(text)


@given(st.binary(max_size=1600))
def test_no_bytes_whatever_break_the_reader(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        open_unverified(data)


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_no_header_or_payload_whatever_breaks_the_reader(header: bytes, payload: bytes) -> None:
    with contextlib.suppress(DecodeError):
        open_unverified(f"{b64url(header)}.{b64url(payload)}.AAAA".encode())


@given(st.binary(max_size=200))
def test_base64url_comes_back_as_it_was(data: bytes) -> None:
    assert unb64url(b64url(data)) == data


@pytest.mark.parametrize("text", ["=", "AA==", "A", "AA A", "AA\n", "é", "a+b/"])
def test_text_outside_base64url_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        unb64url(text)
