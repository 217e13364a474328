"""Long files from many segments: ten minutes each, cut where recording was interrupted.

The recorder's transport streams go on from file to file, so that segments of one run joined end to
end are one valid stream: nothing is decoded, nothing remuxed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hazardcast.machine import durable
from hazardcast.media.coverage import FRAME_TOLERANCE_S
from hazardcast.media.segments import Run, Segment

LENGTH_S = 600.0


@dataclass(frozen=True)
class Archive:
    """Segments that become one file."""

    segments: tuple[Segment, ...]

    @property
    def start(self) -> float:
        """Wall clock of the first frame, epoch seconds."""
        return self.segments[0].start

    @property
    def end(self) -> float:
        """Wall clock of the last frame, epoch seconds."""
        return self.segments[-1].end

    def name(self, camera: str) -> str:
        """`north_20270115T080000Z_600s.ts`, in UTC."""
        moment = datetime.fromtimestamp(self.start, UTC).strftime("%Y%m%dT%H%M%SZ")
        return f"{camera}_{moment}_{round(self.end - self.start)}s.ts"


def plan(
    segments: Sequence[Segment], runs: Iterable[Run] = (), *, length_s: float = LENGTH_S
) -> list[Archive]:
    """Group segments (oldest first) by full `length_s` of UTC, never across a gap or a new run."""
    begins = {round(run.started_at * 1000) for run in runs}
    groups: list[list[Segment]] = []
    for segment in segments:
        before = groups[-1][-1] if groups else None
        same = (
            before is not None
            and before.start // length_s == segment.start // length_s
            and 0 <= segment.start - before.end <= FRAME_TOLERANCE_S
            and segment.start_ms not in begins
        )
        groups[-1].append(segment) if same else groups.append([segment])
    return [Archive(tuple(group)) for group in groups]


def write(archive: Archive, folder: Path, camera: str) -> Path:
    """Write one archive, whole or not at all; one that is there already stays.

    Raises:
        OSError: a segment is gone or the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / archive.name(camera)
    if path.exists():
        return path
    draft = path.with_suffix(".part")
    with draft.open("wb") as whole:
        for segment in archive.segments:
            with segment.path.open("rb") as part:
                shutil.copyfileobj(part, whole, 1 << 20)
    durable.put(draft, path)
    return path
