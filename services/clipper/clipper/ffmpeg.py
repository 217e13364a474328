"""The only place that runs ffmpeg: joining, re-encoding, one still picture, one question."""

from __future__ import annotations

import contextlib
import fcntl
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from clipper.plan import ORIGIN_TICKS
from hazardcast.machine.clock import Clock
from hazardcast.media.mpegts import CLOCK_HZ

Chunks = Iterable[bytes | bytearray]

ORIGIN_S = ORIGIN_TICKS / CLOCK_HZ
STALLED_S = 120.0
"""ffmpeg that takes no byte and does not end for this long is killed."""
POLL_S = 0.05
TERMINATE_S = 5.0
PIPE_BYTES = 1 << 20
QUEUED_PACKETS = 512
"""With a second input, ffmpeg 5 looks at its queues only every 10 ms: 8 packets, its default, make
a join last as long as 800 frames a second take."""
SQUARE_PIXELS = "scale=iw*sar:ih,setsar=1"
"""Cameras of 720x576 mean 4:3 or 16:9; what is encoded anew shows the same shapes."""
QUIET = ("-hide_banner", "-nostats", "-loglevel", "error", "-y")
_SIZE = re.compile(r"Video: .*?\b(\d{2,5})x(\d{2,5})\b(?: \[SAR (\d+):(\d+))?")
_FRAMES = re.compile(r"^frame=\s*(\d+)", re.MULTILINE)


class FfmpegError(Exception):
    """ffmpeg did not do it; the message carries its last words."""


class StoppedError(Exception):
    """The service was asked to stop, so ffmpeg was ended early."""


