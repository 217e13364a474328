"""Parameter sets are found in a byte stream, and nothing else is taken for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.media import nal

SETS = b"\0\0\0\1\x67sps\0\0\0\1\x68pps\0\0\0\1\x67sps\0\0\0\1\x65picture"


def test_each_set_is_told_once() -> None:
    assert nal.parameter_sets("h264", SETS) == (b"\x67sps", b"\x68pps")
    assert nal.sequence_sets("h264", SETS) == (b"\x67sps",)


def test_each_codec_counts_its_units_in_its_own_way() -> None:
    stream = b"\0\0\1\x40\1vps\0\0\1\x42\1sps\0\0\1\x44\1pps\0\0\1\x26\1picture"

    assert nal.parameter_sets("hevc", stream) == (b"\x40\1vps", b"\x42\1sps", b"\x44\1pps")
    assert nal.sequence_sets("hevc", stream) == (b"\x42\1sps",)
    assert nal.parameter_sets("mpeg2video", SETS) == ()


@pytest.mark.parametrize("nothing", [b"", b"\0\0", b"\0\0\1", b"no start code"])
def test_where_no_unit_begins_there_is_no_set(nothing: bytes) -> None:
    assert nal.parameter_sets("h264", nothing) == ()


@given(st.binary(max_size=400))
def test_any_bytes_are_survived(data: bytes) -> None:
    for codec in ("h264", "hevc", "vvc"):
        assert set(nal.sequence_sets(codec, data)) <= set(nal.parameter_sets(codec, data))
