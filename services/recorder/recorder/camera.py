"""One camera's recording thread: connects, records, and connects again for as long as it runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from hazardcast.contract.vocabulary import CameraState
from hazardcast.machine.clock import Clock
from hazardcast.service import lifecycle
from recorder import disk, metrics
from recorder.approach import Approach
from recorder.archive import Archive
from recorder.attempt import NO_STREAM, Attempt, Ending, Report, Source
from recorder.part_index import PartIndex
from recorder.pauses import Pauses
from recorder.witness import NOBODY, Witness

log = logging.getLogger(__name__)


class CameraRecorder:
    """Keeps one camera recorded."""

    def __init__(
        self,
        source: Source,
        archive: Archive,
        *,
        program: str,
        clock: Clock,
        stop: threading.Event,
        make_room: Callable[[], None],
        witness: Witness = NOBODY,
        part_index: PartIndex | None = None,
    ) -> None:
        self.report = Report()
        self._source = source
        self._archive = archive
        self._program = program
        self._clock = clock
        self._stop = stop
        self._make_room = make_room
        self._witness = witness
        self._part_index = part_index
        self._approach = Approach(source.rtsp_transport)
        self._pauses = Pauses(source, clock=clock, stop=stop)
        self._told: str | None = None

    def run(self) -> None:
        """Record until stopped; survives everything that can go wrong with one connection."""
        lifecycle.repeat(
            self._run, what=f"recording {self._source.camera}", stop=self._stop, clock=self._clock
        )
        self._archive.close()
        self.report.state = CameraState.STOPPED

    def claim(self) -> None:
        """Take the camera's folder.

        Raises:
            OSError: nothing can be recorded there.
        """
        if self._archive.shelf.claim():
            self._archive.shelf.try_out()

    def _run(self) -> None:
        try:
            self._record()
        except OSError as error:
            is_full = disk.is_full(error)
            self.report.state = CameraState.DISK_FULL if is_full else CameraState.FAILING
            self.report.detail = lifecycle.refused(error)
            if is_full:
                self._make_room()
            raise

    def _record(self) -> None:
        if not self._archive.open():
            self.report.detail = "another recorder has this camera's directory"
            log.error(self.report.detail, extra={"camera": self._source.camera})
            return
        while not self._stop.is_set():
            self._connect()

    def _connect(self) -> None:
        started = self._clock.monotonic()
        self._approach.begin(started)
        self._witness.begins(self._approach.plan)
        self._archive.try_out()
        attempt = Attempt(
            self._source,
            self._approach.plan,
            self._archive,
            program=self._program,
            keep_audio=self._approach.keep_audio,
            patience=self._approach.patience(started),
            report=self.report,
            clock=self._clock,
            stop=self._stop,
            witness=self._witness,
            part_index=self._part_index,
        )
        ending = attempt.run()
        if self._stop.is_set():
            return
        lasted_s = self._clock.monotonic() - started
        changed = self._approach.learn(
            ending, saw_frames=attempt.recorded, monotonic_s=self._clock.monotonic()
        )
        self._tell(ending, changed=changed)
        self._witness.ended(
            ending.state, ending.detail, kind=ending.kind, found=ending.found, changed=changed
        )
        if ending.state == CameraState.DISK_FULL:
            self._make_room()
        if not changed:
            self._pauses.after(ending, lasted_s)

    def _tell(self, ending: Ending, *, changed: bool) -> None:
        self.report.state, self.report.detail = ending.state, ending.detail
        facts: dict[str, object] = {
            "camera": self._source.camera,
            "state": ending.state,
            "detail": ending.detail,
        }
        if changed:
            facts["plan"] = self._approach.plan
            log.info("camera needs another way of recording", extra=facts)
            return
        metrics.RECONNECTS.labels(camera=self._source.camera, reason=ending.cause).inc()
        # A pushed camera may wait for its client for days.
        level = logging.DEBUG if ending.detail == self._told == NO_STREAM else logging.WARNING
        self._told = ending.detail
        log.log(level, "recording interrupted, connecting again", extra=facts)
