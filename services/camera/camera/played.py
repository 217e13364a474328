"""A file as a camera: sent at its own pace, from the start again when it loops."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from camera import encoder, probe
from camera.encoder import Stream
from camera.paced import SHORTEST_PASS_S, PacedCamera, Piece
from camera.probe import Verdict
from camera.source import SourceProblem, log
from camera.transport_stream import Splitter
from hazardcast.contract.vocabulary import CameraState
from hazardcast.machine.clock import Clock
from hazardcast.service import video_file
from hazardcast.service.processes import run_captured

SAMPLE_S = 12.0
MOVING = 2
"""As many frames make a video."""
SAMPLE_TIMEOUT_S = 30.0


class PlayedFile(PacedCamera):
    """Streams a video file, copied where it can be, else encoded again."""

    def __init__(
        self, camera_id: str, path: Path, *, loop: bool, clock: Clock, ffmpeg: str
    ) -> None:
        super().__init__(camera_id, clock, ffmpeg)
        self._path = path
        self._loop = loop
        self._verdict = Verdict(copy=False, reason="has not been looked at")
        self._pass_number = 0
        self._pass_started_at: float | None = None
        self._duration_s: float | None = None

    def facts(self) -> dict[str, Any]:
        """When position 0 of the present pass was sent, and how long the file is."""
        return {
            "camera": self.id,
            "file": str(self._path),
            "state": self.state,
            "started_at": None
            if self._pass_started_at is None
            else round(self._pass_started_at, 3),
            "duration_s": None if self._duration_s is None else round(self._duration_s, 3),
            "pass": self._pass_number,
            "loop": self._loop,
        }

    def _produce(self, stop: threading.Event) -> None:
        self._verdict = self._examine()
        log.info(
            "file is copied" if self._verdict.copy else "file is encoded again",
            extra={"camera": self.id, "reason": self._verdict.reason},
        )
        self._pass_number = 0
        self._play(stop)
        if not stop.is_set() and not self._loop:
            self._become(CameraState.ENDED, "the file has been played once")
            self.channel.cut("file ended")
            stop.wait()

    def _examine(self) -> Verdict:
        if problem := video_file.system_problem(self._path):
            raise SourceProblem(f"{self._path}: {problem}{_hint(self._path)}")
        command = encoder.sample_command(self._ffmpeg, self._path, seconds=SAMPLE_S)
        _, data, words = run_captured(command, timeout_s=SAMPLE_TIMEOUT_S)
        splitter = Splitter()
        chunks = splitter.feed(data)
        self._duration_s = probe.duration_s(words)
        if sum(chunk.starts_frame for chunk in chunks) < MOVING:
            return self._encoded_if_readable()
        if probe.is_turned(words):
            return Verdict(copy=False, reason="is shown turned")
        verdict = probe.judge(splitter.stream_type, chunks)
        return self._as_shown(verdict) if verdict.copy else verdict

    def _as_shown(self, verdict: Verdict) -> Verdict:
        """An edit list may begin between key frames; what lies before it is not to be shown."""
        told = []
        for copy in (True, False):
            command = encoder.first_command(self._ffmpeg, self._path, copy=copy)
            told.append(probe.first_time_s(run_captured(command, timeout_s=SAMPLE_TIMEOUT_S)[1]))
        packet_s, picture_s = told
        if packet_s is None or picture_s is None or packet_s > picture_s - probe.SAME_S:
            return verdict
        return Verdict(copy=False, reason=f"is shown from {picture_s - packet_s:.2f} s on")

    def _encoded_if_readable(self) -> Verdict:
        """What cannot be copied (its packets carry no times, say) may well be decoded."""
        if problem := video_file.problem_of(self._path, self._ffmpeg):
            raise SourceProblem(f"{self._path}: {problem}")
        return Verdict(copy=False, reason="its packets cannot be copied")

    def _pieces(self, over: threading.Event) -> Iterator[Piece]:
        offset_s, number = 0.0, 0
        while not over.is_set():
            number += 1
            length_s = 0.0
            command = encoder.file_command(
                self._ffmpeg, self._path, copy=self._verdict.copy, offset_s=offset_s
            )
            for piece in self._one_pass(self._open(command), number, offset_s):
                length_s = piece.due_s - offset_s
                yield piece
            if over.is_set() or not self._loop:
                return
            if length_s < SHORTEST_PASS_S:
                raise SourceProblem(f"{self._path}: shorter than {SHORTEST_PASS_S:g} s")
            offset_s += length_s
            self._duration_s = length_s

    def _check_end(self, stream: Stream, *, empty: bool) -> None:
        killed = (stream.exit_code() or 0) < 0
        complaint = video_file.reason(stream.complaints()) if empty else ""
        self._close(stream)
        if killed:
            raise BrokenPipeError
        if empty:
            raise SourceProblem(f"{self._path}: {complaint}")

    def _pass_begins(self, number: int) -> None:
        self._pass_number = number
        self._pass_started_at = self._clock.now()


def _hint(path: Path) -> str:
    return "; with / at its end, its files play one after another" if path.is_dir() else ""
