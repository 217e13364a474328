"""The signed envelope of a datagram: JWS in compact form (RFC 7515).

Ed25519 (`EdDSA`, RFC 8037) by default, because whoever holds an HMAC key can forge with it;
`HS256` (RFC 7518 §3.2) where the operator says so. The bytes that were sent are verified as sent.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import string
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hazardcast.contract.errors import DecodeError

Algorithm = Literal["EdDSA", "HS256"]
TYPE = "hazardcast+jws"
MAX_DATAGRAM_BYTES = 1400
"""Never fragmented: IEEE 1609.3 sets the same default for a WSM."""
_ALPHABET = (string.ascii_letters + string.digits + "-_").encode()
_HEADERS_REMEMBERED = 64
_SAME = {"Ed25519": "EdDSA"}
"""RFC 9864 (2025) names it after its curve. We write what RFC 8037 does, which every library reads,
and read both: with a key of that curve they mean one algorithm."""


def b64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64url(text: str | bytes) -> bytes:
    """The bytes of base64url text, held to the alphabet: no padding, no `+`, `/` or white space.

    Raises:
        DecodeError: the text is not base64url without padding.
    """
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if data.translate(None, _ALPHABET):
        raise DecodeError("not base64url")
    try:
        return base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        raise DecodeError("not base64url") from None


class Signer(Protocol):
    """A key that signs."""

    @property
    def kid(self) -> str:
        """The key's id in the trust store."""
        ...

    @property
    def alg(self) -> Algorithm:
        """The one algorithm of this key."""
        ...

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`."""
        ...


class Verifier(Protocol):
    """A key that verifies; its algorithm is fixed by the trust store, never by the datagram."""

    @property
    def alg(self) -> Algorithm:
        """The one algorithm of this key."""
        ...

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's over `data`."""
        ...


@dataclass(frozen=True)
class Ed25519Signer:
    """Signs with an Ed25519 private key."""

    kid: str
    key: Ed25519PrivateKey
    alg: Literal["EdDSA"] = "EdDSA"

    def sign(self, data: bytes) -> bytes:
        """64 bytes."""
        return self.key.sign(data)


@dataclass(frozen=True)
class Ed25519Verifier:
    """Verifies with an Ed25519 public key."""

    key: Ed25519PublicKey
    alg: Literal["EdDSA"] = "EdDSA"

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Whether the signature holds."""
        try:
            self.key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Hs256Key:
    """Signs and verifies with a shared secret."""

    kid: str
    secret: bytes
    alg: Literal["HS256"] = "HS256"

    def sign(self, data: bytes) -> bytes:
        """32 bytes."""
        return hmac.digest(self.secret, data, hashlib.sha256)

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Whether the signature holds, compared in constant time."""
        return hmac.compare_digest(self.sign(data), signature)


@dataclass(frozen=True)
class Envelope:
    """A datagram taken apart, nothing of it believed yet."""

    kid: str
    alg: str
    payload: bytes
    signed: bytes
    """Exactly the bytes that the signature covers."""
    signature: bytes


@lru_cache(maxsize=_HEADERS_REMEMBERED)
def protected_header(alg: Algorithm, kid: str) -> str:
    """The first part of every datagram that a key signs, as our stations write it."""
    return b64url(f'{{"alg":"{alg}","kid":"{kid}","typ":"{TYPE}"}}'.encode())


def seal(payload: bytes, signer: Signer) -> str:
    """Sign `payload` and write the compact JWS."""
    signed = f"{protected_header(signer.alg, signer.kid)}.{b64url(payload)}"
    return f"{signed}.{b64url(signer.sign(signed.encode('ascii')))}"


def open_unverified(text: bytes) -> Envelope:
    """Take a compact JWS apart without believing any of it.

    Raises:
        DecodeError: it is not three base64url parts with a header of our type.
    """
    parts = text.split(b".", 3)
    if len(parts) != 3:
        raise DecodeError("not a JWS in compact form")
    header, payload, signature = parts
    kid, alg = _read_header(header)
    return Envelope(
        kid=kid,
        alg=alg,
        payload=unb64url(payload),
        signed=text[: len(header) + 1 + len(payload)],
        signature=unb64url(signature),
    )


@lru_cache(maxsize=_HEADERS_REMEMBERED)
def _read_header(text: bytes) -> tuple[str, str]:
    """`kid` and `alg`; remembered, as a station's header is the same in every datagram."""
    try:
        header = json.loads(unb64url(text))
    except (ValueError, RecursionError):
        raise DecodeError("header is not JSON") from None
    if not isinstance(header, dict) or header.get("typ") != TYPE:
        raise DecodeError("header is not of our type")
    kid, alg = header.get("kid"), header.get("alg")
    if not isinstance(kid, str) or not isinstance(alg, str) or "crit" in header:
        raise DecodeError("header lacks kid or alg, or demands an extension")
    return kid, _SAME.get(alg, alg)
