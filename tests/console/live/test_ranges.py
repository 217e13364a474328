"""Which bytes a request gets."""

from __future__ import annotations

import pytest
from console.live.ranges import Piece, UnsatisfiableError, exact, wanted
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("header", "piece"),
    [
        (None, None), ("", None), ("bytes=", None), ("bytes=-", None), ("bytes=5-2", None),
        ("bytes=0-1,3-4", None), ("lines=0-1", None), ("bytes=" + "9" * 200, None), ("bytes=1-x", None),
        ("bytes=" + ",".join(["0-0"] * 100), None),
        ("bytes=0-0", Piece(0, 0)), ("bytes=2-", Piece(2, 9)), ("bytes=2-99", Piece(2, 9)),
        ("bytes=-3", Piece(7, 9)), ("bytes=-99", Piece(0, 9)), ("Bytes = 1-2", Piece(1, 2)),
    ],
)  # fmt: skip
def test_a_header_gets_its_piece(header: str | None, piece: Piece | None) -> None:
    assert wanted(header, 10) == piece


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", "bytes=99-100", "bytes=-0"])
def test_what_is_not_there_is_refused(header: str) -> None:
    with pytest.raises(UnsatisfiableError):
        wanted(header, 10)


def test_of_nothing_there_is_no_piece() -> None:
    assert wanted(None, 0) is None
    with pytest.raises(UnsatisfiableError):
        wanted("bytes=0-", 0)


@given(header=st.text(max_size=40), size=st.integers(0, 1 << 40))
def test_no_header_gets_more_than_there_is(header: str, size: int) -> None:
    try:
        piece = wanted(f"bytes={header}", size)
    except UnsatisfiableError:
        return
    assert piece is None or 0 <= piece.first <= piece.last < size
    known = exact(f"bytes={header}")
    assert known is None or known.first <= known.last
