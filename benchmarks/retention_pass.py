"""Retention over 200 000 segments on disk: one pass, with something to remove and with nothing.

The recordings lie as the recorder leaves them (16 cameras, ten-second segments, an hour a folder); the
directory is read once at the start, which is the peer of a pass that would scan anew.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from recorder.disk import Shelf
from recorder.index import RecordingIndex
from recorder.retention import Limits
from recorder.upkeep import Upkeep

from benchmarks.harness import Figure
from hazardcast.media.segments import segment_path
from hazardcast.testing import ManualClock

CAMERAS = 16
SEGMENTS = 12_500
SEGMENT_MS = 10_000
T0_MS = 1_800_000_000_000
REMOVED = 100
AIM_S = 1.0


def fill(folder: Path) -> None:
    for camera in range(CAMERAS):
        for number in range(SEGMENTS):
            start_ms = T0_MS + number * SEGMENT_MS
            path = segment_path(folder, f"c{camera}", start_ms, start_ms + SEGMENT_MS - 67)
            if number % 360 == 0 or not number:
                path.parent.mkdir(parents=True, exist_ok=True)
            try:
                path.touch()
            except FileNotFoundError:
                path.parent.mkdir(parents=True)
                path.touch()


def seconds(upkeep: Upkeep) -> float:
    began = time.perf_counter()
    upkeep.tidy()
    return time.perf_counter() - began


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        fill(folder)
        index, clock = RecordingIndex(), ManualClock()
        began = time.perf_counter()
        for camera in range(CAMERAS):
            index.fill(f"c{camera}", Shelf(folder, f"c{camera}").stored())
        scan_s = time.perf_counter() - began
        end_s = (T0_MS + SEGMENTS * SEGMENT_MS) / 1000
        age_s = end_s - T0_MS / 1000
        limits = {f"c{camera}": Limits(age_s, 1e18) for camera in range(CAMERAS)}
        upkeep = Upkeep(folder, index, limits, free_space_floor_gb=0, clock=clock)
        clock.advance(end_s - clock.now())
        nothing_s = sorted(seconds(upkeep) for _ in range(5))[2]
        clock.advance(REMOVED * SEGMENT_MS / 1000)
        removing_s = seconds(upkeep)
        left = sum(len(index.of(f"c{camera}")) for camera in range(CAMERAS))
    detail = {"removed": float(CAMERAS * SEGMENTS - left), "scan_s": scan_s}
    return [
        Figure(
            "retention, 200 000 segments: nothing to remove",
            "s",
            nothing_s,
            scan_s,
            f"< {AIM_S} s",
            nothing_s < AIM_S,
            detail,
        ),
        Figure(
            "retention, 200 000 segments: 1600 to remove",
            "s",
            removing_s,
            scan_s,
            f"< {AIM_S} s",
            removing_s < AIM_S,
            detail,
        ),
    ]
