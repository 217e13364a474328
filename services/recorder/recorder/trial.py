"""`python -m recorder.trial`: records the cameras for some seconds as the recorder does.

Nothing is kept. What came of each is told as a line of JSON (`hazardcast.contract.trials`).
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.contract.trials import RecordingTrial, Waiting
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.media.ffmpeg import find_ffmpeg
from hazardcast.service import lifecycle, logs
from recorder import child, measure
from recorder.archive import Archive
from recorder.attempt import Source
from recorder.camera import CameraRecorder
from recorder.disk import Shelf
from recorder.index import RecordingIndex
from recorder.measure import Arrival
from recorder.observed import Observed
from recorder.service import source_of

LONGEST_TRIAL_S = 180.0
"""Two short waits for a key frame and a long one (`approach.KEY_PATIENCE_S`), and what follows."""
LOOK_S = 0.25
SAID_EVERY_S = 5.0
STOPPING_S = 4.5


@dataclass(frozen=True)
class _Cost:
    """Processor time of an ffmpeg when its pictures had come so far."""

    pid: int
    connection: int
    cpu_s: float
    shown_s: float


class CameraTrial:
    """Tries one camera, on the threads that its recorder would have."""

    def __init__(self, source: Source, recordings_dir: Path, *, program: str, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._folder = recordings_dir.resolve() / source.camera
        self._stop = threading.Event()
        self._observed = Observed(self._bytes)
        archive = Archive(Shelf(recordings_dir, source.camera), RecordingIndex(), lambda: None)
        self._recorder = CameraRecorder(
            source, archive, program=program, clock=clock, stop=self._stop,
            make_room=lambda: None, witness=self._observed,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._recorder.run, daemon=True)
        self._began_s = self._said_s = clock.monotonic()
        self._key_after_s: float | None = None
        self._cost: _Cost | None = None
        self._transport: str | None = None
        self.result: RecordingTrial | None = None

    def start(self) -> None:
        """Begin to record."""
        self._thread.start()

    def look(self, *, last: bool = False) -> BaseModel | None:
        """What is to be told now; with `result` set the trial is over.

        Args:
            last: the trial ends here, whatever has come of it.
        """
        now_s = self._clock.monotonic()
        lasted_s = now_s - self._began_s
        self._watch(lasted_s)
        enough = self._observed.is_enough or self._observed.verdict is not None
        if enough or last or lasted_s > LONGEST_TRIAL_S:
            self.result = self._result()
            self._stop.set()
            return self.result
        report = self._recorder.report
        if report.state == "waiting" and now_s - self._said_s >= SAID_EVERY_S:
            self._said_s = now_s
            return Waiting(
                camera=self._source.camera,
                detail=report.detail or "waiting for a key frame",
                for_s=round(lasted_s, 1),
            )
        return None

    def join(self, timeout_s: float) -> None:
        """Wait until its ffmpeg is gone."""
        self._thread.join(timeout_s)

    def _watch(self, lasted_s: float) -> None:
        """Note once a connection what can be told only while it lasts."""
        connection, arrivals = self._observed.connections, self._observed.arrivals
        if not arrivals:
            return
        if self._key_after_s is None:
            self._key_after_s = lasted_s
        if self._cost is None or self._cost.connection != connection:
            pid = child.working_in(self._folder / ".open")
            cpu_s = child.cpu_s(pid) if pid else None
            if pid and cpu_s is not None:
                self._cost = _Cost(pid, connection, cpu_s, measure.span_s(list(arrivals)))
                self._transport = self._transport_of(pid) or self._transport

    def _bytes(self) -> int:
        total = 0
        for path in self._folder.rglob("*.ts"):
            with contextlib.suppress(OSError):
                total += path.stat().st_size
        return total

    def _result(self) -> RecordingTrial:
        observed, report = self._observed, self._recorder.report
        verdict = observed.verdict
        arrivals = verdict.arrivals if verdict else tuple(observed.arrivals)
        state, detail = (
            (verdict.state, verdict.detail) if verdict else (report.state, report.detail)
        )
        recorded = verdict.recorded_bytes if verdict else observed.recorded_bytes
        found, plan = observed.found, observed.plan
        facts = RecordingTrial(
            camera=self._source.camera,
            recorded=bool(arrivals) and recorded > 0,
            state=state,
            detail=detail,
            video=found.video,
            size=found.size,
            audio=None if found.audio == "none" else found.audio,
            video_plan=plan.video,
            audio_plan=plan.audio,
        )
        return facts.model_copy(update=self._figures(arrivals, recorded)) if arrivals else facts

    def _figures(self, arrivals: Sequence[Arrival], recorded: int) -> dict[str, object]:
        plan = self._observed.plan
        rate = measure.clock_rate(arrivals) if plan.times == "stream" else None
        return {
            "measured_s": measure.span_s(arrivals),
            "fps": measure.fps(arrivals),
            "key_interval_s": measure.key_interval_s(arrivals),
            "key_waited_s": self._key_after_s,
            "b_frames": measure.has_b_frames(arrivals),
            "bit_rate_bps": measure.recorded_bps(
                arrivals, recorded, is_copied=plan.video == "copy"
            ),
            "clock_rate": rate[0] if rate else None,
            "clock_rate_error": rate[1] if rate else None,
            "transport": self._transport,
            "cpu_share": self._cpu_share(measure.span_s(arrivals)),
        }

    def _transport_of(self, pid: int) -> str | None:
        """Asked while it runs: the connection may be over when the trial is judged."""
        if not self._source.url.startswith("rtsp:"):
            return None
        used = child.uses_udp(pid)
        return None if used is None else ("udp" if used else "tcp")

    def _cpu_share(self, shown_s: float) -> float | None:
        """Processor time per second of pictures: also right where ffmpeg works off a burst."""
        if self._cost is None or shown_s - self._cost.shown_s <= 1.0:
            return None
        cpu_s = child.cpu_s(self._cost.pid)
        return (
            None if cpu_s is None else (cpu_s - self._cost.cpu_s) / (shown_s - self._cost.shown_s)
        )


def run(settings: Settings, folder: Path, stop: threading.Event) -> None:
    """Try every chosen camera, side by side, until each is judged.

    Raises:
        ConfigError: the configuration is wrong, or credentials are not set.
    """
    clock, program = SystemClock(), find_ffmpeg(settings.ffmpeg)
    chosen = site.load(settings.config).chosen(settings.camera_ids)
    trials = [
        CameraTrial(source_of(name, camera, settings), folder, program=program, clock=clock)
        for name, camera in chosen.items()
    ]
    for trial in trials:
        trial.start()
    while open_ones := [trial for trial in trials if trial.result is None]:
        is_last = clock.wait(stop, LOOK_S)
        for trial in open_ones:
            _say(trial.look(last=is_last))
    deadline = clock.monotonic() + STOPPING_S
    for trial in trials:
        trial.join(max(0.0, deadline - clock.monotonic()))


def _say(word: BaseModel | None) -> None:
    if word is not None:
        sys.stdout.write(word.model_dump_json() + "\n")
        sys.stdout.flush()


def serve(settings: Settings, stop: threading.Event) -> None:
    """On the volume of the recordings, where there is room and where they may be written."""
    logs.configure("CRITICAL", "text")  # what is to be told is told in the results
    with _scratch(settings.data_dir) as folder:
        run(settings, Path(folder), stop)


def _scratch(data_dir: Path) -> tempfile.TemporaryDirectory[str]:
    """A folder beside the recordings, else where the system has room for such."""
    try:
        return tempfile.TemporaryDirectory(
            prefix=".trial-", dir=data_dir, ignore_cleanup_errors=True
        )
    except OSError:
        return tempfile.TemporaryDirectory(prefix="hazardcast-", ignore_cleanup_errors=True)


if __name__ == "__main__":
    lifecycle.run_service(serve)
