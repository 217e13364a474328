"""A clip's files in the archive, and whether they are as they were signed.

Only names that the clipper gives are looked for, in the one folder of clips; no link is followed.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hazardcast.contract.errors import HazardcastError
from hazardcast.signing import clip_seal
from hazardcast.signing.trust import load_truststore

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,150}\.mp4")
MOST_JUDGED = 1000
LARGEST_MANIFEST = 8_000_000
Signature = Literal["valid", "broken", "unsigned", "unchecked"]


@dataclass(frozen=True)
class Judgement:
    """What is to be said of a clip's signature."""

    signature: Signature
    problems: tuple[str, ...] = ()
    signed_by: str | None = None
    signed_at: float | None = None


UNCHECKED = Judgement("unchecked")


class ClipFiles:
    """The folder of clips, read only.

    Args:
        folder: where they lie.
        truststore: the keys that are trusted.
    """

    def __init__(self, folder: Path, truststore: Path) -> None:
        self._folder = folder
        self._truststore = truststore
        self._judged: OrderedDict[tuple[object, ...], Judgement] = OrderedDict()
        self._at_it: set[tuple[object, ...]] = set()
        self._changed = threading.Condition()

    def video(self, name: str | None) -> Path | None:
        """The video of this name, if it is there."""
        if name is None or not NAME.fullmatch(name):
            return None
        path = self._folder / name
        there = path.is_file() and not path.is_symlink()
        return path if there else None

    def beside(self, video: Path, ending: str) -> Path | None:
        """The file beside a video: its manifest (`.json`) or its picture (`.jpg`)."""
        path = video.with_suffix(ending)
        return path if path.is_file() and not path.is_symlink() else None

    def manifest(self, video: Path) -> dict[str, Any] | None:
        """The manifest, read; None where there is none that can be."""
        path = self.beside(video, clip_seal.MANIFEST)
        try:
            if path is None or path.stat().st_size > LARGEST_MANIFEST:
                return None
            read = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        return read if isinstance(read, dict) else None

    def known(self, video: Path) -> Judgement:
        """The judgement of a clip that was judged already, as long as no file of it has changed."""
        with self._changed:
            return self._judged.get(self._marks(video), UNCHECKED)

    def judge(self, video: Path) -> Judgement:
        """Read every byte of a clip and compare it with what was signed; remembered.

        Of many who ask for the same clip at once one reads it, and the others wait.
        """
        marks = self._marks(video)
        with self._changed:
            self._changed.wait_for(lambda: marks not in self._at_it)
            if marks in self._judged:
                return self._judged[marks]
            self._at_it.add(marks)
        try:
            judgement = self._judge(video)
            self._remember(marks, judgement)
            return judgement
        finally:
            with self._changed:
                self._at_it.discard(marks)
                self._changed.notify_all()

    def _remember(self, marks: tuple[object, ...], judgement: Judgement) -> None:
        with self._changed:
            self._judged[marks] = judgement
            while len(self._judged) > MOST_JUDGED:
                self._judged.popitem(last=False)

    def _judge(self, video: Path) -> Judgement:
        if self.beside(video, clip_seal.SEAL) is None:
            return Judgement("unsigned")
        try:
            verdict = clip_seal.verify(video, load_truststore(self._truststore))
        except (HazardcastError, OSError) as error:
            return Judgement("unchecked", (type(error).__name__,))
        kind: Signature = "valid" if verdict.holds else "broken"
        return Judgement(kind, verdict.problems, verdict.signed_by, verdict.signed_at)

    def _marks(self, video: Path) -> tuple[object, ...]:
        """What changes when a file of the clip, or whom one trusts, does."""
        paths = [video.with_suffix(one) for one in (".mp4", ".json", ".jws", ".jpg")]
        return tuple(mark for path in (*paths, self._truststore) for mark in _mark(path))


def _mark(path: Path) -> tuple[object, ...]:
    try:
        found = path.stat()
    except OSError:
        return (str(path), None)
    return (str(path), found.st_size, found.st_mtime_ns, found.st_ino)


def _size(path: Path) -> int | None:
    """None where it was removed since it was looked for: retention waits for nobody."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def told(row: dict[str, Any], files: ClipFiles, *, judge: bool = False) -> dict[str, Any]:
    """A clip as it is told; `judge`: whether to read all of it where that was not done."""
    video = files.video(row["file"])
    body: dict[str, Any] = json.loads(row["body"])
    body.pop("path", None)
    manifest = (files.manifest(video) or {}) if video and judge else {}
    alert = manifest.get("alert")
    alert = alert if isinstance(alert, dict) else {}
    judgement = UNCHECKED
    if video:
        judgement = files.judge(video) if judge else files.known(video)
    return body | {
        "id": row["id"],
        "event_id": row["event_id"],
        "camera": row["camera"],
        "state": row["state"],
        "coverage": row["coverage"],
        "updated_at": row["updated_at"],
        "type": row.get("type") or alert.get("type"),
        "severity": row.get("severity") or alert.get("severity"),
        "size_bytes": _size(video) if video else None,
        "held": bool(video and video.with_name(f"{video.stem}.hold").exists()),
        "first_frame_at": manifest.get("first_frame_at") or body.get("delivered", {}).get("start"),
        "signature": judgement.signature,
        "signature_problems": list(judgement.problems),
        "signed_by": judgement.signed_by,
        "signed_at": judgement.signed_at,
    }
