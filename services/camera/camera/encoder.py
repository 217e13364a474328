"""Running ffmpeg. The only module of this service that starts processes.

No ffmpeg outlives this process, even if it is killed: the streaming ones end when their stdin ends
or when nobody reads their output any more, and no child inherits another's pipes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

QUIET = ("-hide_banner", "-loglevel", "error", "-nostats")
PICTURES = "0:V:0"
"""The first video that is no cover picture."""
PIPE_BYTES = 1 << 20
"""A whole frame fits: the writer does not wait for the reader in the middle of it."""
Size: TypeAlias = tuple[int, int]
"""Width and height, pixels."""
_SAME = (
    "h264_metadata=sample_aspect_ratio=1/1:chroma_sample_loc_type=0:video_full_range_flag=0"
    ":colour_primaries=2:transfer_characteristics=2:matrix_coefficients=2"
)
"""What of a file's nature stands in the parameter set, told alike for all."""
_READ_BYTES = 1 << 16
_ENDING_S = 0.5
_F_SETPIPE_SZ = 1031


def h264(fps: float, *, preset: str, crf: int) -> list[str]:
    """Arguments for low latency: no B-frames, no look-ahead, a keyframe every second."""
    group = f"{max(1, round(fps))}"
    return [
        "-c:v", "libx264", "-preset", preset, "-crf", f"{crf}", "-tune", "zerolatency",
        "-bf", "0", "-g", group, "-keyint_min", group, "-sc_threshold", "0",
        "-pix_fmt", "yuv420p", "-threads", "1",
    ]  # fmt: skip


def transport_stream() -> list[str]:
    """Arguments for a transport stream on stdout: every packet at once, tables before each frame.

    With the PES length filled in, a reader need not wait for the next frame to know that one ended.
    """
    return [
        "-f", "mpegts", "-flush_packets", "1", "-muxdelay", "0", "-muxpreload", "0",
        "-omit_video_pes_length", "0",
        "-mpegts_flags", "+pat_pmt_at_frames+initial_discontinuity", "pipe:1",
    ]  # fmt: skip


def raw_input(width: int, height: int, fps: float) -> list[str]:
    """Arguments for I420 frames on stdin."""
    return [
        "-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{width}x{height}",
        "-framerate", f"{fps:g}", "-i", "pipe:0",
    ]  # fmt: skip


def drawn_command(ffmpeg: str, *, width: int, height: int, fps: float) -> list[str]:
    """Frames on stdin → transport stream; a frame's time is the moment at which it came in."""
    arrival = "settb=1/90000,setpts=(RTCTIME-RTCSTART)*0.09"
    return [
        ffmpeg, *QUIET, "-fflags", "nobuffer", "-probesize", "32", "-analyzeduration", "0",
        *raw_input(width, height, fps), "-filter_threads", "1", "-vf", arrival,
        "-enc_time_base", "1:90000", *h264(fps, preset="veryfast", crf=24), *transport_stream(),
    ]  # fmt: skip


def pushed_command(ffmpeg: str, *, width: int, height: int) -> list[str]:
    """As `drawn_command`, with a keyframe every second at whatever rate the frames come."""
    command = drawn_command(ffmpeg, width=width, height=height, fps=30)
    at = command.index("-enc_time_base")
    return [*command[:at], "-force_key_frames", "expr:gte(t,n_forced)", *command[at:]]


def sample_command(ffmpeg: str, path: Path, *, seconds: float) -> list[str]:
    """The first seconds of a file's video, copied; ffmpeg tells about the file on stderr."""
    return [
        ffmpeg, "-hide_banner", "-nostats", "-t", f"{seconds:g}", "-i", _file_url(path),
        "-map", PICTURES, "-c:v", "copy", *transport_stream(),
    ]  # fmt: skip


def file_command(ffmpeg: str, path: Path, *, copy: bool, offset_s: float) -> list[str]:
    """A file's video from its start, its times shifted by `offset_s`; as fast as it is read."""
    return [
        ffmpeg, *QUIET, "-i", _file_url(path), "-map", PICTURES,
        *(["-c:v", "copy"] if copy else _encoded_again()),
        "-output_ts_offset", f"{offset_s:.6f}", *transport_stream(),
    ]  # fmt: skip


def canvas_command(ffmpeg: str, path: Path, size: Size, *, offset_s: float) -> list[str]:
    """A file's video in the middle of a picture of `size`, as all others of its stream."""
    return [
        ffmpeg, *QUIET, "-i", _file_url(path), "-map", PICTURES, *_on_canvas(size),
        "-output_ts_offset", f"{offset_s:.6f}", *transport_stream(),
    ]  # fmt: skip


def empty_command(ffmpeg: str, size: Size, *, offset_s: float) -> list[str]:
    """A grey picture of `size`, in real time, until it is ended."""
    grey = f"color=c=0x404040:s={size[0]}x{size[1]}:r=5"
    return [
        ffmpeg, *QUIET, "-re", "-f", "lavfi", "-i", grey, *_on_canvas(size),
        "-output_ts_offset", f"{offset_s:.6f}", *transport_stream(),
    ]  # fmt: skip


