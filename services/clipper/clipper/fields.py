"""Pictures sent as two fields, each coded by itself (PAFF; ITU-T H.264 7.3.2.1, 7.3.3). Pure.

A transport stream has a packet of its own for each field, players show both as one picture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hazardcast.media import h264
from hazardcast.media.h264 import Bits, SequenceSet, UnreadableSetError

_START_CODE = re.compile(rb"\x00\x00\x01")
_SLICES = frozenset({1, 2, 5})
"""NAL unit types that begin with a slice header."""
_HEADER_BYTES = 32
"""More than the part of a slice header that is read here."""


@dataclass(frozen=True)
class Field:
    """One field of a picture."""

    number: int
    """frame_num of its picture."""
    bottom: bool

    def completes(self, before: Field | None) -> bool:
        """Whether it is the second field of a picture (7.4.1.2.4)."""
        if before is None or before.number != self.number:
            return False
        return before.bottom != self.bottom


def layout(sequence_set: bytes) -> SequenceSet | None:
    """How slices begin; None where every picture is a whole frame, or nobody can read it.

    Args:
        sequence_set: an H.264 sequence parameter set, its NAL header included.
    """
    try:
        told = h264.sequence_set(sequence_set[1:])
    except UnreadableSetError:
        return None
    return None if told.frames_only else told


def field_of(picture: bytes, how: SequenceSet) -> Field | None:
    """The field that a coded picture begins with; None for a whole frame, or where no slice is.

    Args:
        picture: its beginning, a byte stream (Annex B) as far as its first slice.
        how: its slices begin.
    """
    for mark in _START_CODE.finditer(picture):
        at = mark.end()
        if at < len(picture) and picture[at] & 0x1F in _SLICES:
            return _field(Bits(picture[at + 1 : at + 1 + _HEADER_BYTES]), how)
    return None


def _field(bits: Bits, how: SequenceSet) -> Field | None:
    try:
        bits.skip_ue(3)
        if how.has_planes:
            bits.u(2)
        number = bits.u(how.number_bits)
        return Field(number, bool(bits.u(1))) if bits.u(1) else None
    except UnreadableSetError:
        return None
