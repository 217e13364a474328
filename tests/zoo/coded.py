"""A film's packets as they leave an encoder."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.zoo.film import Film, made

START_CODE = re.compile(rb"\x00\x00\x00?\x01")
H264_DELIMITER, HEVC_DELIMITER = 9, 35


@dataclass(frozen=True)
class Packet:
    """One coded picture, or a piece of sound."""

    data: bytes
    shown_s: float
    decoded_s: float
    """Both counted from the film's beginning; decoding may begin before it."""
    key: bool


def codec_of(film: Film) -> str:
    """`h264`, `hevc`, `mpeg4` or `mjpeg`."""
    if film.kind == "paff":
        return "h264"
    encoder = film.codec[film.codec.index("-c:v") + 1]
    return {"libx264": "h264", "libx265": "hevc"}.get(encoder, encoder)


@cache
def video(film: Film) -> tuple[Packet, ...]:
    """The pictures in decoding order, shown when the film says that they are taken."""
    taken_s = film.taken_s()
    if film.kind == "paff":
        return tuple(_fields(made(film).read_bytes(), taken_s))
    found = packets(made(film), "v:0")
    first_s = min(packet.shown_s for packet in found)
    delay_s = first_s - found[0].decoded_s
    if not (film.pauses or film.wavering):
        return tuple(
            Packet(p.data, p.shown_s - first_s, p.decoded_s - first_s, p.key) for p in found
        )
    assert delay_s == 0, "pictures at odd times are coded without B-frames"
    return tuple(Packet(p.data, t, t, p.key) for p, t in zip(found, taken_s, strict=True))


def _fields(stream: bytes, taken_s: list[float]) -> list[Packet]:
    parts = stream.split(b"\x00\x00\x00\x01\x09\xf0")[1:]
    return [
        Packet(part, t, t, b"\x00\x00\x00\x01\x67" in part)
        for part, t in zip(parts, taken_s, strict=True)
    ]


def packets(path: Path, stream: str) -> list[Packet]:
    """What ffmpeg finds in a file, packet by packet."""
    with tempfile.NamedTemporaryFile() as whole:
        told = subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-i", str(path), "-map", f"0:{stream}", "-c", "copy",
             "-f", "data", whole.name, "-map", f"0:{stream}", "-c", "copy", "-f", "framecrc", "-"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        data = Path(whole.name).read_bytes()
    base = re.search(r"#tb 0: (\d+)/(\d+)", told)
    assert base
    tick_s = int(base[1]) / int(base[2])
    found, at = [], 0
    for line in told.splitlines():
        if line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split(",")]
        size = int(fields[4])
        key = not any(field.startswith("F=") for field in fields)
        found.append(
            Packet(data[at : at + size], int(fields[2]) * tick_s, int(fields[1]) * tick_s, key)
        )
        at += size
    assert at == len(data), "what is told and what is there differ"
    return found


def units_of(data: bytes, codec: str) -> list[bytes]:
    """The NAL units of a picture, delimiters left out."""
    units = [unit.rstrip(b"\x00") for unit in START_CODE.split(data)]
    return [unit for unit in units if unit and unit_type(unit, codec) != _delimiter(codec)]


def unit_type(unit: bytes, codec: str) -> int:
    return unit[0] >> 1 & 0x3F if codec == "hevc" else unit[0] & 0x1F


def _delimiter(codec: str) -> int:
    return HEVC_DELIMITER if codec == "hevc" else H264_DELIMITER


SETS = {"h264": (7, 8), "hevc": (32, 33, 34)}


def sets_of(film: Film) -> list[bytes]:
    """The parameter sets that the film begins with."""
    codec = codec_of(film)
    units = units_of(video(film)[0].data, codec)
    return [next(unit for unit in units if unit_type(unit, codec) == kind) for kind in SETS[codec]]


@cache
def sound(encoder: tuple[str, ...], seconds: float) -> tuple[Packet, ...]:
    """A tone, packet by packet."""
    with tempfile.NamedTemporaryFile(suffix=".nut") as file:
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
             f"sine=440:sample_rate=48000:duration={seconds}", *encoder, file.name],
            check=True,
        )  # fmt: skip
        return tuple(packets(Path(file.name), "a:0"))
