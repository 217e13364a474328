"""Keys on disk: the station's signing key and the public keys trusted, as JWKs (RFC 7517)."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from hazardcast.contract.errors import DecodeError, KeyFileError
from hazardcast.machine import durable
from hazardcast.machine.refusals import in_words
from hazardcast.signing.envelope import (
    Algorithm,
    Ed25519Signer,
    Ed25519Verifier,
    Hs256Key,
    Signer,
    Verifier,
    b64url,
    protected_header,
    unb64url,
)

KeyState = Literal["next", "active", "retired", "revoked"]
USABLE_STATES: frozenset[KeyState] = frozenset({"next", "active", "retired"})
SIGNING_KEY_FILE = "station.jwk"
CLIP_KEY_FILE = "clipper.jwk"
TRUSTSTORE_FILE = "truststore.json"
MIN_SECRET_BYTES = 32  # RFC 7518 §3.2: as long as the hash
HTTP_TOKEN_FILE = "http.token"  # noqa: S105 - a file's name


@dataclass(frozen=True)
class TrustedKey:
    """A key that receivers know: its algorithm and station are fixed here."""

    kid: str
    station: int
    state: KeyState
    verifier: Verifier

    @property
    def usable(self) -> bool:
        """Whether what it signs may be believed."""
        return self.state in USABLE_STATES


@dataclass(frozen=True)
class TrustStore:
    """The keys that receivers know."""

    version: int
    keys: dict[str, TrustedKey]
    """Those that sign alerts."""
    clip_keys: dict[str, TrustedKey] = field(default_factory=dict)
    """Those that sign clips; none of them is believed about an alert, nor the other way round."""

    def find_clip_key(self, kid: str) -> TrustedKey | None:
        """The key of this id that signs clips, unless it is unknown or revoked."""
        key = self.clip_keys.get(kid)
        return key if key and key.usable else None

    def beginnings(self) -> tuple[bytes, ...]:
        """How datagrams begin that a usable key signed, header and dot."""
        return tuple(
            f"{protected_header(key.verifier.alg, key.kid)}.".encode()
            for key in self.keys.values()
            if key.usable
        )

    def find(self, kid: str) -> TrustedKey | None:
        """The key of this id unless it is unknown or revoked."""
        key = self.keys.get(kid)
        return key if key and key.usable else None


def load_truststore(path: Path) -> TrustStore:
    """Read `truststore.json`.

    Raises:
        KeyFileError: the file is missing or not a trust store; the error says what to do.
    """
    try:
        return parse_truststore(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise KeyFileError(
            f"{path}: no trust store; make keys with `hazardcast keys init`"
        ) from None
    except OSError as error:
        raise KeyFileError(f"{in_words(error)} (the trust store)") from None
    except (ValueError, KeyError, TypeError, DecodeError) as error:
        raise KeyFileError(f"{path}: not a trust store: {error}") from None


def parse_truststore(data: Any) -> TrustStore:
    """A trust store from its decoded JSON.

    Raises:
        ValueError, KeyError, TypeError, DecodeError: it is not one.
    """
    keys = [_trusted_key(entry) for entry in data["keys"]]
    clip_keys = [_trusted_key(entry) for entry in data.get("clip_keys", ())]
    return TrustStore(int(data["version"]), _by_id(keys), _by_id(clip_keys))


def _by_id(keys: Iterable[TrustedKey]) -> dict[str, TrustedKey]:
    found: dict[str, TrustedKey] = {}
    for key in keys:
        if key.kid in found:
            raise ValueError(f"keys.{key.kid}: named twice")
        found[key.kid] = key
    return found


def _trusted_key(entry: dict[str, Any]) -> TrustedKey:
    state: KeyState = entry["state"]
    if state not in (*USABLE_STATES, "revoked"):
        raise ValueError(
            f"keys.{entry['kid']}.state: {state!r} is not next, active, retired or revoked"
        )
    return TrustedKey(str(entry["kid"]), int(entry["station"]), state, _verifier(entry["jwk"]))


def _verifier(jwk: dict[str, str]) -> Verifier:
    if _is_shared_secret(jwk):
        return _shared_secret(jwk)
    return Ed25519Verifier(Ed25519PublicKey.from_public_bytes(unb64url(jwk["x"])))


def _is_shared_secret(jwk: dict[str, str]) -> bool:
    """True for HS256, False for Ed25519 (RFC 8037 §2), ValueError for any other kind of key."""
    kind = (jwk["kty"], jwk.get("crv"))
    if kind not in (("oct", None), ("OKP", "Ed25519")):
        raise ValueError(f"kty {kind[0]!r} with crv {kind[1]!r} is neither Ed25519 nor a secret")
    return kind[0] == "oct"


def _shared_secret(jwk: dict[str, str]) -> Hs256Key:
    secret = unb64url(jwk["k"])
    if len(secret) < MIN_SECRET_BYTES:
        raise ValueError(f"secret of {len(secret)} bytes, at least {MIN_SECRET_BYTES} needed")
    return Hs256Key(jwk["kid"], secret)


def load_signer(path: Path) -> Signer:
    """Read the station's private key.

    Raises:
        KeyFileError: the file is missing or not a key.
    """
    try:
        return signer_of(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise KeyFileError(
            f"{path}: no signing key; make keys with `hazardcast keys init`"
        ) from None
    except OSError as error:
        raise KeyFileError(f"{in_words(error)} (the signing key)") from None
    except (ValueError, KeyError, TypeError, DecodeError) as error:
        raise KeyFileError(f"{path}: not a signing key: {error}") from None


def signer_of(jwk: dict[str, str]) -> Signer:
    """The signer of a private JWK.

    Raises:
        ValueError, KeyError, TypeError, DecodeError: it is not one.
    """
    if _is_shared_secret(jwk):
        return _shared_secret(jwk)
    return Ed25519Signer(jwk["kid"], Ed25519PrivateKey.from_private_bytes(unb64url(jwk["d"])))


def push_token_file(camera: str) -> str:
    """The file with the token of a pushed camera that has no `credentials`."""
    return f"push-token-{camera}"


def ensure_token(path: Path) -> None:
    """Make a token, a line in a file of its own, where none is yet."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32) + "\n")


