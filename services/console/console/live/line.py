"""The newest files of a camera in one line of numbers, the last of which grows. Pure.

A file is closed for players only when the first part of the next one is there: a player that is
told of a closed file at the end moves its time line by a whole file. So the line always ends with
parts, whatever recorder and disk did.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from console.live.closed import Closed, ClosedFile
from hazardcast.media.coverage import Stretch
from hazardcast.media.parts import Head, Part

PART_TARGET_S = 0.5


@dataclass(frozen=True)
class Indexed:
    """A file of which the recorder told the parts."""

    head: Head
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class LiveFile:
    """One file as players know it."""

    number: int
    start: float
    """Wall clock of its first picture, epoch seconds."""
    begins_run: bool
    parts: tuple[Part, ...] = ()
    """Those that are known."""
    duration_s: float | None = None
    """Once it is closed for players; it stays as it was told first."""


@dataclass(frozen=True)
class Line:
    """Files of consecutive numbers, the last with at least one part and without a duration."""

    files: tuple[LiveFile, ...] = ()
    discontinuities: int = 0
    """Of files that were in the line before its first."""
    wanted_s: int = 1
    """How long the recorder is to make a file."""
    target_s: int = 1
    """No file of these is longer, rounded."""
    part_target_s: float = PART_TARGET_S
    """No part of these is longer: one long part is not for good what players wait for."""
    codec: str | None = None
    width: int | None = None
    """Of the pictures, pixels."""
    height: int | None = None

    @property
    def newest(self) -> LiveFile | None:
        """The file that grows."""
        return self.files[-1] if self.files else None

    @property
    def shown_until(self) -> float | None:
        """Wall clock at the end of the newest part, epoch seconds."""
        if self.newest is None:
            return None
        part = self.newest.parts[-1]
        return part.at + part.duration_s

    @property
    def stretches(self) -> list[Stretch]:
        """From when until when each file can be shown."""
        return [
            Stretch(one.start, one.parts[-1].at + one.parts[-1].duration_s)
            for one in self.files
            if one.parts
        ]

    def has(self, number: int, part: int | None) -> bool:
        """Whether `part` of file `number` is there; without `part`, whether the file is closed.

        A part beyond the last one of a file means the first of the next file.
        """
        if self.newest is None or self.newest.number < number:
            return False
        if self.newest.number > number:
            return True
        return part is not None and len(self.newest.parts) > part

    def file(self, number: int) -> LiveFile | None:
        """The file of this number, None when the line has none."""
        first = self.files[0].number if self.files else 0
        place = number - first
        return self.files[place] if 0 <= place < len(self.files) else None


def advanced(before: Line, closed: Closed, indexed: Iterable[Indexed]) -> Line:
    """The line now.

    Args:
        before: as it was told last.
        closed: what the recorder's playlist tells.
        indexed: the files with an index, in any order.
    """
    with_parts = {one.head.number: one for one in indexed if one.parts}
    if before.newest is not None and with_parts and max(with_parts) < before.newest.number:
        before = replace(before, files=(), discontinuities=0)  # the recorder counts anew
    told = {one.number: one for one in before.files}
    newest = max(with_parts, default=-1)
    if before.newest is not None:
        newest = max(newest, before.newest.number)
    if newest < 0:
        return before
    known = {one.number: one for one in closed.files}
    oldest = max(min(known, default=0), min(told, default=0))  # a line goes on, never back
    first = _first(newest, {*known, *with_parts, *told}, oldest=oldest)
    files = tuple(
        _file(told.get(number), known.get(number), with_parts.get(number), is_last=number == newest)
        for number in range(first, newest + 1)
    )
    head = with_parts[newest].head if newest in with_parts else before
    return replace(
        before,
        files=files,
        discontinuities=_discontinuities(before, closed, first),
        target_s=_target_s(before.wanted_s, files),
        part_target_s=_part_target_s(files),
        codec=head.codec,
        width=head.width,
        height=head.height,
    )


def _first(newest: int, numbers: set[int], *, oldest: int) -> int:
    """The first of the consecutive numbers up to `newest`, none before the recorder's own first."""
    first = newest
    while first - 1 in numbers and first - 1 >= oldest:
        first -= 1
    return first


def _file(
    told: LiveFile | None, closed: ClosedFile | None, indexed: Indexed | None, *, is_last: bool
) -> LiveFile:
    """What was told stays as it was told; parts are added, and at the end a duration."""
    if told is not None and indexed is not None and not _is_same(told, indexed):
        file = replace(_fresh(None, indexed), begins_run=True)
    else:
        file = told or _fresh(closed, indexed)
    if indexed is not None and len(indexed.parts) > len(file.parts):
        file = replace(file, parts=indexed.parts)
    if is_last or file.duration_s is not None:
        return file
    covered_s = math.fsum(part.duration_s for part in file.parts)
    is_whole = file.parts and (closed is None or abs(covered_s - closed.duration_s) < PART_TARGET_S)
    return replace(file, duration_s=covered_s if is_whole or closed is None else closed.duration_s)


def _is_same(told: LiveFile, indexed: Indexed) -> bool:
    """A number is given again where nothing could be kept of the file that had it."""
    return not told.parts or told.parts[0] == indexed.parts[0]


def _fresh(closed: ClosedFile | None, indexed: Indexed | None) -> LiveFile:
    if indexed is not None:
        begins_run = indexed.head.begins_run and indexed.head.number > 0
        return LiveFile(indexed.head.number, indexed.parts[0].at, begins_run, indexed.parts)
    assert closed is not None, "a number is of a file that somebody told of"
    return LiveFile(closed.number, closed.start, closed.begins_run)


def _discontinuities(before: Line, closed: Closed, first: int) -> int:
    """Goes on from what was told; at the start from what the recorder tells."""
    if before.files and before.files[0].number <= first:
        return before.discontinuities + sum(
            one.begins_run for one in before.files if one.number < first
        )
    return closed.discontinuities + sum(
        one.begins_run for one in closed.files if one.number < first
    )


def _target_s(wanted_s: int, files: Iterable[LiveFile]) -> int:
    lengths = [file.duration_s for file in files if file.duration_s is not None]
    return max([wanted_s, *(math.floor(length_s + 0.5) for length_s in lengths)])


def _part_target_s(files: Iterable[LiveFile]) -> float:
    longest_s = max((part.duration_s for file in files for part in file.parts), default=0.0)
    is_usual = longest_s <= PART_TARGET_S + 0.005
    return PART_TARGET_S if is_usual else math.ceil(longest_s * 100) / 100


def names(closed: Closed) -> Mapping[int, str]:
    """Number → where a closed file lies below the camera's folder."""
    return {one.number: one.name for one in closed.files}
