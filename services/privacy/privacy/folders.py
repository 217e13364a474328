"""The queue: folders on one volume, and nothing else. Who holds a file is where the file lies.

    inbox/{camera}/{segment}.ts         waits
    work/{slot}/{camera}/{segment}.ts   is being covered; `work/{slot}/.lock` is held meanwhile
    tmp/{slot}/                         what is being written, never shown
    out/{camera}/{segment}.ts, .json    covered, verified, and what is known of it
    quarantine/{camera}/…               failed too often, with the reason
    attempts/{camera}/{segment}.json    how often a file was begun, and why that failed
    journal.jsonl                       what became of each file

A claim is a rename: one wins, the other finds nothing. A lock is flock(2): the kernel frees it when
its holder dies, however it died, so no time has to be guessed after which a claim is void.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hazardcast.machine import durable
from hazardcast.machine.state_version import Format, as_it_is
from hazardcast.media.segments import parse_segment

log = logging.getLogger(__name__)
LOCK = ".lock"
SIDECAR = Format((as_it_is,))
ATTEMPTS = Format((as_it_is,))
_SLOT = re.compile(r"\d{1,3}")
REASONS_KEPT = 5


@dataclass(frozen=True, order=True)
class Name:
    """One file of the queue, wherever it lies; in the order of time."""

    start_ms: int
    camera: str
    file: str

    @property
    def json(self) -> str:
        """The name of what is written about it."""
        return f"{self.file.removesuffix('.ts')}.json"


class Folders:
    """The queue's folders below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inbox, self.work, self.tmp, self.out, self.quarantine, self.attempts = (
            root / name for name in ("inbox", "work", "tmp", "out", "quarantine", "attempts")
        )
        self.journal = root / "journal.jsonl"

    def make(self) -> None:
        """Have the folders.

        Raises:
            OSError: the disk does not take them.
        """
        for folder in (
            self.inbox, self.work, self.tmp, self.out, self.quarantine, self.attempts,
        ):  # fmt: skip
            folder.mkdir(parents=True, exist_ok=True)

    def slots(self) -> list[Path]:
        """Of the workers that there are or were."""
        return sorted(path for path in _entries(self.work) if _SLOT.fullmatch(path.name))


def listed(folder: Path) -> list[Name]:
    """The files of `folder`, by camera, oldest first; what bears no segment's name is no file."""
    found = (
        (camera.name, parse_segment(path))
        for camera in _entries(folder)
        if camera.is_dir()
        for path in _entries(camera)
    )
    return sorted(
        Name(segment.start_ms, camera, segment.path.name) for camera, segment in found if segment
    )


def _entries(folder: Path) -> list[Path]:
    """Of a folder, which others may take away at any moment."""
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def place(folder: Path, name: Name) -> Path:
    """Where a file lies in one of the folders."""
    return folder / name.camera / name.file


def put_in(source: Path, folder: Path, name: Name) -> Path:
    """Move a file into `folder`; it is there after a power cut, and nowhere else.

    Raises:
        FileNotFoundError: somebody else has taken it.
        OSError: the disk does not do it.
    """
    target = place(folder, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    durable.move(source, target)
    # Where both were links to one file, rename(2) does nothing and says that it did.
    source.unlink(missing_ok=True)
    return target


def link(source: Path, target: Path) -> bool:
    """Have `source` at `target` too, so that nobody's retention takes it; False: it is gone.

    A link costs nothing. Where the kernel refuses one (another volume, another mount, another
    user's file) the bytes are copied.

    Raises:
        OSError: the disk does not take it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(source, target)
    except FileNotFoundError:
        return False
    except OSError:
        return _copied(source, target)
    durable.flush_folder(target.parent)
    return True


def _copied(source: Path, target: Path) -> bool:
    draft = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(source, draft)
        durable.put(draft, target)
    except FileNotFoundError:
        return False
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return True


def gone(path: Path) -> None:
    """Remove a file; it stays removed after a power cut."""
    path.unlink(missing_ok=True)
    durable.flush_folder(path.parent)


def read_json(path: Path, known: Format) -> dict[str, Any] | None:
    """What a file says; None where there is none, or one that a crash cut short.

    Raises:
        NewerStateError: a newer version wrote it.
    """
    try:
        data = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(data, dict):
        return None
    read: dict[str, Any] = known.read(data, path)
    return read


def tell(folders: Folders, entry: Mapping[str, object]) -> None:
    """One more line of the journal, in one write; a disk that takes none delays nobody."""
    line = json.dumps(dict(entry), ensure_ascii=False) + "\n"
    try:
        descriptor = os.open(folders.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)
    except OSError as error:
        log.warning("the journal cannot be written", extra={"why": error.strerror})


def begun(folders: Folders, name: Name) -> tuple[int, list[str]]:
    """How often a file was begun, and why it failed."""
    data = read_json(folders.attempts / name.camera / name.json, ATTEMPTS) or {}
    count, reasons = data.get("attempts"), data.get("reasons")
    known = [str(reason) for reason in reasons] if isinstance(reasons, list) else []
    return count if isinstance(count, int) else 0, known


def count(folders: Folders, name: Name, attempts: int, reasons: list[str]) -> None:
    """Write how often a file was begun, on the disk when this returns: before the work.

    Raises:
        OSError: the disk does not take it.
    """
    path = folders.attempts / name.camera / name.json
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"attempts": attempts, "reasons": reasons[-REASONS_KEPT:]}
    durable.write(path, json.dumps(ATTEMPTS.stamped(content), ensure_ascii=False) + "\n")


def forget_attempts(folders: Folders, name: Name) -> None:
    """The file is done."""
    (folders.attempts / name.camera / name.json).unlink(missing_ok=True)


def held_elsewhere(folders: Folders) -> Iterator[Name]:
    """Files that some worker has claimed."""
    for slot in folders.slots():
        yield from listed(slot)
