"""Parameter sets in the byte stream of H.264 (Annex B of ITU-T H.264) and HEVC (ITU-T H.265)."""

from __future__ import annotations

import re
from itertools import pairwise

PARAMETER_BYTES = 4096
"""Enough of a key frame's beginning to hold its parameter sets."""
PARAMETER_TYPES = {"h264": frozenset({7, 8}), "hevc": frozenset({32, 33, 34})}
"""NAL unit types of SPS and PPS; VPS, SPS and PPS."""
SEQUENCE_TYPES = {"h264": 7, "hevc": 33}
"""NAL unit types of the SPS, which tells the format of the picture."""
_START_CODE = re.compile(rb"\x00\x00\x01")


def sequence_sets(codec: str, beginning: bytes) -> tuple[bytes, ...]:
    """Of the parameter sets those of the sequence: equal ones mean an equal format of pictures."""
    wanted = SEQUENCE_TYPES.get(codec)
    return tuple(
        unit for unit in parameter_sets(codec, beginning) if unit_type(codec, unit) == wanted
    )


def parameter_sets(codec: str, beginning: bytes) -> tuple[bytes, ...]:
    """The distinct parameter sets at a key frame's beginning, sorted; none for other codecs.

    One cut short by the end of `beginning` is taken as far as it goes.
    """
    wanted = PARAMETER_TYPES.get(codec, frozenset())
    begins = [match.end() for match in _START_CODE.finditer(beginning)]
    until = pairwise([*begins, len(beginning) + 3])
    units = (beginning[begin : following - 3].rstrip(b"\x00") for begin, following in until)
    return tuple(sorted({unit for unit in units if unit and unit_type(codec, unit) in wanted}))


def unit_type(codec: str, unit: bytes) -> int:
    """By the header of a NAL unit (H.264 7.3.1, H.265 7.3.1.2)."""
    return unit[0] >> 1 & 0x3F if codec == "hevc" else unit[0] & 0x1F
