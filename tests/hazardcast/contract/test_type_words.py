from __future__ import annotations

import unicodedata

import pytest

from hazardcast.contract import type_words
from hazardcast.contract.incident_types import IncidentType
from hazardcast.contract.type_words import WORDS


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("collision", "collision"),
        ("Collision", "collision"),
        ("COLLISION", "collision"),
        (" collision\r\n", "collision"),
        ("collision\0", "collision"),
        ("\ufeffcrash\u200b", "collision"),
        ("Traffic Accident", "collision"),
        ("traffic_accident", "collision"),
        ("rear-end collision", "collision"),
        ("Multi-vehicle  collision", "collision"),
        ("traffic\n accident", "collision"),
        ("차량  사고", "collision"),
        ("rear-end-collision", "collision"),
        ("사고", "collision"),
        (unicodedata.normalize("NFD", "교통사고"), "collision"),
        ("추돌 사고", "collision"),
        ("전복", "rollover"),
        ("차량화재", "fire"),
        ("도로 막힘", "blockage"),
        ("Unknown", "unknown"),
    ],
)
def test_a_word_is_known_however_it_is_spelt(text: str, meant: str | None) -> None:
    assert type_words.meaning(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "no accident", "no-accident", "accident cleared", "not a fire", "fire drill",
        "fire alarm test", "false collision", "사고 없음", "사고없음", "화재 훈련", "무사고",
        "사고 처리 완료", "화재 아님", "firetruck", "crash test", "fire,collision", "fire - no", "collision -",
        "no\naccident", "x" * 60_000,
    ],
)  # fmt: skip
def test_a_text_that_only_has_such_a_word_in_it_names_no_type(text: str) -> None:
    assert type_words.meaning(text) is None


def test_every_type_has_its_words_and_no_word_two_types() -> None:
    assert set(WORDS) == set(IncidentType)
    for meant, words in WORDS.items():
        assert {type_words.meaning(word) for word in words} == {meant}
        assert type_words.meaning(meant.value) is meant
