"""The finished clips on disk: `{stem}.mp4`, `{stem}.jpg`, `{stem}.jws` and, last, `{stem}.json`."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from clipper.manifest import Manifest
from clipper.retention import KeptClip
from hazardcast.contract.errors import DecodeError
from hazardcast.machine import durable
from hazardcast.machine.refusals import in_words
from hazardcast.signing.clip_seal import SEAL, seal_manifest
from hazardcast.signing.envelope import Signer

log = logging.getLogger(__name__)

VIDEO, SNAPSHOT, MANIFEST, HOLD = ".mp4", ".jpg", ".json", ".hold"


class Library:
    """The clips directory."""

    def __init__(self, clips_dir: Path, signer: Signer) -> None:
        self._dir = clips_dir
        self._signer = signer
        self._dir.mkdir(parents=True, exist_ok=True)

    def video_path(self, stem: str) -> str:
        """Where a clip's video lies, as an absolute path."""
        return str((self._dir / f"{stem}{VIDEO}").resolve())

    def commit(self, stem: str, manifest: Manifest, *built: Path) -> None:
        """Move the built files in, flushed to the disk, then the seal, at last the manifest.

        A crash in between leaves no manifest, so the job is built again over what lies there.
        """
        for path in built:
            durable.put(path, self._dir / f"{stem}{path.suffix}")
        if manifest.request.hold:
            self.hold(stem)
        text = manifest.model_dump_json(indent=2, exclude_none=True) + "\n"
        name = f"{stem}{MANIFEST}"
        seal = seal_manifest(name, text.encode(), self._signer, now=manifest.created_at)
        durable.write(self._dir / f"{stem}{SEAL}", seal + "\n")
        durable.write(self._dir / name, text)

    def hold(self, stem: str) -> None:
        """Keep a clip from retention, until someone removes the file `{stem}.hold`."""
        (self._dir / f"{stem}{HOLD}").touch()

    def manifest(self, stem: str) -> Manifest | None:
        """A clip's manifest; None when there is none that can be read."""
        try:
            data = json.loads((self._dir / f"{stem}{MANIFEST}").read_bytes())
            return Manifest.parse(data)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError, DecodeError) as error:
            reason = in_words(error) if isinstance(error, OSError) else str(error)
            _tell_unread(stem, reason)
            return None

    def manifests(self) -> Iterator[tuple[str, Manifest]]:
        """(stem, manifest) of every clip."""
        for path in sorted(self._dir.glob(f"accident_*{MANIFEST}")):
            if manifest := self.manifest(path.stem):
                yield path.stem, manifest

    def stems(self) -> set[str]:
        """Names that are taken."""
        return {path.stem for path in self._files()}

    def clips(self) -> list[KeptClip]:
        """What retention has to know; a file that is gone meanwhile is not counted."""
        found: dict[str, list[Path]] = {}
        for path in self._files():
            found.setdefault(path.stem, []).append(path)
        kept = (_kept(stem, paths) for stem, paths in found.items())
        return [clip for clip in kept if clip]

    def remove(self, stem: str) -> None:
        """Remove a clip, its manifest first.

        Raises:
            OSError: the system does not let it go.
        """
        for suffix in (MANIFEST, SEAL, SNAPSHOT, VIDEO):
            (self._dir / f"{stem}{suffix}").unlink(missing_ok=True)

    def _files(self) -> Iterator[Path]:
        for path in self._dir.glob("accident_*"):
            if path.suffix in (VIDEO, SNAPSHOT, MANIFEST, SEAL, HOLD):
                yield path


@lru_cache(maxsize=1000)
def _tell_unread(stem: str, reason: str) -> None:
    """Once: a manifest is looked for again and again."""
    log.warning("manifest cannot be read", extra={"clip": stem, "reason": reason})


def _kept(stem: str, paths: list[Path]) -> KeptClip | None:
    stats = []
    for path in paths:
        with contextlib.suppress(OSError):
            stats.append(path.stat())
    if not stats:
        return None
    return KeptClip(
        stem,
        created_at=max(stat.st_mtime for stat in stats),
        bytes=sum(stat.st_size for stat in stats),
        held=any(path.suffix == HOLD for path in paths),
    )
