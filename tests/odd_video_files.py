"""Video files as they come from recorders, phones and tools; each frame carries its time as a clock."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hazardcast.media import burnt_clock

FPS = 15
FRAMES = 36
WIDTH, HEIGHT = 480, 270
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-g", "12", "-pix_fmt", "yuv420p")
B_FRAMES = (*X264, "-bf", "3", "-b_strategy", "0")
TKHD_MATRIX = 44
"""From the box's type to its matrix (ISO/IEC 14496-12, 8.3.2, version 0)."""
LATE_S = 0.4
"""Where the file with an edit list begins to be shown: between two key frames."""


class Studio:
    """Makes odd files in a folder with one ffmpeg."""

    def __init__(self, ffmpeg: str, folder: Path) -> None:
        self.ffmpeg, self.folder = ffmpeg, folder

    def run(self, *arguments: str | Path, frames: bytes = b"") -> None:
        command = [self.ffmpeg, "-loglevel", "error", "-y", *map(str, arguments)]
        subprocess.run(command, input=frames, check=True, timeout=60)

    def film(self, name: str, *output: str, turned: bool = False, inputs: tuple[str, ...] = ()) -> Path:  # fmt: skip
        """`output` from frames that show when they are shown."""
        pictures = []
        for number in range(FRAMES):
            picture = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
            picture[60 + 2 * number :, 100:200] = (220, 90, 40)
            burnt_clock.burn(picture, round(number * 1000 / FPS))
            pictures.append((np.rot90(picture) if turned else picture).tobytes())
        size = f"{HEIGHT}x{WIDTH}" if turned else f"{WIDTH}x{HEIGHT}"
        path = self.folder / name
        raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(FPS), "-i", "pipe:0")
        self.run(*inputs, *raw, *output, f"file:{path}", frames=b"".join(pictures))
        return path

    def packed_anew(self, source: Path, name: str, *options: str) -> Path:
        path = self.folder / name
        self.run(*options, "-i", f"file:{source}", "-map", "0", "-c", "copy", f"file:{path}")
        return path


def avi(studio: Studio) -> Path:
    return studio.packed_anew(studio.film("b.mp4", *B_FRAMES), "dvr.avi")


def edit_list(studio: Studio) -> Path:
    plain = studio.film("whole.mp4", *X264, "-bf", "0")
    return studio.packed_anew(plain, "cut.mp4", "-ss", str(LATE_S))


def turned(studio: Studio) -> Path:
    """As phones write it: the pictures lie on their side, and a matrix says how to show them."""
    path = studio.film("phone.mp4", *X264, "-bf", "0", turned=True)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + TKHD_MATRIX
    one, unit = 1 << 16, 1 << 30
    data[at : at + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, unit)
    path.write_bytes(data)
    return path


def varying(studio: Studio) -> Path:
    chosen = "select='lt(n,8)+not(mod(n,3))'"
    return studio.film("phone.mov", *X264, "-bf", "0", "-vf", chosen, "-fps_mode", "vfr")


def sound_first(studio: Studio) -> Path:
    tone = ("-f", "lavfi", "-t", "2.4", "-i", "sine=440")
    order = ("-map", "0:a", "-map", "1:v", "-c:a", "aac")
    return studio.film("sound.mkv", *order, *X264, inputs=tone)


def named(name: str) -> Callable[[Studio], Path]:
    return lambda studio: studio.film(name, *X264, "-bf", "0")


MANNERS: dict[str, Callable[[Studio], Path]] = {
    "AVI, H.264 with B-frames": avi,
    "AVI, Xvid with B-frames": lambda it: it.film("xvid.avi", "-c:v", "mpeg4", "-bf", "2", "-q:v", "2"),
    "AVI, MJPEG": lambda it: it.film("mjpeg.avi", "-c:v", "mjpeg", "-q:v", "2"),
    "MKV with B-frames": lambda it: it.film("b.mkv", *B_FRAMES),
    "MP4 with an edit list": edit_list,
    "turned": turned,
    "varying rate": varying,
    "GIF": lambda it: it.film("road.gif"),
    "10 bit": lambda it: it.film("ten.mkv", *X264[:-1], "yuv420p10le"),
    "odd size": lambda it: it.film("odd.mkv", *X264[:-1], "yuv444p", "-vf", "scale=481:271:flags=neighbor"),
    "sound first": sound_first,
    "key frames far apart": lambda it: it.film("far.mp4", *X264, "-g", "999", "-bf", "0"),
    "signs in the name": named("100%20 #1 ?a=b&c 사고 %03d.mp4"),
    "a dash before the name": named("-i.mp4"),
    "a colon in the name": named("rtsp:a.mp4"),
}  # fmt: skip


def timeless(studio: Studio) -> Path:
    """An elementary stream: no time stands in it."""
    return studio.packed_anew(studio.film("b.mp4", *B_FRAMES), "raw.h264")


def still(studio: Studio) -> Path:
    return studio.film("still.jpg", "-frames:v", "1", "-update", "1")


def single(studio: Studio) -> Path:
    return studio.film("single.mp4", *X264, "-frames:v", "1")


def empty(studio: Studio) -> Path:
    (studio.folder / "empty.mp4").touch()
    return studio.folder / "empty.mp4"


def cut_short(studio: Studio) -> Path:
    path = studio.folder / "half.mp4"
    path.write_bytes(studio.film("whole.mp4", *X264).read_bytes()[:9000])
    return path


def rubbish(studio: Studio) -> Path:
    path = studio.folder / "rubbish.avi"
    path.write_bytes(b"this is no video\n" * 500)
    return path


def sound_only(studio: Studio) -> Path:
    path = studio.folder / "sound.mp4"
    studio.run("-f", "lavfi", "-t", "1", "-i", "sine=440", "-c:a", "aac", path)
    return path


def folder(studio: Studio) -> Path:
    path = studio.folder / "folder.mp4"
    path.mkdir(exist_ok=True)
    return path


def missing(studio: Studio) -> Path:
    return studio.folder / "missing.mp4"


REFUSED: dict[str, tuple[Callable[[Studio], Path], str]] = {
    "a still": (still, "a still picture"),
    "a film of one picture": (single, "a still picture"),
    "empty": (empty, "the file is empty"),
    "cut short": (cut_short, "its index is missing"),
    "rubbish": (rubbish, "no video"),
    "sound alone": (sound_only, "no moving pictures"),
    "a folder": (folder, "a folder"),
    "not there": (missing, "no such file"),
}
