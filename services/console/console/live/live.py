"""The cameras that are looked at: one thread reads their files, whoever waits is woken.

A camera that nobody has asked for lately costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from console.live.line import Line
from console.live.ranges import Piece
from console.live.reader import CameraReader
from console.live.video import Video
from hazardcast.machine.clock import Clock

LOOK_S = 0.1
IDLE_S = 30.0
"""A camera is not followed for longer after it was asked for."""
GLIMPSE_S = 60.0
"""What is told of a camera without its pictures changes seldom."""
KEPT_BYTES = 16 << 20
"""Of parts that many viewers ask for at once."""


@dataclass
class _Watched:
    reader: CameraReader
    asked_s: float = float("-inf")
    looked_s: float = float("-inf")
    waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = field(default_factory=list)


class Live:
    """Every configured camera's newest files."""

    def __init__(self, recordings_dir: Path, cameras: Mapping[str, float], *, clock: Clock) -> None:
        """`cameras`: id → wanted length of a file, s."""
        self._clock = clock
        self._watched = {
            name: _Watched(CameraReader(recordings_dir, name, segment_s=segment_s))
            for name, segment_s in cameras.items()
        }
        self._lock = threading.Lock()
        self._parts: OrderedDict[tuple[str, int, int, Piece], bytes] = OrderedDict()
        self._parts_bytes = 0

    def run(self, stop: threading.Event) -> None:
        """Follow what is looked at until stopped."""
        while not self._clock.wait(stop, LOOK_S):
            self.look()

    def look(self) -> None:
        """Read what is new of every camera that was asked for lately."""
        now_s = self._clock.monotonic()
        for watched in self._watched.values():
            if now_s - watched.asked_s <= IDLE_S:
                self._look(watched, now_s)

    def _look(self, watched: _Watched, now_s: float) -> None:
        watched.looked_s = now_s
        if watched.reader.look():
            with self._lock:
                waiting, watched.waiting = watched.waiting, []
            for loop, event in waiting:
                loop.call_soon_threadsafe(event.set)

    def line(self, camera: str) -> Line:
        """The line of a configured camera now; reads the disk where nobody did lately."""
        watched, now_s = self._watched[camera], self._clock.monotonic()
        watched.asked_s = now_s
        if now_s - watched.looked_s > 2 * LOOK_S:
            self._look(watched, now_s)
        return watched.reader.line

    def glimpsed(self, camera: str) -> Line:
        """The line as it was a minute ago at most; the camera is not followed for it."""
        watched, now_s = self._watched[camera], self._clock.monotonic()
        is_known = watched.reader.line.codec is not None
        if now_s - watched.looked_s > (GLIMPSE_S if is_known else GLIMPSE_S / 10):
            self._look(watched, now_s)
        return watched.reader.line

    def followed(self, camera: str) -> Line | None:
        """The line as it was read last, None where nobody has followed the camera lately."""
        watched, now_s = self._watched[camera], self._clock.monotonic()
        if now_s - watched.looked_s > 10 * LOOK_S:
            return None
        watched.asked_s = now_s
        return watched.reader.line

    async def line_with(self, camera: str, number: int, part: int | None, within_s: float) -> Line:
        """The line once it has a part (`Line.has`), or as it is after `within_s`."""
        watched = self._watched[camera]
        known = self.followed(camera)
        line = known if known is not None else await asyncio.to_thread(self.line, camera)
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + within_s
        while not line.has(number, part) and (left_s := deadline_s - loop.time()) > 0:
            await self._change(watched, line, left_s)
            watched.asked_s = self._clock.monotonic()
            line = watched.reader.line
        return line

    async def _change(self, watched: _Watched, line: Line, within_s: float) -> None:
        """Wait until there is another than `line`, for so long at most; nothing stays behind."""
        waiting = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            watched.waiting.append(waiting)
        try:
            if watched.reader.line is line:  # what came before somebody waited wakes nobody
                await asyncio.wait_for(waiting[1].wait(), min(IDLE_S / 2, within_s))
        except TimeoutError:
            return
        finally:
            with self._lock, contextlib.suppress(ValueError):
                watched.waiting.remove(waiting)

    def kept(self, camera: str, number: int, piece: Piece) -> bytes | None:
        """Bytes that somebody else has just read."""
        key = (camera, self._watched[camera].reader.counts, number, piece)
        with self._lock:
            if key in self._parts:
                self._parts.move_to_end(key)
            return self._parts.get(key)

    def video(self, camera: str, number: int) -> Video | None:
        """A file of a configured camera by its number, None where there is none (any more)."""
        self.line(camera)
        return self._watched[camera].reader.video(number)

    def piece(self, camera: str, number: int, piece: Piece) -> bytes | None:
        """A piece of a file, from memory where many ask for it; None where it is not there."""
        if data := self.kept(camera, number, piece):
            return data
        found = self.video(camera, number)
        if found is None or piece.last >= found.size:
            return None
        data = found.read(piece)
        self.keep(camera, number, found, piece, data)
        return data

    def keep(self, camera: str, number: int, found: Video, piece: Piece, data: bytes) -> None:
        """Keep what many will ask for."""
        if len(data) > KEPT_BYTES // 8:
            return
        with self._lock:
            key = (camera, found.counts, number, piece)
            self._parts_bytes += len(data) - len(self._parts.pop(key, b""))
            self._parts[key] = data
            while self._parts_bytes > KEPT_BYTES:
                self._parts_bytes -= len(self._parts.popitem(last=False)[1])
