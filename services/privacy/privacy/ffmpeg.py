"""The only place that runs ffmpeg: pictures out of a file with their times, pictures into a file.

Each is a program of its own, so that a decoder that dies takes nobody along, and none outlives this
process: the one ends when nobody reads it any more, the other when nobody writes to it.
"""

from __future__ import annotations

import contextlib
import fcntl
import queue
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np

from hazardcast.service.processes import run_captured
from hazardcast.vision.pixels.image import Image
from privacy import ffmpeg_words, matroska
from privacy.ffmpeg_words import Packets, Shown, UnreadableError

PIPE_BYTES = 1 << 20
LISTING_S = 120.0
ENDING_S = 30.0
WORDS_S = 30.0
"""A picture whose bytes are there has been told of long before."""
KEPT_LINES = 6
LISTED = ("-copyts", "-map", "0:V:0?", "-map", "0:a?", "-map", "0:s?", "-map", "0:d?")
GROUP_S = 2.0


class FfmpegError(UnreadableError):
    """ffmpeg did not do it; the message carries its last words."""


@dataclass(frozen=True)
class Encoding:
    """How a covered file is encoded."""

    codec: str = "libx264"
    bitrate: str = "2M"
    preset: str = "ultrafast"
    threads: int = 1
    tools: str = "cabac=1:no-deblock=0:deblock=0,0"
    """Of x264: what `ultrafast` leaves out and is worth more than it costs."""


def _file(path: Path) -> str:
    """With its protocol, so that no name is taken for another protocol or an option."""
    return f"file:{path}"


def list_packets(program: str, path: Path) -> Packets:
    """A file's tracks and the times of its pictures, without decoding.

    Raises:
        UnreadableError: it is no transport stream with video.
    """
    code, out, words = run_captured(
        [program, "-v", "error", "-nostdin", "-f", "mpegts", "-i", _file(path), *LISTED,
         "-c", "copy", "-f", "framecrc", "-"],
        timeout_s=LISTING_S,
    )  # fmt: skip
    if code:
        raise FfmpegError(_last(words) or f"exit {code}")
    return ffmpeg_words.packets(out.decode("ascii", "replace"))


def elementary(program: str, path: Path) -> bytes:
    """A file's H.264 as an elementary stream.

    Raises:
        FfmpegError: it cannot be read.
    """
    code, out, words = run_captured(
        [program, "-v", "error", "-nostdin", "-f", "mpegts", "-i", _file(path), "-map", "0:V:0",
         "-c", "copy", "-f", "h264", "-"],
        timeout_s=LISTING_S,
    )  # fmt: skip
    if code:
        raise FfmpegError(_last(words) or f"exit {code}")
    return out


def _last(words: str) -> str:
    return " | ".join(words.strip().splitlines()[-2:])[-300:]


