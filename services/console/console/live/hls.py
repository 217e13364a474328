"""What is answered to a name below `hls/{camera}/`, whoever asks: by HTTP or through the socket."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from console.live import answers, playlist, ranges, video
from console.live.answers import Answer
from console.live.line import Line
from console.live.live import Live
from console.live.video import Video
from console.problems import RefusedError, not_found
from hazardcast.machine.clock import Clock
from hazardcast.media import segments

LONGEST_WAIT_S = 6.0
"""Then the playlist is answered as it is: the camera may have gone."""
FIRST_WAIT_S = 3.0
"""Between two files, and while a camera comes back, there may be no part for a moment."""
AHEAD = 2
"""Files that a player may ask for before they are there (RFC 8216, second edition, 6.2.5.2)."""
LONGEST_WINDOW_S = 86_400.0
STILL_OPEN_S = 90.0
"""A window that ends so shortly ago may still get a file."""
NO_STORE = {"Cache-Control": "no-store"}
_NUMBERED = re.compile(r"(?:([a-z0-9-]{1,40})_)?(\d{1,15})\.ts")
_RECORDED = re.compile(r"(\d{1,15})-(\d{1,15})\.ts")


@dataclass(frozen=True)
class Asked:
    """The parameters of a playlist."""

    number: int | None = None
    """`_HLS_msn`: wait for this file."""
    part: int | None = None
    """`_HLS_part`: or for this part of it."""
    low_latency: bool = True
    start: float | None = None
    """Of a window of recordings, epoch seconds."""
    end: float | None = None

    @property
    def is_window(self) -> bool:
        """Whether recordings are asked for."""
        return self.start is not None or self.end is not None


class Hls:
    """All names of all cameras; the caller has seen to it that the camera may be seen."""

    def __init__(self, live: Live, recordings_dir: Path, *, clock: Clock) -> None:
        self._live = live
        self._recordings_dir = recordings_dir
        self._clock = clock

    async def answer(self, camera: str, name: str, asked: Asked, byte_range: str | None) -> Answer:
        """The playlist or file of this name.

        Raises:
            RefusedError: 400, 404 or 416.
        """
        if name == "live.m3u8":
            return await self._playlist(camera, asked)
        if name == f"{camera}.m3u8":
            line = await self._line(camera)
            return _text(playlist.classic(line, prefix=f"{camera}_"))
        if found := self._kept(camera, name, byte_range):
            return found
        return await asyncio.to_thread(self._file, camera, name, byte_range)

    async def _playlist(self, camera: str, asked: Asked) -> Answer:
        if asked.is_window:
            return await asyncio.to_thread(self._window, camera, asked)
        if asked.part is not None and asked.number is None:
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, "_HLS_part needs _HLS_msn", field="_HLS_part"
            )
        line = await self._line(camera)
        if asked.number is not None:
            line = await self._line_with(camera, line, asked.number, asked.part)
        make = playlist.low_latency if asked.low_latency else playlist.classic
        return _text(make(line))

    async def _line(self, camera: str) -> Line:
        """The line of a camera that is recorded.

        Raises:
            RefusedError: 404, nothing of it is recorded now.
        """
        line = await self._live.line_with(camera, 0, 0, FIRST_WAIT_S)
        if line.newest is None:
            raise not_found("there is no live picture of this camera")
        return line

    async def _line_with(self, camera: str, line: Line, number: int, part: int | None) -> Line:
        assert line.newest is not None
        if number > line.newest.number + AHEAD:
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, "_HLS_msn is too far ahead", field="_HLS_msn"
            )
        return await self._live.line_with(camera, number, part, LONGEST_WAIT_S)

    def _window(self, camera: str, asked: Asked) -> Answer:
        start, end = asked.start, asked.end
        if start is None or end is None:
            missing = "from" if start is None else "to"
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, f"a window needs {missing}, too", field=missing
            )
        if not 0 <= start < end or end - start > LONGEST_WINDOW_S:
            longest = f"from must be before to, by {LONGEST_WINDOW_S / 3600:.0f} hours at most"
            raise RefusedError(HTTPStatus.BAD_REQUEST, longest, field="from")
        found = segments.list_segments(self._recordings_dir, camera, start=start, end=end)
        runs = segments.read_runs(self._recordings_dir, camera)
        begins = frozenset(round(run.started_at * 1000) for run in runs)
        ended = end < self._clock.now() - STILL_OPEN_S
        return _text(playlist.recorded(found, begins, ended=ended))

    def _kept(self, camera: str, name: str, byte_range: str | None) -> Answer | None:
        """What has just been read for another viewer."""
        match = _NUMBERED.fullmatch(name)
        if match is None or match[1] not in {None, camera} or byte_range is None:
            return None
        piece = ranges.exact(byte_range)
        data = self._live.kept(camera, int(match[2]), piece) if piece else None
        if data is None or piece is None:
            return None
        return answers.of_piece(data, piece, "*", video.MEDIA_TYPE)

    def _file(self, camera: str, name: str, byte_range: str | None) -> Answer:
        if match := _NUMBERED.fullmatch(name):
            number = int(match[2])
            found = self._live.video(camera, number) if match[1] in {None, camera} else None
            return self._bytes(found, byte_range, keep=(camera, number))
        if match := _RECORDED.fullmatch(name):
            start_ms, end_ms = int(match[1]), int(match[2])
            found = video.recorded(self._recordings_dir, camera, start_ms, end_ms)
            return self._bytes(found, byte_range)
        raise no_file()

    def _bytes(
        self, found: Video | None, byte_range: str | None, *, keep: tuple[str, int] | None = None
    ) -> Answer:
        if found is None:
            raise no_file()
        piece = answers.asked_of(found, byte_range)
        if piece is None or keep is None or piece.size > video.BLOCK_BYTES * 8:
            return answers.of_file(found, byte_range, media_type=video.MEDIA_TYPE)
        data = found.read(piece)
        self._live.keep(*keep, found, piece, data)
        return answers.of_piece(data, piece, str(found.size), video.MEDIA_TYPE)


def no_file() -> RefusedError:
    """The one answer for every name that is not there or is none."""
    return not_found("there is no such file of this camera")


def _text(text: str) -> Answer:
    return Answer(text.encode(), playlist.MEDIA_TYPE, dict(NO_STORE))
