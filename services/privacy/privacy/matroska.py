"""Raw pictures with their own times, as ffmpeg reads them from a pipe: the least of Matroska; pure.

A pipe of bare frames has no times, and a nominal frame rate would move every picture of a camera
that does not keep it. Elements after RFC 8794 (EBML) and RFC 9559 (Matroska): one cluster a frame.
"""

from __future__ import annotations

import struct

TICKS_PER_S = 90_000
WRAP = 1 << 33
_NS_PER_US = 1000
_UNKNOWN = b"\x01\xff\xff\xff\xff\xff\xff\xff"
_EBML, _DOC_TYPE = 0x1A45DFA3, 0x4282
_SEGMENT, _INFO, _SCALE = 0x18538067, 0x1549A966, 0x2AD7B1
_TRACKS, _TRACK, _NUMBER, _UID, _TYPE, _CODEC = 0x1654AE6B, 0xAE, 0xD7, 0x73C5, 0x83, 0x86
_VIDEO, _WIDTH, _HEIGHT, _FOURCC = 0xE0, 0xB0, 0xBA, 0x2EB524
_CLUSTER, _TIME, _BLOCK = 0x1F43B675, 0xE7, 0xA3
_BLOCK_HEAD = b"\x81\x00\x00\x80"
"""Track 1, no time of its own, a key frame."""


def header(width: int, height: int) -> bytes:
    """What stands before the first frame of I420 pictures of `width` × `height` px."""
    video = _number(_WIDTH, width) + _number(_HEIGHT, height) + _element(_FOURCC, b"I420")
    track = (
        _number(_NUMBER, 1) + _number(_UID, 1) + _number(_TYPE, 1)
        + _element(_CODEC, b"V_UNCOMPRESSED") + _element(_VIDEO, video)
    )  # fmt: skip
    return (
        _element(_EBML, _element(_DOC_TYPE, b"matroska"))
        + _id(_SEGMENT) + _UNKNOWN
        + _element(_INFO, _number(_SCALE, _NS_PER_US))
        + _element(_TRACKS, _element(_TRACK, track))
    )  # fmt: skip


def before_frame(pts: int, size: int) -> bytes:
    """What stands before the `size` bytes of a frame shown at `pts`, ticks of 90 kHz, not negative.

    Times are whole microseconds, of which ffmpeg makes the same tick again.
    """
    moment = _number(_TIME, (pts * 1_000_000 + TICKS_PER_S // 2) // TICKS_PER_S)
    block = _id(_BLOCK) + _size(len(_BLOCK_HEAD) + size) + _BLOCK_HEAD
    return _id(_CLUSTER) + _size(len(moment) + len(block) + size) + moment + block


def _element(name: int, data: bytes) -> bytes:
    return _id(name) + _size(len(data)) + data


def _number(name: int, value: int) -> bytes:
    return _element(name, struct.pack(">Q", value))


def _id(name: int) -> bytes:
    return name.to_bytes((name.bit_length() + 7) // 8, "big")


def _size(length: int) -> bytes:
    return struct.pack(">Q", (1 << 56) | length)
