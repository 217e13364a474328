"""Cameras that send half-pictures (interlaced), which some builds of OpenCV cannot convert.

OpenCV 4.13 and 5.0 with FFmpeg 8 then hand over a picture that was never written to and say nothing
of it; 4.12 converts them. What was never written to does not change either.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from hazardcast.vision.pixels.image import Image

WORDS = (
    "it sends half-pictures (interlaced), which this OpenCV cannot convert:"
    " set it to progressive, or use opencv-python-headless 4.12"
)
SAME_PICTURES = 4
_SEQUENCE_SET = re.compile(
    rb"\x00\x00\x01[\x07\x27\x47\x67](.{4,128}?)(?=\x00\x00\x01|$)", re.DOTALL
)
_CHROMA_PROFILES = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 138, 139, 244})
"""Their parameter sets tell of chroma and scaling (H.264 7.3.2.1.1)."""


class UnwrittenError(Exception):
    """Pictures come, but this OpenCV does not write them."""


class Suspicion:
    """Whether the pictures of a stream are written at all."""

    def __init__(self, *, suspicious: bool) -> None:
        """`suspicious`: the stream may hold fields."""
        self._open = suspicious
        self._before: NDArray[np.uint8] | None = None
        self._same = 0

    def allows(self, picture: Image) -> bool:
        """Whether `picture` may be looked at; a stream that has changed once is beyond suspicion.

        Raises:
            UnwrittenError: it has been the same to the last bit too often.
        """
        if not self._open:
            return True
        before, self._before = self._before, picture
        if before is None or np.array_equal(before, picture):
            self._same += 1
            if self._same >= SAME_PICTURES:
                raise UnwrittenError(WORDS)
            return False
        self._open, self._before = False, None
        return True


def fields_allowed(parameter_sets: bytes) -> bool:
    """frame_mbs_only_flag = 0 in H.264's sequence parameter set; False where there is none."""
    found = _SEQUENCE_SET.search(parameter_sets)
    if found is None:
        return False
    try:
        return not _frames_only(_Bits(found[1].replace(b"\x00\x00\x03", b"\x00\x00")))
    except IndexError:
        return False


class _Bits:
    """Reads a parameter set bit by bit; IndexError behind its end."""

    def __init__(self, data: bytes) -> None:
        self._text = "".join(f"{byte:08b}" for byte in data)
        self._at = 0

    def u(self, length: int) -> int:
        if self._at + length > len(self._text):
            raise IndexError
        self._at += length
        return int(self._text[self._at - length : self._at], 2)

    def ue(self) -> int:
        zeros = 0
        while not self.u(1):
            zeros += 1
        return (1 << zeros) - 1 + (self.u(zeros) if zeros else 0)

    def se(self) -> int:
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def _frames_only(bits: _Bits) -> bool:
    """H.264 7.3.2.1.1, as far as frame_mbs_only_flag."""
    profile = bits.u(8)
    bits.u(16)
    bits.ue()
    if profile in _CHROMA_PROFILES:
        _pass_chroma(bits)
    bits.ue()
    order = bits.ue()
    if order == 0:
        bits.ue()
    elif order == 1:
        bits.u(1)
        bits.se()
        bits.se()
        for _ in range(bits.ue()):
            bits.se()
    bits.ue()
    bits.u(1)
    bits.ue()
    bits.ue()
    return bool(bits.u(1))


def _pass_chroma(bits: _Bits) -> None:
    chroma = bits.ue()
    if chroma == 3:
        bits.u(1)
    bits.ue()
    bits.ue()
    bits.u(1)
    if bits.u(1):
        for number in range(8 if chroma != 3 else 12):
            if bits.u(1):
                _pass_scaling(bits, 16 if number < 6 else 64)


def _pass_scaling(bits: _Bits, size: int) -> None:
    last, following = 8, 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last
