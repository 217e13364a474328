"""Keeps the recordings within their limits and the volume from filling up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path

from hazardcast.machine.clock import Clock
from hazardcast.machine.refusals import in_words
from hazardcast.machine.steady import Steady
from recorder import disk, metrics
from recorder.index import RecordingIndex
from recorder.retention import GB, Limits, Stored, is_old, oldest_of_all, surplus

log = logging.getLogger(__name__)
ROOM_BYTES = 64_000_000
"""What a recording that met a full disk needs at least, whatever the floor says."""
ROOM_FILES = 1000
"""As many must still find an inode."""
QUOTA_EVERY_S = 5.0
"""A volume that takes nothing though it has room has a quota: so often some is freed for that."""
CLIPS_TAKE_S = 10.0
"""A clip that is being made has taken what was recorded within this: till then it is not removed,
or a full disk would cost the clip what the camera sent before it was full."""


class Upkeep:
    """Removes what must go; called from the service's loop and by a camera that met a full disk."""

    def __init__(
        self,
        recordings_dir: Path,
        index: RecordingIndex,
        limits: Mapping[str, Limits],
        *,
        free_space_floor_gb: float,
        clock: Clock,
    ) -> None:
        self._folder = recordings_dir
        self._index = index
        self._limits = limits
        self._floor_bytes = free_space_floor_gb * GB
        self._clock = clock
        self._steady = Steady(clock)
        self._quota_from = float("-inf")
        self._lock = threading.Lock()

    def tidy(self) -> None:
        """Apply every limit."""
        self._steady.look()
        with self._lock:
            for camera, limits in self._limits.items():
                self._apply(camera, limits)
            self._keep_free(self._lacking_bytes(self._floor_bytes))
            metrics.FREE_BYTES.set(disk.free_bytes(self._folder))

    def make_room(self) -> None:
        """The disk is full: free the oldest recordings so that the newest can go on."""
        with self._lock:
            lacking = self._lacking_bytes(max(self._floor_bytes, ROOM_BYTES))
            now = self._clock.monotonic()
            if lacking <= 0 and not self._lacking_files() and now >= self._quota_from:
                lacking = ROOM_BYTES
            self._quota_from = now + QUOTA_EVERY_S
            self._keep_free(lacking)

    def _lacking_bytes(self, wanted: float) -> float:
        return wanted - disk.free_bytes(self._folder)

    def _lacking_files(self) -> int:
        return disk.lacking_files(self._folder, ROOM_FILES)

    def _apply(self, camera: str, limits: Limits) -> None:
        stored = self._index.of(camera)
        now = self._steady.moment()
        for victim in surplus(stored, limits, now=now):
            self._remove(camera, victim, "age" if is_old(victim, limits, now) else "bytes")
        metrics.RETAINED_BYTES.labels(camera=camera).set(self._index.size(camera))

    def _keep_free(self, missing_bytes: float) -> None:
        missing_files = self._lacking_files()
        if missing_bytes <= 0 and missing_files <= 0:
            return
        now = self._steady.moment()
        for camera, victim in oldest_of_all(self._index.all(), now=now):
            if disk.is_linked(victim) or 0 <= now.age_s(victim.segment.end) < CLIPS_TAKE_S:
                continue
            freed = self._remove(camera, victim, "free_space")
            missing_bytes -= freed
            missing_files -= freed > 0
            if missing_bytes <= 0 and missing_files <= 0:
                return
        log.error("little disk space is left, and nothing more can be removed")

    def _remove(self, camera: str, victim: Stored, reason: str) -> int:
        self._index.remove(camera, victim)
        try:
            freed = disk.remove(victim)
        except OSError as error:
            log.warning(
                "segment cannot be removed", extra={"camera": camera, "why": in_words(error)}
            )
            return 0
        metrics.REMOVED.labels(camera=camera, reason=reason).inc()
        return freed