class Ffmpeg:
    """One ffmpeg program; every call ends it within seconds once `stop` is set."""

    def __init__(self, program: str, *, clock: Clock, stop: threading.Event) -> None:
        self._program = program
        self._clock = clock
        self._stop = stop

    def version(self) -> str:
        """What it calls itself, such as `ffmpeg version 7.1`."""
        run = subprocess.run(  # noqa: S603
            [self._program, "-version"], capture_output=True, text=True, check=False, timeout=30
        )
        return " ".join(run.stdout.partition("\n")[0].split()[:3])

    def join(
        self, stream: Chunks, output: Path, *, description: Path, codec: str, room: int
    ) -> int:
        """Copy a transport stream into an MP4 whose index stands first; returns its frames.

        Args:
            stream: the transport stream, its first frame stamped `ORIGIN_TICKS`.
            output: the MP4.
            description: metadata and chapters in ffmpeg's metadata format.
            codec: of the video.
            room: bytes kept free for the index at the file's beginning, which saves writing the
                file twice; where they do not suffice, `+faststart` does it in two passes.

        Raises:
            FfmpegError: it cannot be copied.
            StoppedError: `stop` was set.
        """
        tag = ("-tag:v", "hvc1") if codec == "hevc" else ()
        index = ("-moov_size", str(room)) if room else ("-movflags", "+faststart")
        return self._run(
            *("-copyts", "-thread_queue_size", str(QUEUED_PACKETS)),
            *("-f", "mpegts", "-i", "pipe:0"),
            *("-f", "ffmetadata", "-i", str(description)),
            *("-map", "0:v:0", "-map", "0:a?", "-map_metadata", "1", "-map_chapters", "1"),
            *("-c", "copy", *tag, "-output_ts_offset", f"-{ORIGIN_S}"),
            *(*index, "-f", "mp4", str(output)),
            stream=stream,
        )

    def reencode(self, stream: Chunks, output: Path, *, size: tuple[int, int]) -> int:
        """Encode a transport stream as H.264 of `size`, every frame at its stamp; returns frames.

        Raises:
            FfmpegError: it cannot be decoded or encoded.
            StoppedError: `stop` was set.
        """
        width, height = size
        fit = (
            f"{SQUARE_PIXELS},"
            f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2,"
            f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2,setsar=1"
        )
        return self._run(
            *("-copyts", "-f", "mpegts", "-i", "pipe:0", "-map", "0:v:0", "-vf", fit),
            *("-fps_mode", "passthrough", "-enc_time_base", f"1:{CLOCK_HZ}"),
            *("-c:v", "libx264", "-crf", "23", "-preset", "veryfast", "-pix_fmt", "yuv420p"),
            *("-muxdelay", "0", "-muxpreload", "0", "-f", "mpegts", str(output)),
            stream=stream,
        )

    def still(self, clip: Path, at_s: float, output: Path) -> None:
        """Write the first frame shown at or after `at_s` seconds of a clip as JPEG.

        Raises:
            FfmpegError: there is no such frame, or it cannot be decoded.
            StoppedError: `stop` was set.
        """
        self._run(
            *("-ss", f"{max(0.0, at_s):.6f}", "-i", str(clip), "-map", "0:v:0"),
            *(
                "-vf",
                SQUARE_PIXELS,
                "-frames:v",
                "1",
                "-q:v",
                "2",
                "-f",
                "image2",
                "-update",
                "1",
                str(output),
            ),
        )
        if not output.exists():
            raise FfmpegError(f"no frame at {at_s:.3f} s")

    def size_of(self, path: Path) -> tuple[int, int]:
        """Width and height at which a file's video is shown, in square pixels, even both.

        Raises:
            FfmpegError: ffmpeg finds no video in it.
        """
        run = subprocess.run(  # noqa: S603
            [self._program, "-hide_banner", "-i", str(path)],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        found = _SIZE.search(run.stderr)
        if not found:
            raise FfmpegError(f"no picture size found in {path.name}")
        aspect = int(found[3]) / int(found[4]) if found[4] and int(found[4]) else 1.0
        return _even(int(found[1]) * aspect), _even(int(found[2]))

    def _run(self, *arguments: str, stream: Chunks | None = None) -> int:
        with tempfile.TemporaryFile() as progress, tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(  # noqa: S603
                [self._program, *QUIET, "-progress", "pipe:1", *arguments],
                stdin=subprocess.DEVNULL if stream is None else subprocess.PIPE,
                stdout=progress,
                stderr=errors,
            )
            feeder = _Feeder(process.stdin, stream or ())
            try:
                self._wait(process, feeder)
            finally:
                _end(process)
                feeder.join()
            feeder.raise_problem()
            if process.returncode:
                raise FfmpegError(_last_words(errors) or f"exit code {process.returncode}")
            counts: Sequence[str] = _FRAMES.findall(_text(progress))
            return int(counts[-1]) if counts else 0

    def _wait(self, process: subprocess.Popen[bytes], feeder: _Feeder) -> None:
        progress, since = feeder.fed, self._clock.monotonic()
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(POLL_S)
                return
            if self._stop.is_set():
                raise StoppedError
            if feeder.fed != progress:
                progress, since = feeder.fed, self._clock.monotonic()
            elif self._clock.monotonic() - since > STALLED_S:
                raise FfmpegError(f"ffmpeg made no progress for {STALLED_S:.0f} s")


class _Feeder:
    """Writes a stream into ffmpeg's standard input from a thread of its own."""

    def __init__(self, pipe: IO[bytes] | None, stream: Chunks) -> None:
        self.fed = 0
        self._problem: OSError | None = None
        self._thread = threading.Thread(
            target=self._feed, args=(pipe, stream), name="ffmpeg input", daemon=True
        )
        self._thread.start()

    def _feed(self, pipe: IO[bytes] | None, stream: Chunks) -> None:
        if pipe is None:
            return
        with contextlib.suppress(OSError):  # as large as the system allows
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        try:
            with pipe:
                for chunk in stream:
                    pipe.write(chunk)
                    self.fed += len(chunk)
        except BrokenPipeError:
            pass  # ffmpeg ended first, and says why itself
        except OSError as error:
            self._problem = error

    def join(self) -> None:
        self._thread.join()

    def raise_problem(self) -> None:
        """A segment that cannot be read makes a clip that only looks whole: say so."""
        if self._problem is not None:
            raise FfmpegError(f"cannot read: {self._problem}") from self._problem


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(TERMINATE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)


def _last_words(errors: IO[bytes]) -> str:
    return " | ".join(line.strip() for line in _text(errors).splitlines()[-3:])[-400:]


def _text(file: IO[bytes]) -> str:
    """The file's last 16 KiB as text."""
    file.seek(max(0, file.seek(0, 2) - 16_384))
    return file.read().decode("utf-8", "replace")
