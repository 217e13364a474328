"""Finished recordings into the queue: the only thing that privacy does with the recorder's folder.

It reads there and links from there; it never writes, renames or deletes there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from hazardcast.media import segments
from hazardcast.media.segments import Segment
from privacy import folders as shelf
from privacy.folders import Folders, Name

log = logging.getLogger(__name__)
Size = tuple[int, int]


class Poller:
    """Looks for segments of some cameras; a file is taken once it has stopped to change."""

    def __init__(self, recordings_dir: Path, folders: Folders, cameras: Iterable[str]) -> None:
        self._recordings = recordings_dir
        self._folders = folders
        self._cameras = list(cameras)
        self._seen: dict[Path, Size] = {}

    def poll(self, *, since: float | None = None) -> list[Name]:
        """Take what is finished and not yet known; returns what was taken.

        Args:
            since: epoch seconds before which recordings are too old to be covered.

        Raises:
            OSError: the queue's disk takes nothing.
        """
        recorded = [
            (camera, segment)
            for camera in self._cameras
            for segment in segments.list_segments(self._recordings, camera, start=since)
        ]
        known = self._known()
        missing = [
            (name, segment.path)
            for camera, segment in recorded
            if (name := _name(camera, segment)) not in known
        ]
        settled = [(name, path) for name, path in missing if self._is_settled(path)]
        gone = set(self._seen) - {path for _, path in missing}
        for path in gone:
            del self._seen[path]
        return [name for name, path in settled if self._take(name, path)]

    def _known(self) -> set[Name]:
        """In the order in which a file goes through the folders, so that none slips by."""
        folders = self._folders
        known = set(shelf.listed(folders.inbox))
        known |= set(shelf.held_elsewhere(folders))
        known |= set(shelf.listed(folders.quarantine))
        return known | set(shelf.listed(folders.out))

    def _is_settled(self, path: Path) -> bool:
        """Whether a file is as it was when it was looked at before: by no clock."""
        try:
            about = path.stat()
        except OSError:
            return False
        size = about.st_size, about.st_mtime_ns
        settled = self._seen.get(path) == size
        self._seen[path] = size
        return settled

    def _take(self, name: Name, path: Path) -> bool:
        return shelf.link(path, shelf.place(self._folders.inbox, name))


def _name(camera: str, segment: Segment) -> Name:
    return Name(segment.start_ms, camera, segment.path.name)
