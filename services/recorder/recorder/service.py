"""The recorder: a thread per camera that records, and a loop that keeps limits and reports."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path

from hazardcast.config.settings import Settings
from hazardcast.config.site import Camera, stream_url
from hazardcast.contract.messages import CameraStatus
from hazardcast.contract.vocabulary import CameraState
from hazardcast.machine.clock import Clock
from hazardcast.machine.refusals import in_words
from hazardcast.mqtt.bus import Bus
from hazardcast.mqtt.presence import Name, Presence, Word
from hazardcast.service import lifecycle
from recorder import disk, metrics
from recorder.archive import Archive
from recorder.attempt import Source
from recorder.camera import CameraRecorder
from recorder.disk import Shelf
from recorder.index import RecordingIndex
from recorder.part_index import PartIndex
from recorder.retention import GB, Limits
from recorder.upkeep import Upkeep
from recorder.versions import refuse_newer

log = logging.getLogger(__name__)
SERVICE = "recorder"
TICK_S = 1.0
TIDY_S = 10.0
STOPPING_S = 4.5
"""All cameras together have this long to close their last segment."""


class RecorderService:
    """Records the given cameras; the bus hears how they are, and recording needs no bus."""

    def __init__(
        self,
        settings: Settings,
        cameras: Mapping[str, Camera],
        *,
        program: str,
        bus: Bus,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        """Put the parts together.

        Raises:
            ConfigError: a camera's credentials are not set, or a newer recorder was here.
            OSError: the system lets nothing be recorded, of no camera.
        """
        self._presence = Presence(Name(SERVICE, settings.instance), bus, clock)
        self._clock = clock
        self._stop = stop
        index = RecordingIndex()
        self._upkeep = Upkeep(
            settings.recordings_dir,
            index,
            {name: _limits(camera) for name, camera in cameras.items()},
            free_space_floor_gb=settings.free_space_floor_gb,
            clock=clock,
        )
        self._part_index = PartIndex()
        self.recorders = {
            name: CameraRecorder(
                source_of(name, camera, settings),
                Archive(Shelf(settings.recordings_dir, name), index, self._upkeep.make_room),
                program=program,
                clock=clock,
                stop=stop,
                make_room=self._upkeep.make_room,
                part_index=self._part_index,
            )
            for name, camera in cameras.items()
        }
        self._threads = [
            threading.Thread(target=recorder.run, name=f"camera {name}", daemon=True)
            for name, recorder in self.recorders.items()
        ]
        self._claim_folders(settings.recordings_dir)

    def _claim_folders(self, recordings_dir: Path) -> None:
        """One camera whose folder is another's keeps no other from being recorded; all do.

        What lacks space only will be given it by retention.
        """
        recordings_dir.mkdir(parents=True, exist_ok=True)
        refused: list[OSError] = []
        for name, recorder in self.recorders.items():
            refuse_newer(recordings_dir, name)
            try:
                recorder.claim()
            except OSError as error:
                refused.append(error)
        if refused and len(refused) == len(self.recorders) and not disk.is_full(refused[0]):
            raise refused[0]

    def run(self) -> None:
        """Record until stopped."""
        for name in self.recorders:
            metrics.declare(name)
        for thread in self._threads:
            thread.start()
        self._index_parts()
        next_tidy = self._clock.monotonic()
        while not self._clock.wait(self._stop, TICK_S):
            self._measure()
            if self._clock.monotonic() >= next_tidy:
                self.tidy()
                next_tidy += TIDY_S
            self._presence.look(self._word())
        self._finish()

    def _index_parts(self) -> None:
        def run() -> None:
            lifecycle.repeat(
                lambda: self._part_index.run(self._clock, self._stop),
                what="indexing parts", stop=self._stop, clock=self._clock,
            )  # fmt: skip

        threading.Thread(target=run, name="parts", daemon=True).start()

    def tidy(self) -> None:
        """Remove what the limits say must go; a failing disk must not end the recording."""
        try:
            self._upkeep.tidy()
        except OSError as error:
            log.warning("recordings cannot be tidied", extra={"why": in_words(error)})

    def _finish(self) -> None:
        deadline = self._clock.monotonic() + STOPPING_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - self._clock.monotonic()))
        self._presence.stopped(self._word())

    def _measure(self) -> None:
        for name, recorder in self.recorders.items():
            report = recorder.report
            metrics.LIVE.labels(camera=name).set(report.state == CameraState.LIVE)
            if report.last_frame_at is not None:
                metrics.LAST_FRAME.labels(camera=name).set(report.last_frame_at)

    def _word(self) -> Word:
        """How the cameras are."""
        return Word(tuple(self._camera_status(name) for name in self.recorders))

    def _camera_status(self, name: str) -> CameraStatus:
        report = self.recorders[name].report
        return CameraStatus(
            camera=name,
            state=report.state,
            last_frame_at=report.last_frame_at,
            detail=report.detail,
        )

    def alive(self) -> tuple[bool, str]:
        """Whether every camera still has its thread."""
        dead = [thread.name for thread in self._threads if not thread.is_alive()]
        return not dead, f"ended: {', '.join(dead)}" if dead else "recording"

    def ready(self) -> tuple[bool, str]:
        """Whether video reaches the disk: of one camera at least, for the sake of the others."""
        away = [
            f"{name} {recorder.report.state}"
            for name, recorder in self.recorders.items()
            if recorder.report.state != CameraState.LIVE
        ]
        detail = ", ".join(away) or "every camera is live"
        return not self.recorders or len(away) < len(self.recorders), detail


def _limits(camera: Camera) -> Limits:
    return Limits(camera.retention_h * 3600.0, camera.retention_gb * GB)


def source_of(name: str, camera: Camera, settings: Settings) -> Source:
    """The camera as it is recorded; raises ConfigError when its credentials are not set."""
    return Source(
        name,
        stream_url(name, camera, camera_server=settings.camera_server),
        camera.segment_s,
        camera.rtsp_transport,
        camera.is_local,
    )
