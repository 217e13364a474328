"""The journal's files: `{epoch}-{first sequence}.jsonl`, a line an entry. Reading and choosing."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hazardcast.contract.errors import DecodeError
from hazardcast.contract.messages import JournalEntry

log = logging.getLogger(__name__)
SUFFIX = ".jsonl"


@dataclass(frozen=True)
class Part:
    """One file of the journal."""

    path: Path
    epoch: int
    first: int
    """The sequence with which it begins."""
    size_bytes: int = 0
    changed_at: float = 0.0
    """When something was added last, epoch seconds."""


def part_path(folder: Path, *, epoch: int, first: int) -> Path:
    """The file that begins with an entry."""
    return folder / f"{epoch}-{first}{SUFFIX}"


def parts(folder: Path) -> list[Part]:
    """The files that are there, oldest first; what bears another name is none of ours."""
    return sorted(_parts(folder), key=lambda part: (part.epoch, part.first))


def _parts(folder: Path) -> Iterator[Part]:
    for path in folder.glob(f"*-*{SUFFIX}"):
        epoch, _, first = path.stem.partition("-")
        if not (epoch.isdecimal() and first.isdecimal()):
            continue
        try:
            found = path.stat()
        except OSError:  # removed meanwhile
            continue
        yield Part(path, int(epoch), int(first), found.st_size, found.st_mtime)


def removable(
    there: Sequence[Part], *, now: float, most_bytes: float, most_age_s: float
) -> list[Part]:
    """What has to go, oldest first; the newest file stays whatever it holds."""
    over_bytes = sum(part.size_bytes for part in there) - most_bytes
    going: list[Part] = []
    for part in there[:-1]:
        if over_bytes <= 0 and now - part.changed_at <= most_age_s:
            break
        over_bytes -= part.size_bytes
        going.append(part)
    return going


def holding(there: Sequence[Part], *, epoch: int, first: int, last: int) -> list[Part]:
    """The files that may hold entries `first` … `last` of an epoch."""
    own = [part for part in there if part.epoch == epoch]
    ends = [part.first for part in own[1:]] + [last + 1 + first]
    return [
        part for part, end in zip(own, ends, strict=False) if part.first <= last and end > first
    ]


def read(chosen: Iterable[Part], *, first: int, last: int) -> Iterator[JournalEntry]:
    """Their entries from `first` to `last`; a line that cannot be read is left out and logged."""
    for part in chosen:
        for number, line in enumerate(_lines(part.path), start=1):
            entry = _entry(line, part.path, number)
            if entry and entry.sequence <= last and (entry.to or entry.sequence) >= first:
                yield entry


def _lines(path: Path) -> Iterator[bytes]:
    """Whole lines; what is being written has no end yet."""
    try:
        with path.open("rb") as file:
            yield from (line for line in file if line.endswith(b"\n"))
    except OSError as error:
        log.warning("part of the journal cannot be read", extra={"reason": error.strerror})


def _entry(line: bytes, path: Path, number: int) -> JournalEntry | None:
    if line.startswith(b'{"version"'):
        return None
    try:
        return JournalEntry.decode(line)
    except DecodeError as error:
        facts = {"line": f"{path.name}:{number}", "reason": str(error)}
        log.warning("line of the journal left out", extra=facts)
        return None
