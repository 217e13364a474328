"""What is recorded, in memory: read from disk once, then kept up to date."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Iterable

from recorder.retention import Stored


class RecordingIndex:
    """The stored segments of every camera, by start; used by the cameras' threads and retention."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stored: dict[str, list[Stored]] = {}

    def fill(self, camera: str, stored: Iterable[Stored]) -> None:
        """Take what a scan of the disk found."""
        with self._lock:
            self._stored[camera] = sorted(stored)

    def add(self, camera: str, stored: Stored) -> None:
        """Take a segment that has just been closed."""
        with self._lock:
            bisect.insort(self._stored.setdefault(camera, []), stored)

    def remove(self, camera: str, stored: Stored) -> None:
        """Forget a segment that is gone."""
        with self._lock:
            items = self._stored.get(camera, [])
            place = bisect.bisect_left(items, stored)
            if place < len(items) and items[place] == stored:
                del items[place]

    def of(self, camera: str) -> list[Stored]:
        """A copy of what is stored of one camera, oldest first."""
        with self._lock:
            return list(self._stored.get(camera, []))

    def all(self) -> dict[str, list[Stored]]:
        """A copy of everything."""
        with self._lock:
            return {camera: list(items) for camera, items in self._stored.items()}

    def size(self, camera: str) -> int:
        """Bytes stored of one camera."""
        with self._lock:
            return sum(item.size for item in self._stored.get(camera, []))
