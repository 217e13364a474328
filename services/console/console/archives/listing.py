"""Which archives there are of a camera, as the directory tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from console.archives import names
from console.archives.names import Named
from hazardcast.media import archives, segments
from hazardcast.media.archives import LENGTH_S, Archive

SETTLES_S = 90.0
"""A window gets its last file so long after its end at most."""


@dataclass(frozen=True)
class Listed:
    """A window of archives, newest first, and where the next one begins."""

    found: list[Named]
    next: float | None


@dataclass(frozen=True)
class Shelf:
    """The archives of every camera."""

    recordings_dir: Path
    zone: tzinfo

    def listed(self, camera: str, start: float, end: float, *, limit: int) -> Listed:
        """Archives that begin in [start, end), newest first, `limit` at most."""
        found = [one for one in self._named(camera, start, end) if start <= one.archive.start < end]
        kept = found[-limit:]
        following = kept[0].archive.start if len(found) > len(kept) else None
        return Listed(kept[::-1], following)

    def find(self, camera: str, name: str) -> Archive | None:
        """The archive of a name, None where there is none (any more)."""
        for moment in names.moments(name, self.zone):
            for one in self._named(camera, moment, moment + 1):
                if one.name == name:
                    return one.archive
        return None

    def _named(self, camera: str, start: float, end: float) -> list[Named]:
        """With whole windows around, so that a name does not depend on what is asked for."""
        first, last = start // LENGTH_S * LENGTH_S, (end // LENGTH_S + 1) * LENGTH_S
        found = segments.list_segments(self.recordings_dir, camera, start=first - 60, end=last)
        inside = [one for one in found if first <= one.start < last]
        runs = segments.read_runs(self.recordings_dir, camera)
        return names.named(archives.plan(inside, runs), self.zone)


def described(one: Named, zone: tzinfo, *, now: float) -> dict[str, object]:
    """As the API tells it; times of the site with their offset."""
    archive = one.archive
    window_ends = (archive.start // LENGTH_S + 1) * LENGTH_S
    return {
        "name": one.name,
        "start": archive.start,
        "end": archive.end,
        "start_iso": _iso(archive.start, zone),
        "end_iso": _iso(archive.end, zone),
        "duration_s": round(archive.end - archive.start, 3),
        "segments": len(archive.segments),
        "complete": now > window_ends + SETTLES_S,
    }


def _iso(moment: float, zone: tzinfo) -> str:
    local = datetime.fromtimestamp(moment, UTC).astimezone(zone)
    return local.isoformat(timespec="milliseconds")
