"""What plays files: passes that are read ahead, and sent at their own pace as one stream."""

from __future__ import annotations

import queue
import threading
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from camera.encoder import Stream
from camera.source import LocalCamera, SourceProblem
from camera.transport_stream import Chunk, Splitter, ticks_after
from hazardcast.media.mpegts import CLOCK_HZ

CHUNKS_AHEAD = 48
"""Read ahead, so that the next pass is under way when the present one ends."""
SHORTEST_PASS_S = 0.5
LATE_S = 2.0
"""Behind by this much (the machine slept): go on from now instead of rushing after."""
_QUEUE_S = 0.2
Problem: TypeAlias = SourceProblem | BrokenPipeError


@dataclass(frozen=True)
class Piece:
    """A chunk, and when its frame is due after the start of the stream."""

    chunk: Chunk
    tables: bytes
    pass_number: int
    due_s: float


class PacedCamera(LocalCamera):
    """Sends pass after pass; subclasses know what the passes are."""

    @abstractmethod
    def _pieces(self, over: threading.Event) -> Iterator[Piece]:
        """All that is to be sent, read on a thread of its own; ends early when `over` is set."""

    @abstractmethod
    def _pass_begins(self, number: int) -> None:
        """The first piece of a pass is due now."""

    def _play(self, stop: threading.Event) -> None:
        """Send all pieces, each at its time."""
        ahead: queue.Queue[Piece | Problem | None] = queue.Queue(CHUNKS_AHEAD)
        over = threading.Event()
        reader = threading.Thread(
            target=self._read_ahead, args=(ahead, over), name=f"file of {self.id}"
        )
        reader.start()
        try:
            self._pace(ahead, stop)
        finally:
            over.set()
            self.interrupt()
            reader.join()

    def _read_ahead(
        self, ahead: queue.Queue[Piece | Problem | None], over: threading.Event
    ) -> None:
        """Read pass after pass into the queue; what went wrong goes there too, None at the end."""
        last: Problem | None = None
        try:
            for piece in self._pieces(over):
                if not _put(ahead, piece, over):
                    return
        except (SourceProblem, BrokenPipeError) as problem:
            last = problem
        _put(ahead, last, over)

    def _one_pass(self, stream: Stream, number: int, offset_s: float) -> Iterator[Piece]:
        """The pieces of one pass, the last one empty: due when the next pass shall begin."""
        splitter, first, due_s, frame_s = Splitter(), None, 0.0, 0.0
        while data := stream.read():
            for chunk in splitter.feed(data):
                if chunk.dts is not None:
                    first = chunk.dts if first is None else first
                    position_s = ticks_after(first, chunk.dts) / CLOCK_HZ
                    frame_s, due_s = position_s - due_s, position_s
                yield Piece(chunk, splitter.tables, number, offset_s + due_s)
        self._check_end(stream, empty=first is None)
        yield Piece(Chunk(b"", starts_frame=False), b"", number, offset_s + due_s + frame_s)

    @abstractmethod
    def _check_end(self, stream: Stream, *, empty: bool) -> None:
        """Close the stream of a pass; raise unless it came to its natural end."""

    def _pace(self, ahead: queue.Queue[Piece | Problem | None], stop: threading.Event) -> None:
        """Send every piece at its time."""
        started_s: float | None = None
        number = 0
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
            if piece.pass_number != number:
                number = piece.pass_number
                self._pass_begins(number)
            if piece.chunk.data:
                self._send(piece.chunk, piece.tables)


def _put(
    ahead: queue.Queue[Piece | Problem | None],
    piece: Piece | Problem | None,
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