class Decoder:
    """A file's pictures, each with its time."""

    def __init__(
        self, program: str, path: Path, *, threads: int = 1, only: Sequence[int] = ()
    ) -> None:
        """Start to read `path`; of the pixels hand out `only` these pictures, else all."""
        chosen = "+".join(f"eq(n\\,{number})" for number in only)
        graph = "showinfo=checksum=0" + (f",select={chosen}" if only else "")
        self._only = only
        self._process = subprocess.Popen(  # noqa: S603 - our own arguments, no shell
            [program, "-hide_banner", "-nostats", "-nostdin", "-loglevel", "info",
             "-threads", f"{threads}", "-copyts", "-f", "mpegts", "-i", _file(path),
             "-map", "0:V:0", "-filter_threads", "1", "-vf", graph, "-fps_mode", "passthrough",
             "-pix_fmt", "yuv420p", "-f", "rawvideo", "pipe:1"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        _widen(self._process.stdout)
        self._told: queue.SimpleQueue[Shown | Exception | None] = queue.SimpleQueue()
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self.first: Shown | None = None
        self.pts: list[int] = []
        """Times of the pictures so far, also of those whose pixels nobody wants."""
        self._listener = threading.Thread(target=self._listen, name="decoder's words", daemon=True)
        self._listener.start()

    def frames(self) -> Iterator[tuple[Shown, Image]]:
        """Every picture in turn, as I420 bytes of its own.

        Raises:
            UnreadableError: ffmpeg failed, or the picture's size changes within the file.
        """
        while (seen := self._next()) is not None:
            if not self._only or seen.number in self._only:
                yield seen, self._pixels(seen)
        assert self._process.stdout
        if self._process.stdout.read(1):
            raise UnreadableError("more pixels than pictures")
        self._finish()

    def _next(self) -> Shown | None:
        try:
            seen = self._told.get(timeout=10 * WORDS_S)
        except queue.Empty:
            raise FfmpegError("the decoder stands still") from None
        if isinstance(seen, Exception):
            raise seen
        if seen is None:
            return None
        self.first = self.first or seen
        self.pts.append(seen.pts)
        if (seen.width, seen.height) != (self.first.width, self.first.height):
            raise UnreadableError(
                f"two picture sizes in one file: {self.first.width}x{self.first.height}, then "
                f"{seen.width}x{seen.height}"
            )
        if seen.width % 2 or seen.height % 2:
            raise UnreadableError(f"odd picture size {seen.width}x{seen.height}")
        return seen

    def _pixels(self, seen: Shown) -> Image:
        assert self._process.stdout
        buffer = np.empty(seen.width * seen.height * 3 // 2, np.uint8)
        view = buffer.data
        while view:
            count = self._process.stdout.readinto(view)  # type: ignore[attr-defined]
            if not count:
                raise FfmpegError(f"pixels end within picture {seen.number}: {self.words()}")
            view = view[count:]
        return buffer

    def _finish(self) -> None:
        try:
            code = self._process.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            raise FfmpegError("the decoder does not end") from None
        if code:
            raise FfmpegError(f"decoder ended with {code}: {self.words()}")

    def words(self) -> str:
        """Its last words, one line."""
        self._listener.join(1.0)
        return " | ".join(self._lines)[-300:]

    def _listen(self) -> None:
        assert self._process.stderr
        with contextlib.suppress(ValueError, OSError):  # closed while it listened
            for raw in self._process.stderr:
                line = raw.decode("utf-8", "replace").strip()
                try:
                    seen = ffmpeg_words.shown(line)
                except UnreadableError as error:
                    self._told.put(error)
                    continue
                if seen is not None:
                    self._told.put(seen)
                elif "showinfo" not in line:
                    self._lines.append(line)
        self._told.put(None)

    def close(self) -> None:
        """End it."""
        _end(self._process)
        self._listener.join(1.0)

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Encoder:
    """Pictures with their times into a transport stream that holds nothing else."""

    def __init__(
        self, program: str, output: Path, encoding: Encoding, *, first: Shown, fps: float
    ) -> None:
        """Start to write `output`, for pictures like `first`, about `fps` of them a second."""
        group = f"{max(1, round(fps * GROUP_S))}"
        x264 = ("-x264-params", encoding.tools) if encoding.codec == "libx264" else ()
        self._aspect = _aspect(first.aspect)
        self._process = subprocess.Popen(  # noqa: S603 - our own arguments, no shell
            [program, "-hide_banner", "-nostats", "-loglevel", "error", "-y",
             "-copyts", "-f", "matroska", "-i", "pipe:0", "-map", "0:v:0",
             "-map_metadata", "-1", "-map_chapters", "-1", "-filter_threads", "1", "-vf",
             self._aspect, "-fps_mode", "passthrough", "-enc_time_base", "1:90000",
             "-c:v", encoding.codec, "-preset", encoding.preset, *x264, "-bf", "0", "-g", group,
             "-b:v", encoding.bitrate, "-pix_fmt", "yuv420p", "-threads", f"{encoding.threads}",
             "-flags", "+bitexact", "-bsf:v", "filter_units=remove_types=6",
             "-muxdelay", "0", "-muxpreload", "0", "-f", "mpegts", _file(output)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        _widen(self._process.stdin)
        self.frames = 0
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._listener = threading.Thread(target=self._listen, name="encoder's words", daemon=True)
        self._listener.start()
        self._put(matroska.header(first.width, first.height))

    def write(self, pts: int, frame: Image) -> None:
        """One more picture, I420 bytes, shown at `pts`.

        Raises:
            FfmpegError: ffmpeg is gone.
        """
        self._put(matroska.before_frame(pts, frame.nbytes))
        self._put(frame.data)
        self.frames += 1

    def _put(self, data: Any) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(data)
        except (BrokenPipeError, ConnectionResetError):
            code = self._ended()
            raise FfmpegError(f"encoder ended with {code}: {self.words()}") from None

    def finish(self) -> None:
        """Have all that was handed over in the file.

        Raises:
            FfmpegError: ffmpeg failed, or does not end.
        """
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        code = self._ended()
        if code != 0:
            raise FfmpegError(f"encoder ended with {code}: {self.words()}")

    def _ended(self) -> int | None:
        try:
            return self._process.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            return None

    def words(self) -> str:
        """Its last words, one line."""
        self._listener.join(1.0)
        return " | ".join(self._lines)[-300:]

    def _listen(self) -> None:
        assert self._process.stderr
        with contextlib.suppress(ValueError, OSError):
            for raw in self._process.stderr:
                self._lines.append(raw.decode("utf-8", "replace").strip()[:200])

    def close(self) -> None:
        """End it."""
        _end(self._process)
        self._listener.join(1.0)

    def __enter__(self) -> Encoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _aspect(aspect: Fraction) -> str:
    return f"setsar={aspect.numerator}/{aspect.denominator}"


def _widen(pipe: IO[bytes] | None) -> None:
    with contextlib.suppress(OSError):  # as large as the system allows
        if pipe:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
