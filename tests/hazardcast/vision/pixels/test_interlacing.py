"""Half-pictures that OpenCV does not convert are never looked at, and that is said."""

from __future__ import annotations

import numpy as np
import pytest

from hazardcast.vision.pixels.interlacing import (
    SAME_PICTURES,
    Suspicion,
    UnwrittenError,
    fields_allowed,
)

PROGRESSIVE = bytes.fromhex("0000016742c00cda05067e784000000300400000030079a3c50a80")
INTERLACED = bytes.fromhex("000001674d4015f40a19f9210000030001000003001e9f14")
FIELDS = bytes.fromhex("000001674d0028e540a1890000000168ce3c8000")
HIGH = bytes.fromhex("0000016764000cacd941419f9e10000003001000000301e0")


def picture(level: int) -> np.ndarray:
    return np.full((18, 32, 3), level, np.uint8)


@pytest.mark.parametrize("sets", [INTERLACED, FIELDS])
def test_fields_are_known_from_the_parameter_set(sets: bytes) -> None:
    assert fields_allowed(sets)


@pytest.mark.parametrize("sets", [PROGRESSIVE, HIGH, b"", b"\x00\x00\x01\x67", b"\x00\x00\x01\x67" + bytes(9)])  # fmt: skip
def test_where_frames_come_or_nothing_is_told_no_fields_are_suspected(sets: bytes) -> None:
    assert not fields_allowed(sets)


def test_a_picture_that_is_never_written_to_is_kept_back_and_told() -> None:
    suspicion = Suspicion(suspicious=True)

    assert not any(suspicion.allows(picture(7)) for _ in range(SAME_PICTURES - 1))
    with pytest.raises(UnwrittenError, match="half-pictures"):
        suspicion.allows(picture(7))


def test_a_stream_that_has_changed_once_may_stand_still_afterwards() -> None:
    suspicion = Suspicion(suspicious=True)
    suspicion.allows(picture(7))

    assert all(suspicion.allows(picture(level)) for level in [8] + 20 * [9])


def test_a_progressive_stream_is_under_no_suspicion() -> None:
    suspicion = Suspicion(suspicious=False)

    assert all(suspicion.allows(picture(7)) for _ in range(20))
