"""Parameter sets in the byte stream of H.264 (Annex B of ITU-T H.264) and HEVC (ITU-T H.265)."""

from __future__ import annotations

import re

_START_CODE = re.compile(rb"\x00\x00\x01")
PARAMETER_TYPES = {"h264": frozenset({7, 8}), "hevc": frozenset({32, 33, 34})}
"""NAL unit types of SPS and PPS; VPS, SPS and PPS."""


SEQUENCE_SET = 7
"""NAL unit type of H.264's SPS."""


def sequence_set(beginning: bytes) -> bytes | None:
    """The first sequence parameter set at the beginning of an H.264 key frame."""
    units = parameter_sets("h264", beginning)
    return next((unit for unit in units if _unit_type("h264", unit) == SEQUENCE_SET), None)


def parameter_sets(codec: str, beginning: bytes) -> tuple[bytes, ...]:
    """The distinct parameter sets at a key frame's beginning, sorted; none for other codecs.

    A unit cut short by the end of `beginning` is left out unless it is the only one.
    """
    wanted = PARAMETER_TYPES.get(codec, frozenset())
    starts = [match.end() for match in _START_CODE.finditer(beginning)]
    ends = [start - 3 for start in starts[1:]] + [len(beginning)]
    units = (beginning[start:end].rstrip(b"\x00") for start, end in zip(starts, ends, strict=True))
    return tuple(sorted({unit for unit in units if unit and _unit_type(codec, unit) in wanted}))


def _unit_type(codec: str, unit: bytes) -> int:
    return unit[0] >> 1 & 0x3F if codec == "hevc" else unit[0] & 0x1F