def _on_canvas(size: Size) -> list[str]:
    """Encoded so that one stream goes on from file to file: of one size, level and colours."""
    width, height = size
    fitted = (
        f"scale=w=trunc(iw*sar/2)*2:h=trunc(ih/2)*2,setsar=1,"
        f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2"
        f":out_range=tv,pad={width}:{height}:-1:-1,setsar=1,format=yuv420p,"
        "setparams=range=tv:color_primaries=unknown:color_trc=unknown:colorspace=unknown"
    )
    return [
        "-fps_mode", "vfr", "-enc_time_base", "1:90000", "-vf", fitted,
        *h264(30, preset="veryfast", crf=23), "-level:v", "4.2", "-bsf:v", _SAME,
        "-force_key_frames", "expr:gte(t,n_forced)",
    ]  # fmt: skip


def first_command(ffmpeg: str, path: Path, *, copy: bool) -> list[str]:
    """Tells the time of a file's first packet, or of its first picture, as `framecrc`."""
    own_times = ["-fps_mode", "passthrough", "-enc_time_base", "1:90000"]
    return [
        ffmpeg, *QUIET, "-i", _file_url(path), "-map", PICTURES,
        *(["-c:v", "copy"] if copy else own_times), "-frames:v", "1", "-f", "framecrc", "pipe:1",
    ]  # fmt: skip


def device_command(ffmpeg: str, device: str) -> list[str]:
    """A USB camera (Video4Linux), encoded as its frames come."""
    return [
        ffmpeg, *QUIET, "-fflags", "nobuffer", "-f", "v4l2", "-i", device,
        *_encoded_again(), *transport_stream(),
    ]  # fmt: skip


def _encoded_again() -> list[str]:
    """As H.264 of even width and height; a keyframe every second whatever the frame rate is.

    Each frame keeps its own time: by the rate that ffmpeg takes for the file's, a phone's would be
    shifted or dropped.
    """
    return [
        "-fps_mode", "vfr", "-enc_time_base", "1:90000",
        "-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2", *h264(30, preset="veryfast", crf=23),
        "-force_key_frames", "expr:gte(t,n_forced)",
    ]  # fmt: skip


def _file_url(path: Path) -> str:
    """With its protocol, so that no name is taken for another protocol or an option."""
    return f"file:{path}"


class Stream:
    """A running ffmpeg that writes a transport stream, and may read frames."""

    def __init__(self, command: Sequence[str], *, takes_frames: bool = False) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own arguments, no shell
            command,
            stdin=subprocess.PIPE if takes_frames else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        if self._process.stdin:
            _widen(self._process.stdin.fileno())
        self._complaints: deque[str] = deque(maxlen=8)
        self._listener = threading.Thread(target=self._listen, name="ffmpeg's words", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def write(self, frame: NDArray[np.uint8]) -> None:
        """Hand over one frame.

        Raises:
            BrokenPipeError: ffmpeg is gone.
        """
        assert self._process.stdin
        rest = np.ascontiguousarray(frame).data.cast("B")
        while rest:
            rest = rest[os.write(self._process.stdin.fileno(), rest) :]

    def read(self) -> bytes:
        """What ffmpeg has written; waits for at least a byte, empty at its end."""
        assert self._process.stdout
        return os.read(self._process.stdout.fileno(), _READ_BYTES)

    def complaint(self) -> str:
        """The last thing that ffmpeg had to say after it ended, one line."""
        self._listener.join(_ENDING_S)
        return self._complaints[-1] if self._complaints else f"ffmpeg exit {self.exit_code()}"

    def complaints(self) -> str:
        """All that is kept of what ffmpeg said, a line each."""
        self._listener.join(_ENDING_S)
        return "\n".join(self._complaints)

    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(_ENDING_S)
        return None

    def end_input(self) -> None:
        """No frame follows: it encodes what it has and ends."""
        if self._process.stdin:
            self._process.stdin.close()

    def kill(self) -> None:
        """End it now, from any thread: whoever reads or writes finds the pipe broken."""
        self._process.kill()

    def close(self) -> None:
        """End it, and leave nothing of it."""
        self._process.kill()
        self._process.wait()
        self._listener.join(_ENDING_S)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()

    def _listen(self) -> None:
        assert self._process.stderr
        with contextlib.suppress(ValueError, OSError):  # closed while it listened
            for line in self._process.stderr:
                if text := line.decode("utf-8", "replace").strip():
                    self._complaints.append(text[:200])


def _widen(descriptor: int) -> None:
    with contextlib.suppress(OSError):  # not on this system, or beyond the user's limit
        fcntl.fcntl(descriptor, _F_SETPIPE_SZ, PIPE_BYTES)


class FileEncoder:
    """Encodes frames into a video file, as fast as the machine can."""

    def __init__(self, ffmpeg: str, path: Path, *, width: int, height: int, fps: float) -> None:
        command = [ffmpeg, *QUIET, "-y", *raw_input(width, height, fps), "-c:v", "libx264"]
        command += ["-preset", "veryfast", "-crf", "23", "-bf", "0", "-g", f"{round(fps)}"]
        command += ["-pix_fmt", "yuv420p", "-movflags", "+faststart", str(path)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - as above

    def write(self, frame: NDArray[np.uint8]) -> None:
        """One more frame, I420."""
        assert self._process.stdin
        self._process.stdin.write(np.ascontiguousarray(frame).data)

    def close(self) -> int:
        """Finish the file; returns ffmpeg's exit code."""
        assert self._process.stdin
        self._process.stdin.close()
        return self._process.wait()
