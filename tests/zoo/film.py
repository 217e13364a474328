"""Films whose every picture carries its own time, in any coding, made with ffmpeg and kept.

Picture `n` shows the clock `FILM_MS + n / fps` (`hazardcast.media.burnt_clock`) and four grey patches that
tell whether brightness came through. Whoever sends a film knows the wall clock at which it began, so
each picture tells when it was taken.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hazardcast.media import burnt_clock
from tests.zoo import paff

FILM_MS = 1_000_000_000_000
"""What the clock shows at a film's beginning; no real camera shows it."""
OTHER_FILM_MS = FILM_MS + 10_000_000
"""The same of a film that nobody wants to see."""
LEVELS = (48, 96, 160, 216)
"""Brightness of the patches, 0 to 255."""
BITEXACT = ("-threads", "1")
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-crf", "20", "-g", "15")
X264_B = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-g", "15")
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-crf", "20")
SMALL = (320, 180)
_FINE = ("-sc_threshold", "0")


@dataclass(frozen=True)
class Film:
    """What is filmed, and how it is coded."""

    codec: tuple[str, ...] = X264
    fps: float = 15.0
    seconds: float = 34.0
    size: tuple[int, int] = SMALL
    drawn: tuple[int, int] | None = None
    """Drawn smaller than coded: pictures of many pixels take long to draw."""
    pixels: str = "yuv420p"
    filters: str = ""
    kind: str = "mpegts"
    """ffmpeg's name of the file's format; `paff` for fields of pictures, which no encoder makes."""
    muxer: tuple[str, ...] = ()
    sound: tuple[str, ...] = ()
    """Encoder of a tone beside it."""
    base_ms: int = FILM_MS
    pauses: tuple[tuple[float, float], ...] = ()
    """(moment, seconds): the camera takes no picture for so long."""
    wavering: bool = False
    """Every third picture comes late: no constant rate."""

    def taken_s(self) -> list[float]:
        """When each picture is taken, counted from the beginning, in order."""
        count = round(self.seconds * self.fps)
        times = [n / self.fps for n in range(count)]
        if self.wavering:
            times = [t + (0.6 / self.fps if n % 3 == 1 else 0.0) for n, t in enumerate(times)]
        for moment, pause_s in self.pauses:
            times = [t if t < moment else t + pause_s for t in times]
        return [round(t, 3) for t in times]

    @property
    def clock_ms(self) -> list[int]:
        """What the clock of each picture shows."""
        return [self.base_ms + round(1000 * t) for t in self.taken_s()]


def made(film: Film) -> Path:
    """The film's file; made only where it is not there yet."""
    name = hashlib.sha256(repr(film).encode() + _sources()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"hazardcast-zoo-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / name
    if not path.exists():
        draft = folder / f"{name}.{os.getpid()}"
        _make(film, draft)
        draft.replace(path)
    return path


def _sources() -> bytes:
    return Path(__file__).read_bytes() + Path(paff.__file__).read_bytes()


def _make(film: Film, path: Path) -> None:
    if film.kind == "paff":
        path.write_bytes(paff.stream(pictures(film), fps=film.fps))
        return
    width, height = film.drawn or film.size
    filters = ",".join(one for one in (film.filters, _scaled(film), f"format={film.pixels}") if one)
    tone = ("-f", "lavfi", "-i", f"sine=440:sample_rate=16000:duration={film.seconds}")
    command = [
        "ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}",
        "-r", f"{film.fps:g}", "-i", "pipe:0", *(tone if film.sound else ()), "-map", "0:v",
        *(("-map", "1:a", *film.sound) if film.sound else ()), "-vf", filters, *film.codec,
        *(_FINE if "libx26" in " ".join(film.codec) else ()), "-threads", "1", *film.muxer,
        "-f", film.kind, str(path),
    ]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stderr
        for picture in pictures(film):
            process.stdin.write(picture.tobytes())
        process.stdin.close()
        said = process.stderr.read().decode()
    assert process.returncode == 0, said


def _scaled(film: Film) -> str:
    return f"scale={film.size[0]}:{film.size[1]}:flags=neighbor" if film.drawn else ""


def pictures(film: Film) -> Iterator[NDArray[np.uint8]]:
    """Its pictures as they are drawn: grey, (height, width)."""
    width, height = film.drawn or film.size
    background = np.add.outer(np.arange(height), np.arange(width)) // 4 % 64 + 60
    for number, clock_ms in enumerate(film.clock_ms):
        picture = background.astype(np.uint8)
        left = number * 5 % (width - 20)
        picture[height // 4 : height // 3, left : left + 20] = 200
        for place, level in enumerate(LEVELS):
            at = place * width // 4
            picture[height // 2 :, at : at + width // 4] = level
        burnt_clock.burn(picture, clock_ms)
        yield picture


def levels(picture: NDArray[np.uint8]) -> tuple[float, ...]:
    """Brightness of the four patches of a decoded picture (BGR or grey)."""
    height, width = picture.shape[:2]
    rows = picture[round(height * 0.7) : round(height * 0.9)]
    middles = [round(width * (2 * place + 1) / 8) for place in range(len(LEVELS))]
    reach = max(2, width // 20)
    return tuple(float(rows[:, at - reach : at + reach].mean()) for at in middles)
