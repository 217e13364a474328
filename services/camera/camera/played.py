"""A file as a camera: sent at its own pace, from the start again when it loops."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from camera import encoder, probe
from camera.encoder import Stream
from camera.probe import Verdict
from camera.source import LocalCamera, SourceProblem, log
from camera.transport_stream import CLOCK_HZ, Chunk, Splitter, ticks_after
from hazardcast.contract.vocabulary import CameraState
from hazardcast.machine.clock import Clock
from hazardcast.service import video_file
from hazardcast.service.processes import run_captured

SAMPLE_S = 12.0
MOVING = 2
"""As many frames make a video."""
SAMPLE_TIMEOUT_S = 30.0
CHUNKS_AHEAD = 48
"""Read ahead, so that the next pass is under way when the present one ends."""
SHORTEST_PASS_S = 0.5
LATE_S = 2.0
"""Behind by this much (the machine slept): go on from now instead of rushing after."""
_QUEUE_S = 0.2
Problem: TypeAlias = SourceProblem | BrokenPipeError


@dataclass(frozen=True)
class _Piece:
    """A chunk, and when its frame is due after the start of the stream."""

    chunk: Chunk
    tables: bytes
    pass_number: int
    due_s: float


class PlayedFile(LocalCamera):
    """Streams a video file, copied where it can be, else encoded again."""

    def __init__(
        self, camera_id: str, path: Path, *, loop: bool, clock: Clock, ffmpeg: str
    ) -> None:
        super().__init__(camera_id, clock, ffmpeg)
        self._path = path
        self._loop = loop
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
        verdict = self._examine()
        log.info(
            "file is copied" if verdict.copy else "file is encoded again",
            extra={"camera": self.id, "reason": verdict.reason},
        )
        ahead: queue.Queue[_Piece | Problem | None] = queue.Queue(CHUNKS_AHEAD)
        over = threading.Event()
        reader = threading.Thread(
            target=self._read_ahead, args=(verdict, ahead, over), name=f"file of {self.id}"
        )
        reader.start()
        try:
            self._pace(ahead, stop)
        finally:
            over.set()
            self.interrupt()
            reader.join()
        if not stop.is_set() and not self._loop:
            self._become(CameraState.ENDED, "the file has been played once")
            self.channel.cut("file ended")
            stop.wait()

    def _examine(self) -> Verdict:
        if problem := video_file.system_problem(self._path):
            raise SourceProblem(f"{self._path}: {problem}")
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

    def _read_ahead(
        self,
        verdict: Verdict,
        ahead: queue.Queue[_Piece | Problem | None],
        over: threading.Event,
    ) -> None:
        """Read pass after pass into the queue; what went wrong goes there too, None at the end."""
        last: Problem | None = None
        try:
            for piece in self._pieces(verdict, over):
                if not _put(ahead, piece, over):
                    return
        except (SourceProblem, BrokenPipeError) as problem:
            last = problem
        _put(ahead, last, over)

    def _pieces(self, verdict: Verdict, over: threading.Event) -> Iterator[_Piece]:
        offset_s, pass_number = 0.0, 0
        while not over.is_set():
            pass_number += 1
            length_s = 0.0
            for piece in self._one_pass(verdict, pass_number, offset_s):
                length_s = piece.due_s - offset_s
                yield piece
            if over.is_set() or not self._loop:
                return
            if length_s < SHORTEST_PASS_S:
                raise SourceProblem(f"{self._path}: shorter than {SHORTEST_PASS_S:g} s")
            offset_s += length_s
            self._duration_s = length_s

    def _one_pass(self, verdict: Verdict, number: int, offset_s: float) -> Iterator[_Piece]:
        """The pieces of one pass, the last one empty: due when the next pass shall begin."""
        command = encoder.file_command(
            self._ffmpeg, self._path, copy=verdict.copy, offset_s=offset_s
        )
        stream = self._open(command)
        splitter, first, due_s, frame_s = Splitter(), None, 0.0, 0.0
        while data := stream.read():
            for chunk in splitter.feed(data):
                if chunk.dts is not None:
                    first = chunk.dts if first is None else first
                    position_s = ticks_after(first, chunk.dts) / CLOCK_HZ
                    frame_s, due_s = position_s - due_s, position_s
                yield _Piece(chunk, splitter.tables, number, offset_s + due_s)
        self._check_end(stream, empty=first is None)
        yield _Piece(Chunk(b"", starts_frame=False), b"", number, offset_s + due_s + frame_s)

    def _check_end(self, stream: Stream, *, empty: bool) -> None:
        """Raise unless the file came to its natural end."""
        killed = (stream.exit_code() or 0) < 0
        complaint = video_file.reason(stream.complaints()) if empty else ""
        self._close(stream)
        if killed:
            raise BrokenPipeError
        if empty:
            raise SourceProblem(f"{self._path}: {complaint}")

    def _pace(self, ahead: queue.Queue[_Piece | Problem | None], stop: threading.Event) -> None:
        """Send every piece at its time."""
        started_s: float | None = None
        self._pass_number = 0
        while not stop.is_set():
            piece = ahead.get()
            if isinstance(piece, Exception):
                raise piece
            if piece is None:
                return
            now_s = self._clock.monotonic()
            if started_s is None or now_s - started_s - piece.due_s > LATE_S:
                started_s = now_s - piece.due_s
            if self._clock.wait(stop, started_s + piece.due_s - now_s):
                return
            self._deliver(piece)

    def _deliver(self, piece: _Piece) -> None:
        if piece.pass_number != self._pass_number:
            self._pass_number = piece.pass_number
            self._pass_started_at = self._clock.now()
        if piece.chunk.data:
            self._send(piece.chunk, piece.tables)


def _put(
    ahead: queue.Queue[_Piece | Problem | None],
    piece: _Piece | Problem | None,
    over: threading.Event,
) -> bool:
    """Wait for room unless it is over."""
    while not over.is_set():
        try:
            ahead.put(piece, timeout=_QUEUE_S)
        except queue.Full:
            continue
        return True
    return False
