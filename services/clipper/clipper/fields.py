"""Pictures sent as two fields, each coded by itself (PAFF; ITU-T H.264 7.3.2.1, 7.3.3). Pure.

A transport stream has a packet of its own for each field, players show both as one picture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_START_CODE = re.compile(rb"\x00\x00\x01")
_SLICES = frozenset({1, 2, 5})
"""NAL unit types that begin with a slice header."""
_HIGH_PROFILES = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
"""Their sequence parameter sets say more (7.3.2.1.1)."""
_CHROMA_444 = 3
_HEADER_BYTES = 32
"""More than the part of a slice header that is read here."""


@dataclass(frozen=True)
class SliceLayout:
    """What the head of a slice looks like where pictures may be fields."""

    number_bits: int
    has_planes: bool


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


class _Bits:
    """Reads a unit bit by bit; zeros behind its end."""

    def __init__(self, unit: bytes) -> None:
        plain = unit.replace(b"\x00\x00\x03", b"\x00\x00")
        self._bits, self._left = int.from_bytes(plain), 8 * len(plain)

    def u(self, count: int) -> int:
        self._left -= count
        taken = self._bits >> self._left if self._left >= 0 else 0
        return taken & ((1 << count) - 1)

    def ue(self) -> int:
        zeros = 0
        while self._left > 0 and not self.u(1):
            zeros += 1
        return (1 << zeros) - 1 + self.u(zeros)

    def skip_ue(self, count: int) -> None:
        for _ in range(count):
            self.ue()


def layout(sequence_set: bytes) -> SliceLayout | None:
    """How slices begin; None where every picture is a whole frame.

    Args:
        sequence_set: an H.264 sequence parameter set, its NAL header included.
    """
    bits = _Bits(sequence_set[1:])
    profile = bits.u(8)
    bits.u(16)
    bits.ue()
    has_planes = profile in _HIGH_PROFILES and _skip_chroma(bits)
    number_bits = bits.ue() + 4
    _skip_order(bits)
    bits.ue()
    bits.u(1)
    bits.skip_ue(2)
    return None if bits.u(1) else SliceLayout(number_bits, has_planes)


def _skip_chroma(bits: _Bits) -> bool:
    """Pass over chroma and scaling lists; whether colour planes are separate."""
    chroma = bits.ue()
    has_planes = chroma == _CHROMA_444 and bool(bits.u(1))
    bits.skip_ue(2)
    bits.u(1)
    if bits.u(1):
        for number in range(12 if chroma == _CHROMA_444 else 8):
            if bits.u(1):
                _skip_scaling_list(bits, 16 if number < 6 else 64)
    return has_planes


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last, scale = 8, 8
    for _ in range(size):
        if scale:
            code = bits.ue()
            delta = (code + 1) // 2 if code % 2 else -(code // 2)
            scale = (last + delta) % 256
        last = scale or last


def _skip_order(bits: _Bits) -> None:
    """Pass over how the order of pictures is told."""
    kind = bits.ue()
    if kind == 0:
        bits.ue()
    elif kind == 1:
        bits.u(1)
        bits.skip_ue(2)
        bits.skip_ue(bits.ue())


def field_of(picture: bytes, how: SliceLayout) -> Field | None:
    """The field that a coded picture begins with; None for a whole frame, or where no slice is.

    Args:
        picture: its beginning, a byte stream (Annex B) as far as its first slice.
        how: its slices begin.
    """
    for mark in _START_CODE.finditer(picture):
        at = mark.end()
        if at < len(picture) and picture[at] & 0x1F in _SLICES:
            return _field(_Bits(picture[at + 1 : at + 1 + _HEADER_BYTES]), how)
    return None


def _field(bits: _Bits, how: SliceLayout) -> Field | None:
    bits.skip_ue(3)
    if how.has_planes:
        bits.u(2)
    number = bits.u(how.number_bits)
    return Field(number, bool(bits.u(1))) if bits.u(1) else None
