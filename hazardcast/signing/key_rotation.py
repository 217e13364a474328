"""Changing keys while vehicles keep listening: next → active → retired, and revoked.

A rotation has two steps, so that no vehicle hears a key that it does not know: `prepare` puts the
next public key into the trust store, which is then brought to the vehicles; `rotate` signs with it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hazardcast.contract.errors import KeyFileError
from hazardcast.machine import durable
from hazardcast.signing import trust
from hazardcast.signing.envelope import Algorithm
from hazardcast.signing.trust import SIGNING_KEY_FILE, TRUSTSTORE_FILE

NEXT_KEY_FILE = "station.next.jwk"
Entry = dict[str, Any]


def read_entries(path: Path) -> tuple[int, list[Entry]]:
    """Version and entries of a trust store.

    Raises:
        KeyFileError: the file is missing or not a trust store.
    """
    trust.load_truststore(path)
    data = json.loads(path.read_text(encoding="utf-8"))
    return int(data["version"]), list(data["keys"])


def prepare(keys_dir: Path, *, station: int, algorithm: Algorithm = "EdDSA") -> str:
    """Make the next key, if there is none yet, and let the trust store know it; returns its id."""
    next_path = keys_dir / NEXT_KEY_FILE
    if next_path.exists():
        return trust.load_signer(next_path).kid
    version, entries = read_entries(keys_dir / TRUSTSTORE_FILE)
    jwk = trust.generate_jwk(algorithm)
    trust.write_private(next_path, json.dumps(jwk))
    entries.append(trust.truststore_entry(jwk, station=station, state="next"))
    trust.write_truststore(keys_dir / TRUSTSTORE_FILE, version=version + 1, entries=entries)
    return jwk["kid"]


def rotate(keys_dir: Path, *, station: int, algorithm: Algorithm = "EdDSA") -> tuple[str, str]:
    """Sign with the next key from now on; returns the ids of the old and the new key.

    The old key stays trusted as `retired`. Without a prepared key one is made, which vehicles will
    refuse until they have the new trust store.
    """
    old = trust.load_signer(keys_dir / SIGNING_KEY_FILE).kid
    new = prepare(keys_dir, station=station, algorithm=algorithm)
    version, entries = read_entries(keys_dir / TRUSTSTORE_FILE)
    states = {old: "retired", new: "active"}
    entries = [{**entry, "state": states.get(entry["kid"], entry["state"])} for entry in entries]
    trust.write_truststore(keys_dir / TRUSTSTORE_FILE, version=version + 1, entries=entries)
    durable.move(keys_dir / NEXT_KEY_FILE, keys_dir / SIGNING_KEY_FILE)
    return old, new


def revoke(keys_dir: Path, kid: str) -> None:
    """Trust a key no longer, whatever it signed.

    Raises:
        KeyFileError: there is no such key, or it is the one that signs now.
    """
    version, entries = read_entries(keys_dir / TRUSTSTORE_FILE)
    if kid not in {entry["kid"] for entry in entries}:
        raise KeyFileError(f"no key {kid!r} in {keys_dir / TRUSTSTORE_FILE}")
    if kid == trust.load_signer(keys_dir / SIGNING_KEY_FILE).kid:
        raise KeyFileError(
            f"{kid} signs alerts now: rotate first with `hazardcast keys rotate`, then revoke it"
        )
    changed = [{**entry, "state": "revoked"} if entry["kid"] == kid else entry for entry in entries]
    trust.write_truststore(keys_dir / TRUSTSTORE_FILE, version=version + 1, entries=changed)
