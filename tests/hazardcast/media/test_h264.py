"""H.264's sequence parameter set: what it tells of fields, and that no bytes hold anybody up."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.media.h264 import Bits, SequenceSet, UnreadableSetError, sequence_set

MAIN, HIGH_444 = 77, 244


def ue(value: int) -> str:
    """A number as Exp-Golomb, its bits as text."""
    bits = f"{value + 1:b}"
    return "0" * (len(bits) - 1) + bits


def unit(*bits: str) -> bytes:
    text = "".join(bits) + "1"
    text += "0" * (-len(text) % 8)
    plain = int(text, 2).to_bytes(len(text) // 8)
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", plain)


def head(profile: int = MAIN) -> str:
    return f"{profile:08b}" + f"{0:08b}" + f"{40:08b}" + ue(0)


SIZE = ue(4) + "0" + ue(79) + ue(44)


@pytest.mark.parametrize(("flag", "frames_only"), [("1", True), ("0", False)])
def test_it_tells_whether_pictures_may_be_fields(flag: str, frames_only: bool) -> None:
    told = sequence_set(unit(head(), ue(3), ue(2), SIZE, flag))

    assert told == SequenceSet(number_bits=7, has_planes=False, frames_only=frames_only)


def test_chroma_scaling_and_a_cycle_of_orders_are_passed_over() -> None:
    chroma = ue(3) + "1" + ue(0) + ue(0) + "0" + "1" + "1" + ue(16) + "0" * 11
    order = ue(1) + "0" + ue(0) + ue(0) + ue(2) + ue(5) + ue(6)

    told = sequence_set(unit(head(HIGH_444), chroma, ue(0), order, SIZE, "0"))

    assert told == SequenceSet(number_bits=4, has_planes=True, frames_only=False)


@pytest.mark.parametrize(
    "rest",
    [
        [ue(0), ue(1), "0", ue(0), ue(0), ue(2**31)],
        [ue(2**31), ue(2), SIZE, "0"],
        ["0" * 4000],
        [],
    ],
    ids=["an endless cycle", "numbers of a billion bits", "nothing but zeros", "cut short"],
)
def test_what_no_camera_may_send_is_refused_at_once(rest: list[str]) -> None:
    with pytest.raises(UnreadableSetError):
        sequence_set(unit(head(), *rest))


@given(st.binary(max_size=300))
def test_no_bytes_hold_it_up(told: bytes) -> None:
    with contextlib.suppress(UnreadableSetError):
        assert 4 <= sequence_set(told).number_bits <= 16


@given(st.integers(0, 2**32 - 2))
def test_numbers_are_read_as_they_were_written(value: int) -> None:
    assert Bits(unit(ue(value))).ue() == value
