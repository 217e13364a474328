"""Which file next, and who holds it."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from hazardcast.machine import durable
from hazardcast.machine.clock import Clock
from privacy import folders as shelf
from privacy.folders import LOCK, Folders, Name

log = logging.getLogger(__name__)
LOCK_WAIT_S = 5.0


def in_turn(waiting: Sequence[Name], *, after: str | None, busy: frozenset[str]) -> list[Name]:
    """Every camera's oldest file, in the order in which they are to be tried.

    Cameras in turn after the one served last, so that a camera with a thousand files keeps no other
    waiting; those that another worker serves already come last.
    """
    oldest: dict[str, Name] = {}
    for name in sorted(waiting):
        oldest.setdefault(name.camera, name)
    cameras = sorted(oldest)
    begin = sum(camera <= after for camera in cameras) if after is not None else 0
    turn = cameras[begin:] + cameras[:begin] if after is not None else _by_age(oldest)
    return [oldest[camera] for camera in sorted(turn, key=lambda camera: camera in busy)]


def _by_age(oldest: dict[str, Name]) -> list[str]:
    return [name.camera for name in sorted(oldest.values())]


class Slot:
    """One worker's place in the queue, held until it is let go or its process ends.

    Raises:
        BlockingIOError: another process holds it.
        OSError: the disk does not take it.
    """

    def __init__(self, folders: Folders, number: int, *, clock: Clock) -> None:
        self.folder = folders.work / f"{number}"
        self.tmp = folders.tmp / f"{number}"
        self._folders = folders
        self._last: str | None = None
        for folder in (self.folder, self.tmp):
            folder.mkdir(parents=True, exist_ok=True)
        self._lock = durable.lock(self.folder / LOCK, within_s=LOCK_WAIT_S, clock=clock)
        self.clear_tmp()

    def clear_tmp(self) -> None:
        """What an earlier process left half-written goes; nobody has seen it."""
        for path in self.tmp.iterdir():
            path.unlink(missing_ok=True)

    def held(self) -> list[Name]:
        """What was claimed and is not finished."""
        return shelf.listed(self.folder)

    def claim(self) -> Name | None:
        """Take the next file of the queue; None where nothing waits."""
        waiting = shelf.listed(self._folders.inbox)
        busy = frozenset(name.camera for name in shelf.held_elsewhere(self._folders))
        for name in in_turn(waiting, after=self._last, busy=busy):
            try:
                shelf.put_in(shelf.place(self._folders.inbox, name), self.folder, name)
            except FileNotFoundError:
                continue  # another worker was faster
            self._last = name.camera
            return name
        return None

    def give_back(self, name: Name) -> None:
        """Let a file wait again."""
        shelf.put_in(shelf.place(self.folder, name), self._folders.inbox, name)

    def close(self) -> None:
        """Let another process have the place."""
        os.close(self._lock)


def free_the_dead(folders: Folders, *, keep: frozenset[int] = frozenset()) -> list[Name]:
    """Let what dead workers held wait again; returns these files.

    Args:
        folders: of the queue.
        keep: numbers of slots whose worker lives, or is only just being started.
    """
    freed = []
    for slot in folders.slots():
        if int(slot.name) in keep or not shelf.listed(slot):
            continue
        try:
            lock = durable.lock(slot / LOCK)
        except BlockingIOError:
            continue
        try:
            freed += [_freed(folders, slot, name) for name in shelf.listed(slot)]
        finally:
            os.close(lock)
    return freed


def _freed(folders: Folders, slot: Path, name: Name) -> Name:
    shelf.put_in(shelf.place(slot, name), folders.inbox, name)
    log.info("a dead worker's file waits again", extra={"camera": name.camera, "file": name.file})
    return name
