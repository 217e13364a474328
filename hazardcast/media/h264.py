"""H.264's sequence parameter set, as far as it tells of fields (ITU-T H.264 7.3.2.1.1). Pure.

A camera may send anything: what is cut short or beyond the standard's bounds is refused, and no
number in it makes anybody count for long.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_ZEROS = 32
"""Before the first one of a number (9.1)."""
MOST_NUMBER_BITS = 16
MOST_IN_CYCLE = 255
_CHROMA_PROFILES = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
"""Their parameter sets tell of chroma and scaling."""
_CHROMA_444 = 3


class UnreadableSetError(ValueError):
    """Cut short, or a number beyond what the standard allows."""


class Bits:
    """Reads a unit bit by bit, without its emulation prevention (7.4.1).

    Raises:
        UnreadableSetError: by any reading, behind the end.
    """

    def __init__(self, unit: bytes) -> None:
        plain = unit.replace(b"\x00\x00\x03", b"\x00\x00")
        self._bits, self._left = int.from_bytes(plain), 8 * len(plain)

    def u(self, count: int) -> int:
        """An unsigned number of `count` bits."""
        self._left -= count
        if self._left < 0:
            raise UnreadableSetError("cut short")
        return self._bits >> self._left & ((1 << count) - 1)

    def ue(self) -> int:
        """An unsigned number by Exp-Golomb (9.1)."""
        zeros = 0
        while not self.u(1):
            zeros += 1
            if zeros > MOST_ZEROS:
                raise UnreadableSetError("no number is so long")
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """A signed one (9.1.1)."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)

    def skip_ue(self, count: int) -> None:
        """Pass over numbers, signed or not."""
        for _ in range(count):
            self.ue()


@dataclass(frozen=True)
class SequenceSet:
    """What is read of it."""

    number_bits: int
    """Of frame_num in each slice."""
    has_planes: bool
    """Each colour plane has slices of its own."""
    frames_only: bool
    """No picture is sent as fields."""


def sequence_set(unit: bytes) -> SequenceSet:
    """Read a sequence parameter set.

    Args:
        unit: the NAL unit behind its header.

    Raises:
        UnreadableSetError: it is none.
    """
    bits = Bits(unit)
    profile = bits.u(8)
    bits.u(16)
    bits.ue()
    has_planes = profile in _CHROMA_PROFILES and _pass_chroma(bits)
    number_bits = bits.ue() + 4
    if number_bits > MOST_NUMBER_BITS:
        raise UnreadableSetError("log2_max_frame_num_minus4 is over 12")
    _pass_order(bits)
    bits.ue()
    bits.u(1)
    bits.skip_ue(2)
    return SequenceSet(number_bits, has_planes, frames_only=bool(bits.u(1)))


def _pass_chroma(bits: Bits) -> bool:
    """Pass over chroma and scaling; whether colour planes are separate."""
    chroma = bits.ue()
    has_planes = chroma == _CHROMA_444 and bool(bits.u(1))
    bits.skip_ue(2)
    bits.u(1)
    if bits.u(1):
        for number in range(12 if chroma == _CHROMA_444 else 8):
            if bits.u(1):
                _pass_scaling(bits, 16 if number < 6 else 64)
    return has_planes


def _pass_scaling(bits: Bits, size: int) -> None:
    last, following = 8, 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _pass_order(bits: Bits) -> None:
    """Pass over how the order of pictures is told."""
    kind = bits.ue()
    if kind == 0:
        bits.ue()
    elif kind == 1:
        bits.u(1)
        bits.skip_ue(2)
        cycle = bits.ue()
        if cycle > MOST_IN_CYCLE:
            raise UnreadableSetError("num_ref_frames_in_pic_order_cnt_cycle is over 255")
        bits.skip_ue(cycle)
