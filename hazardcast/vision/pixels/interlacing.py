"""Cameras that send half-pictures (interlaced), which some builds of OpenCV cannot convert.

OpenCV 4.13 and 5.0 with FFmpeg 8 then hand over a picture that was never written to and say nothing
of it; 4.12 converts them. What was never written to does not change either.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from hazardcast.media import h264
from hazardcast.media.h264 import UnreadableSetError
from hazardcast.vision.pixels.image import Image

WORDS = (
    "it sends half-pictures (interlaced), which this OpenCV cannot convert:"
    " set it to progressive, or use opencv-python-headless 4.12"
)
SAME_PICTURES = 4
_SEQUENCE_SET = re.compile(
    rb"\x00\x00\x01[\x07\x27\x47\x67](.{4,128}?)(?=\x00\x00\x01|$)", re.DOTALL
)


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
        return not h264.sequence_set(found[1]).frames_only
    except UnreadableSetError:
        return False
