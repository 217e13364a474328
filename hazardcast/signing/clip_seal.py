"""The seal of a clip: an Ed25519 signature that binds the manifest, and through it every file.

Beside `{clip}.json` lies `{clip}.jws`: a JWS in compact form (RFC 7515, RFC 8037) whose payload is
the manifest's name and SHA-256. The manifest lists the SHA-256 of the video, of the snapshot and of
every segment that the clip was made from, so one signature covers them all. Keys of clips are kept
apart from those of alerts in the trust store: neither can sign the other.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hazardcast.contract.errors import ConfigError, DecodeError
from hazardcast.machine import passed_over
from hazardcast.signing.envelope import Envelope, Signer, b64url, open_unverified, seal
from hazardcast.signing.trust import TrustStore

MANIFEST, SEAL = ".json", ".jws"
KIND = "clip"


@dataclass(frozen=True)
class Verdict:
    """What is to be said of a clip; it is as it was signed when there is no problem."""

    clip: str
    problems: tuple[str, ...]
    """Each begins with the file at fault."""
    signed_by: str | None = None
    signed_at: float | None = None
    sources_seen: int = 0
    """Segments of the recording that are still on disk and unchanged."""

    @property
    def holds(self) -> bool:
        """Whether nothing was changed since the clip was signed."""
        return not self.problems


def seal_manifest(name: str, manifest: bytes, signer: Signer, *, now: float) -> str:
    """The text of `{clip}.jws`.

    Args:
        name: the manifest's file name.
        manifest: its bytes, as they lie on disk.
        signer: the clipper's key.
        now: epoch seconds.
    """
    payload = {"kind": KIND, "manifest": name, "sha256": _sha256(manifest), "signed_at": now}
    return seal(json.dumps(payload).encode(), signer)


def verify(clip: Path, store: TrustStore, *, recordings_dir: Path | None = None) -> Verdict:
    """Judge a clip by its files.

    Args:
        clip: the video, its manifest, its seal, or their common name without ending.
        store: the keys that are trusted.
        recordings_dir: where segments may still lie, to be compared with the manifest.

    Raises:
        ConfigError: there is no manifest, so this is no clip.
    """
    manifest_path = _manifest_of(clip)
    raw = manifest_path.read_bytes()
    signed, problems = _signed(manifest_path.with_suffix(SEAL), store)
    if signed:
        problems += _manifest_problems(manifest_path, raw, signed)
    try:
        manifest = _read_manifest(raw)
        problems += _file_problems(manifest_path, manifest)
        seen, changed = _compare_sources(manifest, recordings_dir)
        problems += changed
    except (ValueError, KeyError, TypeError, AttributeError):
        seen, problems = 0, [*problems, f"{manifest_path.name}: not a clip's manifest"]
    return Verdict(
        manifest_path.stem, tuple(problems), signed.get("kid"), signed.get("signed_at"), seen
    )


def _manifest_of(clip: Path) -> Path:
    ending = clip.suffix in (".mp4", ".jpg", MANIFEST, SEAL)
    path = clip.with_suffix(MANIFEST) if ending else clip.with_name(clip.name + MANIFEST)
    if not path.is_file():
        raise ConfigError(f"{path}: no such manifest; is {clip.name} a clip?")
    return path


def _signed(path: Path, store: TrustStore) -> tuple[dict[str, Any], list[str]]:
    """What the seal says, if a trusted key stands behind it."""
    try:
        text = path.read_bytes().removesuffix(b"\n")
        envelope = open_unverified(text)
        if distrust := _distrust(text, envelope, store):
            return {}, [f"{path.name}: {distrust}"]
        payload = json.loads(envelope.payload)
        if not isinstance(payload, dict) or payload.get("kind") != KIND:
            return {}, [f"{path.name}: signed, but not the seal of a clip"]
    except FileNotFoundError:
        return {}, [f"{path.name}: missing, so nobody answers for this clip"]
    except (DecodeError, ValueError) as error:
        return {}, [f"{path.name}: not a seal: {error}"]
    return {**payload, "kid": envelope.kid}, []


def _distrust(text: bytes, envelope: Envelope, store: TrustStore) -> str | None:
    """Why nobody who is trusted stands behind an envelope; None when someone does."""
    key = store.find_clip_key(envelope.kid)
    if key is None:
        return f"key {envelope.kid!r} is not one trusted for clips"
    if key.verifier.alg != envelope.alg:
        return "the header names another algorithm than the trust store"
    # Base64's last character may differ and mean the same: only the one way to write it is taken.
    exact = text == envelope.signed + b"." + b64url(envelope.signature).encode()
    if not exact or not key.verifier.verify(envelope.signed, envelope.signature):
        return "the signature does not hold"
    return None


def _manifest_problems(path: Path, raw: bytes, signed: dict[str, Any]) -> list[str]:
    problems = []
    if signed.get("manifest") != path.name:
        problems.append(f"{path.name}: the seal is of {signed.get('manifest')!r}")
    if not hmac.compare_digest(str(signed.get("sha256")), _sha256(raw)):
        problems.append(f"{path.name}: changed since it was signed")
    return problems


def _read_manifest(raw: bytes) -> dict[str, Any]:
    manifest = json.loads(raw)
    if not isinstance(manifest, dict):
        raise TypeError("not an object")
    return manifest


def _file_problems(manifest_path: Path, manifest: dict[str, Any]) -> list[str]:
    records = [manifest[part] for part in ("video", "snapshot") if manifest.get(part)]
    return [
        problem
        for record in records
        if (problem := _problem_of(manifest_path.with_name(Path(record["name"]).name), record))
    ]


def _compare_sources(manifest: dict[str, Any], folder: Path | None) -> tuple[int, list[str]]:
    """Unchanged segments among those still on disk, and what is wrong with the others."""
    if folder is None:
        return 0, []
    problems = []
    for path, record in _sources_on_disk(manifest, folder):
        try:
            problems.append(_problem_of(path, record))
        except OSError as error:
            passed_over.tell(path, error)
    return problems.count(None), [problem for problem in problems if problem]


def _sources_on_disk(
    manifest: dict[str, Any], folder: Path
) -> Iterator[tuple[Path, dict[str, Any]]]:
    camera = folder / Path(str(manifest["camera"])).name
    for record in manifest.get("sources", ()):
        for path in camera.glob(f"*T*/{Path(record['name']).name}"):
            yield path, record


def _problem_of(path: Path, record: dict[str, Any]) -> str | None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return f"{path.name}: missing"
    return None if found == record["sha256"] else f"{path.name}: changed since it was signed"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