def ensure_keys(keys_dir: Path, *, station: int, algorithm: Algorithm = "EdDSA") -> None:
    """Make signing key, trust store and HTTP token where they do not exist yet (first start)."""
    keys_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    key_path, store_path = keys_dir / SIGNING_KEY_FILE, keys_dir / TRUSTSTORE_FILE
    if not key_path.exists():
        jwk = generate_jwk(algorithm)
        write_private(key_path, json.dumps(jwk))
    if not _names_a_signer(store_path):
        load_signer(key_path)  # says what is wrong with it
        jwk = json.loads(key_path.read_text(encoding="utf-8"))
        entry = truststore_entry(jwk, station=station, state="active")
        write_truststore(store_path, version=1, entries=[entry])
    ensure_token(keys_dir / HTTP_TOKEN_FILE)


def _names_a_signer(store_path: Path) -> bool:
    """False when there is no trust store, or only one that a clipper began."""
    return store_path.exists() and bool(_read_store(store_path).get("keys"))


def ensure_clip_key(key_path: Path, *, station: int, truststore: Path) -> None:
    """Make the key that signs clips where there is none, and let the trust store know it."""
    key_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not key_path.exists():
        write_private(key_path, json.dumps(generate_jwk("EdDSA")))
    load_signer(key_path)  # says what is wrong with it
    jwk = json.loads(key_path.read_text(encoding="utf-8"))
    store = _read_store(truststore)
    known = store.get("clip_keys", [])
    if jwk["kid"] not in {entry["kid"] for entry in known}:
        known.append(truststore_entry(jwk, station=station, state="active"))
        write_truststore(
            truststore,
            version=int(store.get("version", 0)) + 1,
            entries=store.get("keys", []),
            clip_entries=known,
        )


def _read_store(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    load_truststore(path)
    store: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return store


def generate_jwk(algorithm: Algorithm) -> dict[str, str]:
    """A new private key as a JWK; its `kid` is derived from the key itself."""
    if algorithm == "HS256":
        secret = secrets.token_bytes(32)
        return {"kty": "oct", "alg": "HS256", "kid": _key_id(secret), "k": b64url(secret)}
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    private = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "EdDSA",
        "kid": _key_id(public),
        "x": b64url(public),
        "d": b64url(private),
    }


def _key_id(material: bytes) -> str:
    return hashlib.sha256(b"hazardcast-kid" + material).hexdigest()[:8]


def truststore_entry(jwk: dict[str, str], *, station: int, state: KeyState) -> dict[str, Any]:
    """What receivers learn of a key: without its private part, unless it is a shared secret."""
    public = {name: value for name, value in jwk.items() if name != "d"}
    return {"kid": jwk["kid"], "station": station, "state": state, "jwk": public}


def write_truststore(
    path: Path,
    *,
    version: int,
    entries: Iterable[dict[str, Any]],
    clip_entries: Iterable[dict[str, Any]] | None = None,
) -> None:
    """Write the trust store in one step; the keys of clips stay as they are when not given."""
    kept = _read_store(path).get("clip_keys", []) if clip_entries is None else list(clip_entries)
    store: dict[str, Any] = {"version": version, "keys": list(entries)}
    text = json.dumps({**store, "clip_keys": kept} if kept else store, indent=2)
    shared = any(entry["jwk"]["kty"] == "oct" for entry in json.loads(text)["keys"])
    durable.write(path, text + "\n", mode=0o600 if shared else 0o644)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, in one step that a crash cannot split."""
    durable.write(path, text, mode=0o600)
