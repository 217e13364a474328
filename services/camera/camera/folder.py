"""A folder as a camera: its files one after another, as one live stream that nothing interrupts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from camera import encoder, metrics, probe, queue_folder
from camera.encoder import Size, Stream
from camera.file_queue import SETTLED_S, FileQueue
from camera.paced import SHORTEST_PASS_S, PacedCamera, Piece
from camera.source import SourceProblem, log
from camera.transport_stream import Chunk
from hazardcast.contract.messages import CameraStatus
from hazardcast.machine import refusals
from hazardcast.machine.clock import Clock
from hazardcast.service import lifecycle, video_file
from hazardcast.service.processes import run_captured

LOOK_S = 0.5
FIRST_FILE_S = SETTLED_S + 4.0
"""So long a stream waits for its first file, whose size it takes."""
EMPTY_SIZE: Size = (1280, 720)
MOST_SIZE: Size = (1920, 1080)
LEAD_S = 0.5
"""After the grey picture: what the next file's first frame takes."""
TRIES = 2
MOST_TOLD = 8
Finished = Literal["stay", "move"]


class FolderCamera(PacedCamera):
    """Streams the files of a folder, on pictures of one size; new ones join the queue."""

    def __init__(
        self,
        camera_id: str,
        folder: Path,
        *,
        loop: bool,
        finished: Finished,
        clock: Clock,
        ffmpeg: str,
    ) -> None:
        super().__init__(camera_id, clock, ffmpeg)
        self._folder, self._moves = folder, finished == "move"
        self._queue = FileQueue(loop=loop and not self._moves)
        self._lock = threading.Lock()
        self._size: Size | None = None
        self._passes: dict[int, str | None] = {}
        """The passes that are read, and have not been sent to their end."""
        self._reading: str | None = None
        self._shown: str | None = None
        self._shown_since: float | None = None
        self._played = 0
        self._problem: str | None = None

    def facts(self) -> dict[str, Any]:
        """What is played since when, what waits, and what cannot be played."""
        with self._lock:
            refused = self._queue.refused
            return {
                "camera": self.id,
                "folder": str(self._folder),
                "state": self.state,
                "file": self._shown,
                "started_at": self._shown_since and round(self._shown_since, 3),
                "queued": self._queue.waiting + self._ahead(),
                "arriving": self._queue.arriving,
                "played": self._played,
                "refused": dict(list(refused.items())[:MOST_TOLD]),
            }

    @property
    def status(self) -> CameraStatus:
        """With what is played and how long the queue is, where nothing worse is to be told."""
        return super().status.model_copy(update={"detail": self.detail or self._in_words()})

    def _in_words(self) -> str:
        with self._lock:
            waiting, refused = self._queue.waiting + self._ahead(), self._queue.refused
        metrics.QUEUE_FILES.labels(camera=self.id).set(waiting)
        words = [f"plays {self._shown}" if self._shown else "the queue is empty"]
        words.append(f"{waiting} in the queue")
        if self._problem:
            words.append(self._problem)
        words += [f"{name}: {why}" for name, why in list(refused.items())[:1]]
        return "; ".join(words)

    def _ahead(self) -> int:
        """Files that are being read ahead of the one that is shown."""
        return sum(name is not None for name in list(self._passes.values())[1:])

    def _produce(self, stop: threading.Event) -> None:
        self._list()
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(over,), name=f"folder of {self.id}")
        watcher.start()
        try:
            self._put_back()
            self._settle_size(stop)
            self._play(stop)
        finally:
            over.set()
            watcher.join()

    def _put_back(self) -> None:
        with self._lock:
            self._queue.put_back([name for name in self._passes.values() if name is not None])
            self._passes.clear()

    def _settle_size(self, stop: threading.Event) -> None:
        """That of the first file, at most full HD; it holds as long as this process lives."""
        until_s = self._clock.monotonic() + FIRST_FILE_S
        while self._size is None and not self._clock.wait(stop, LOOK_S):
            with self._lock:
                first = self._queue.first_size()
            if first is not None or self._clock.monotonic() > until_s:
                self._size = _bounded(first or EMPTY_SIZE)

    def _list(self) -> list[str]:
        """Look what lies there; the files that have come to rest."""
        try:
            found = queue_folder.looks(self._folder)
        except OSError as error:
            raise SourceProblem(f"{self._folder}: {refusals.why(error)}") from None
        with self._lock:
            return self._queue.look(found, self._clock.monotonic())

    def _watch(self, over: threading.Event) -> None:
        """Judge each file when it has come to rest, before its turn comes."""
        while not over.is_set():
            try:
                for name in self._list():
                    self._judge(name)
                self._problem = None
            except SourceProblem as problem:
                self._problem = str(problem)
            except OSError as error:
                self._problem = lifecycle.refused(error)
            self._clock.wait(over, LOOK_S)

    def _judge(self, name: str) -> None:
        path = self._folder / name
        if queue_folder.is_being_written(path):
            with self._lock:
                self._queue.is_written(name, self._clock.monotonic())
            return
        problem, size = video_file.problem_of(path, self._ffmpeg), None
        if problem is None:
            command = encoder.first_command(self._ffmpeg, path, copy=False)
            told = run_captured(command, timeout_s=video_file.TIMEOUT_S)[1]
            size = probe.picture_size(told)
        if size is None:
            self._refuse(name, problem or "its size is not known")
            return
        with self._lock:
            self._queue.admit(name, width=size[0], height=size[1])

    def _refuse(self, name: str, why: str) -> None:
        log.warning("file is left out", extra={"camera": self.id, "file": name, "reason": why})
        metrics.QUEUE_DONE.labels(camera=self.id, reason="refused").inc()
        with self._lock:
            self._queue.refuse(name, why)

    def _pieces(self, over: threading.Event) -> Iterator[Piece]:
        offset_s, number = 0.0, 0
        while not over.is_set():
            number += 1
            with self._lock:
                name = self._passes[number] = self._queue.take()
            self._reading = name
            for piece in self._pass(name, number, offset_s, over):
                offset_s = max(offset_s, piece.due_s)
                yield piece

    def _pass(
        self, name: str | None, number: int, offset_s: float, over: threading.Event
    ) -> Iterator[Piece]:
        if name is None:
            return self._empty(number, offset_s, over)
        return self._file(name, number, offset_s)

    def _file(self, name: str, number: int, offset_s: float) -> Iterator[Piece]:
        assert self._size
        path = self._folder / name
        command = encoder.canvas_command(self._ffmpeg, path, self._size, offset_s=offset_s)
        length_s = 0.0
        for piece in self._one_pass(self._open(command), number, offset_s):
            length_s = piece.due_s - offset_s
            yield piece
        with self._lock:
            whole = self._queue.has_played(name)
        if whole and 0 < length_s < SHORTEST_PASS_S:
            self._refuse(name, f"shorter than {SHORTEST_PASS_S:g} s")

    def _empty(self, number: int, offset_s: float, over: threading.Event) -> Iterator[Piece]:
        """A grey picture until there is a file again."""
        assert self._size
        stream = self._open(encoder.empty_command(self._ffmpeg, self._size, offset_s=offset_s))
        for piece in self._one_pass(stream, number, offset_s):
            yield piece
            if over.is_set() or self._has_next():
                self._close(stream)
                nothing = Chunk(b"", starts_frame=False)
                yield Piece(nothing, b"", number, piece.due_s + LEAD_S)
                return

    def _check_end(self, stream: Stream, *, empty: bool) -> None:
        """A file that ends its ffmpeg begins again once; what cannot be read is left out."""
        killed = (stream.exit_code() or 0) < 0
        complaint = video_file.reason(stream.complaints()) if empty else ""
        self._close(stream)
        name = self._reading
        if name is None:
            if empty and not killed:
                raise SourceProblem(f"{self._folder}: no picture for an empty queue: {complaint}")
        elif killed:
            self._broke(name)
        elif empty:
            self._refuse(name, complaint)

    def _broke(self, name: str) -> None:
        with self._lock:
            again = self._queue.broke(name) < TRIES
            if again:
                self._queue.put_back([name])
        if not again:
            self._refuse(name, "ffmpeg is ended by it, or hangs")

    def _has_next(self) -> bool:
        with self._lock:
            return self._queue.has_next

    def _pass_begins(self, number: int) -> None:
        with self._lock:
            over = [self._passes.pop(one) for one in list(self._passes) if one < number]
            self._shown = self._passes.get(number)
            whole = [name for name in over if name and self._queue.has_played(name)]
        self._shown_since = self._clock.now()
        log.info("plays", extra={"camera": self.id, "file": self._shown or "nothing"})
        for name in whole:
            self._finish(name)

    def _finish(self, name: str) -> None:
        self._played += 1
        metrics.QUEUE_DONE.labels(camera=self.id, reason="played").inc()
        if not self._moves:
            return
        try:
            queue_folder.move_to_done(self._folder, name)
        except OSError as error:
            self._refuse(name, f"has been played, and cannot be moved: {refusals.why(error)}")


def _bounded(size: Size) -> Size:
    """Even, and within `MOST_SIZE`."""
    scale = min(1.0, *(most / one for most, one in zip(MOST_SIZE, size, strict=True)))
    width, height = (max(2, round(one * scale / 2) * 2) for one in size)
    return width, height
