from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.terminal_text import printable


@pytest.mark.parametrize(
    "mark", ["\x1b", "\x9b", "\x00", "\n", "\u202e", "\u2028", "\u200b", "\ud800"]
)
def test_what_a_terminal_obeys_is_replaced(mark: str) -> None:
    assert printable(f"a{mark}b") == "a�b"


@pytest.mark.parametrize("text", ["", "segment_A", "구간 A", "全角\u3000空白", "10\u00a0km", "é̂"])
def test_text_of_any_language_stays(text: str) -> None:
    assert printable(text) == text


@given(st.text())
def test_no_control_survives_and_no_length_changes(text: str) -> None:
    result = printable(text)

    assert len(result) == len(text)
    assert not [c for c in result if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
