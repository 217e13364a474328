"""A file that lines are added to, on a disk that may be full or refuse for a while."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from hazardcast.machine import durable

MOST_PENDING_BYTES = 4_000_000


class LineFile:
    """Adds whole lines; what the disk does not take is kept, in order, and offered again.

    A line of which the disk took a part is finished before another is begun. The file is made when
    something is first handed over; there must be none of this name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = -1
        self._pending = bytearray()
        self.incomplete = False
        """Whether lines were given up, as more were pending than memory should hold."""

    @property
    def pending(self) -> bool:
        """Whether the disk has still to take something."""
        return bool(self._pending)

    @property
    def pending_bytes(self) -> int:
        """How much that is."""
        return len(self._pending)

    def append(self, lines: Iterable[str]) -> None:
        """Hand lines to the kernel.

        Raises:
            OSError: not all of it was taken; the rest is kept for `offer`.
        """
        self._pending += "".join(f"{line}\n" for line in lines).encode()
        self.offer()

    def offer(self) -> None:
        """Hand over what is pending.

        Raises:
            OSError: not all of it was taken, or the file cannot be made.
        """
        try:
            if self._fd < 0:
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
                self._fd = os.open(self.path, flags, 0o600)
            while self._pending:
                taken = os.write(self._fd, self._pending)
                del self._pending[:taken]
        except OSError:
            self._give_up_some()
            raise

    def _give_up_some(self) -> None:
        """Keep the first line alone: the disk may have begun it."""
        if len(self._pending) > MOST_PENDING_BYTES:
            self.incomplete = True
            del self._pending[self._pending.index(b"\n") + 1 :]

    def sync(self) -> None:
        """Bring what was handed over to the disk; beside it lines may be added.

        Raises:
            OSError: the disk does not take it.
        """
        durable.flush(self._fd)

    def close(self) -> None:
        """Add no more."""
        if self._fd >= 0:
            os.close(self._fd)
