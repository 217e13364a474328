"""The recorder's directory, read only."""

from __future__ import annotations

from pathlib import Path

from hazardcast.contract.messages import Window
from hazardcast.media.segments import RUNS_FILE, Run, Segment, list_segments, read_runs

MARGIN_S = 2.0
"""A window's edge may lie in the seam between segments: the neighbour is needed too."""


class Recordings:
    """Segments and runs of every camera; a `runs.jsonl` is read again only when it has changed."""

    def __init__(self, recordings_dir: Path) -> None:
        self._dir = recordings_dir
        self._runs: dict[str, tuple[tuple[int, int], list[Run]]] = {}

    def knows(self, camera: str) -> bool:
        """True when there is a directory of this camera."""
        return (self._dir / camera).is_dir()

    def segments(self, camera: str, window: Window) -> list[Segment]:
        """The closed segments that `window` needs, oldest first."""
        return list_segments(
            self._dir, camera, start=window.start - MARGIN_S, end=window.end + MARGIN_S
        )

    def runs(self, camera: str) -> list[Run]:
        """What is known of the camera's runs."""
        try:
            stat = (self._dir / camera / RUNS_FILE).stat()
        except OSError:
            return []
        version = (stat.st_mtime_ns, stat.st_size)
        if camera not in self._runs or self._runs[camera][0] != version:
            self._runs[camera] = (version, read_runs(self._dir, camera))
        return self._runs[camera][1]
