"""The files of a folder that is a camera, and whose turn it is; it is told what lies there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SETTLED_S = 2.0
"""A file that has not changed for so long has been written to its end."""
MOST_FILES = 10_000
HALF = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".download", ".swp")
"""Names under which programs write what they rename when it is whole."""
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Look:
    """How a file lay there at one look."""

    size: int
    changed_ns: int
    inode: int


@dataclass
class _File:
    look: Look
    since_s: float
    arrived: int
    state: str = "arriving"
    """arriving, waits, played (or being so), refused."""
    width: int = 0
    height: int = 0
    why: str = ""
    ended: int = 0


def takes(name: str) -> bool:
    """Whether a file of this name may be played: neither hidden, nor one that is being written."""
    return not name.startswith((".", "~")) and not name.lower().endswith((*HALF, "~"))


class FileQueue:
    """Which file comes next: first come, first played; together come, by name (2 before 10)."""

    def __init__(self, *, loop: bool) -> None:
        self._loop = loop
        self._files: dict[str, _File] = {}
        self._looks = 0
        self._turn: list[str] = []

    def look(self, found: Mapping[str, Look], now_s: float) -> list[str]:
        """Take in what lies there; tells which files have come to rest, and are to be judged."""
        self._looks += 1
        self._files = {name: file for name, file in self._files.items() if name in found}
        for name, look in found.items():
            file = self._files.get(name)
            if file is None or _differs(file.look, look):
                self._files[name] = _File(look, now_s, self._looks)
        return [name for name in self._in_order("arriving") if self._rests(name, now_s)]

    def _rests(self, name: str, now_s: float) -> bool:
        file = self._files[name]
        return file.look.size > 0 and now_s - file.since_s >= SETTLED_S

    def is_written(self, name: str, now_s: float) -> None:
        """Somebody has it open for writing: it is waited for anew."""
        self._files[name].since_s = now_s

    def admit(self, name: str, *, width: int, height: int) -> None:
        """It can be played; its picture's size in pixels."""
        if file := self._files.get(name):
            file.state, file.width, file.height = "waits", width, height

    def refuse(self, name: str, why: str) -> None:
        """It cannot be played, until it changes."""
        if file := self._files.get(name):
            file.state, file.why = "refused", why

    def take(self) -> str | None:
        """The next file, whose turn is over then; None where there is none for now."""
        name = next(iter(self._in_order("waits")), None) or self._again()
        if name is not None:
            self._files[name].state = "played"
        return name

    def _again(self) -> str | None:
        """Of those that were played, round and round."""
        if not self._loop:
            return None
        self._turn = [name for name in self._turn if self._state(name) == "played"]
        self._turn = self._turn or self._in_order("played")
        return self._turn.pop(0) if self._turn else None

    def put_back(self, names: Sequence[str]) -> None:
        """These were not played to their end: they are the next ones again, in this order."""
        for place, name in enumerate(names):
            if self._state(name) == "played":
                self._files[name].state = "waits"
                self._files[name].arrived = place - len(names)

    def has_played(self, name: str) -> bool:
        """Whether it was taken, and is still the file that it was."""
        return self._state(name) == "played"

    def broke(self, name: str) -> int:
        """The program that read it was ended: how often that has been so."""
        file = self._files.get(name)
        if file is None:
            return 0
        file.ended += 1
        return file.ended

    def first_size(self) -> tuple[int, int] | None:
        """Width and height of the file that comes next, pixels; None while none waits."""
        for name in self._in_order("waits"):
            return self._files[name].width, self._files[name].height
        return None

    @property
    def has_next(self) -> bool:
        """Whether `take` would give a file."""
        return bool(self._in_order("waits") or (self._loop and self._in_order("played")))

    @property
    def waiting(self) -> int:
        """How many files that can be played have not been yet, without the one that plays."""
        return len(self._in_order("waits"))

    @property
    def arriving(self) -> int:
        """How many are still being written, or have not been looked into."""
        return len(self._in_order("arriving"))

    @property
    def refused(self) -> dict[str, str]:
        """What cannot be played, and why."""
        return {name: self._files[name].why for name in self._in_order("refused")}

    def _state(self, name: str) -> str:
        return self._files[name].state if name in self._files else "gone"

    def _in_order(self, state: str) -> list[str]:
        chosen = [name for name, file in self._files.items() if file.state == state]
        return sorted(chosen, key=lambda name: (self._files[name].arrived, _natural(name)))


def _differs(before: Look, now: Look) -> bool:
    return (before.size, before.changed_ns, before.inode) != (now.size, now.changed_ns, now.inode)


def _natural(name: str) -> list[tuple[int, str]]:
    """Numbers in a name count as numbers."""
    return [
        (int(part), "") if part.isdecimal() and part.isascii() else (-1, part)
        for part in _DIGITS.split(name)
    ]
