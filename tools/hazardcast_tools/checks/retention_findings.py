"""How long recordings will be kept, as `hazardcast check` can tell from measured bit rates."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hazardcast.config.settings import Settings
from hazardcast.config.site import Camera
from hazardcast.contract.trials import RecordingTrial
from hazardcast_tools.checks.findings import GB, Finding
from hazardcast_tools.checks.retention_estimate import Stream, kept_s, needed_bytes

HOUR_S = 3600.0
DAY_S = 86_400.0
FITS = 0.99
"""Share of what was asked for that counts as all of it."""


@dataclass(frozen=True)
class Kept:
    """What the cameras' streams come to on this disk."""

    streams: Mapping[str, Stream]
    unmeasured: tuple[str, ...]
    room_bytes: float
    clips_gb: float

    @staticmethod
    def of(
        settings: Settings, cameras: Mapping[str, Camera], trials: Mapping[str, RecordingTrial]
    ) -> Kept:
        """From the configuration, the trials and the disk."""
        streams = {
            name: Stream(bps, cameras[name].retention_h * HOUR_S, cameras[name].retention_gb * GB)
            for name, trial in trials.items()
            if name in cameras and (bps := trial.bit_rate_bps)
        }
        room = _room_bytes(settings) if streams else 0.0
        others = tuple(name for name in cameras if name not in streams)
        return Kept(streams, others, room, settings.clip_retention_gb)

    def noted(self, name: str, finding: Finding) -> Finding:
        """A camera's finding with how long its recordings will be kept."""
        stream = self.streams.get(name)
        if stream is None:
            return finding
        reach_s = kept_s(self.streams, self.room_bytes)[name]
        facts = {**(finding.facts or {}), "kept_s": reach_s}
        taken = size(stream.bytes_per_s * reach_s)
        note = f"kept for {length(reach_s)} ({taken}), {_why(stream, reach_s)}"
        return replace(finding, notes=(*finding.notes, note), facts=facts)

    def findings(self) -> Iterator[Finding]:
        """One about all cameras together, where any was measured."""
        if not self.streams:
            return
        bps = sum(stream.bit_rate_bps for stream in self.streams.values())
        needed, room = needed_bytes(self.streams), self.room_bytes
        detail = (
            f"{len(self.streams)} measured: {bps / 1e6:.2f} Mbit/s, {size(bps / 8 * DAY_S)} "
            f"a day; all that is to be kept takes {size(needed)}, {size(room)} can be used"
        )
        notes = [f"what clips take (at most {self.clips_gb:g} GB) goes off that"]
        if self.unmeasured:
            notes.append(f"not measured, and not in it: {', '.join(self.unmeasured)}")
        fits = needed <= room
        reach_s = min(kept_s(self.streams, room).values())
        advice = f"shorten retention_h, or make room: {length(reach_s)} fit as it is"
        yield Finding(
            "retention",
            "ok" if fits else "warning",
            detail,
            None if fits else advice,
            tuple(notes),
            {"bit_rate_bps": bps, "needed_bytes": needed, "room_bytes": room},
        )


def _why(stream: Stream, reach_s: float) -> str:
    """Which limit it is."""
    if reach_s < FITS * stream.own_s:
        return "as much as the disk holds beside the other cameras"
    return "as retention_h says" if stream.own_s >= stream.most_age_s else "as retention_gb says"


def length(seconds: float) -> str:
    """`24.0 h`, `3.5 days`, `12.0 min`."""
    if seconds < HOUR_S:
        return f"{seconds / 60:.1f} min"
    if seconds < 2 * DAY_S:
        return f"{seconds / HOUR_S:.1f} h"
    return f"{seconds / DAY_S:.1f} days"


def size(count: float) -> str:
    """`3.1 GB`, `24 MB`."""
    return f"{count / GB:.1f} GB" if count >= 0.1 * GB else f"{count / 1e6:.0f} MB"


def _room_bytes(settings: Settings) -> float:
    """What recordings may take: what is free above the floor, and what they take already."""
    place = settings.recordings_dir.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free - settings.free_space_floor_gb * GB
    return max(0.0, free + _held_bytes(settings.recordings_dir))


def _held_bytes(folder: Path) -> int:
    """What would become free without the recordings: not what clips hold too."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                status = os.stat(os.path.join(root, name))  # noqa: PTH116, PTH118 - very many
                total += status.st_size if status.st_nlink == 1 else 0
    return total
