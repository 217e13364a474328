"""The words by which people and other systems name a type of incident, in English and Korean.

A word counts only if it is the whole text: "no accident", "fire drill" and "사고 없음" have such
words in them and report nothing. Only what says that it has happened, and which type, is here.
"""

from __future__ import annotations

import re
import unicodedata

from hazardcast.contract.incident_types import IncidentType

WORDS: dict[IncidentType, tuple[str, ...]] = {
    IncidentType.COLLISION: (
        "collision", "crash", "accident", "car accident", "car crash", "vehicle accident",
        "vehicle collision", "vehicle crash", "traffic accident", "traffic collision",
        "road accident", "road traffic accident", "road traffic collision", "rear end collision",
        "head on collision", "multi vehicle collision", "pile up",
        "사고", "교통 사고", "차량 사고", "자동차 사고", "충돌", "충돌 사고", "차량 충돌", "추돌",
        "추돌 사고", "차량 추돌", "다중 추돌", "연쇄 추돌", "정면 충돌", "접촉 사고",
    ),
    IncidentType.ROLLOVER: (
        "rollover", "roll over", "vehicle rollover", "car rollover", "overturned vehicle",
        "overturned car", "overturned truck", "vehicle overturned",
        "전복", "전복 사고", "차량 전복", "차량 전복 사고",
    ),
    IncidentType.FIRE: (
        "fire", "vehicle fire", "car fire", "truck fire", "tunnel fire", "vehicle on fire",
        "car on fire",
        "화재", "화재 사고", "차량 화재", "자동차 화재", "터널 화재",
    ),
    IncidentType.BLOCKAGE: (
        "blockage", "road blockage", "road blocked", "blocked road", "lane blockage",
        "lane blocked", "blocked lane", "road obstruction",
        "도로 막힘", "차로 막힘", "차선 막힘", "도로 차단", "통행 불가",
    ),
    IncidentType.UNKNOWN: ("unknown",),
}  # fmt: skip
"""Each space may also be left out, be any blanks, or be `_` or `-`: `rear-end collision`."""

LONGEST_WORD = 64
_AROUND = " \t\r\n\v\f\0\u00a0\u200b\u2060\u3000\ufeff"
"""What editors, keyboards and fixed-length fields leave around a word."""


_GAP = re.compile(r"(?<=[^\s_-])(\s+|[_-])(?=[^\s_-])")


def _folded(text: str) -> str:
    """What all spellings of a word have in common."""
    return _GAP.sub("", unicodedata.normalize("NFC", text).strip(_AROUND).casefold())


_MEANING = {_folded(word): meant for meant, words in WORDS.items() for word in words}


def meaning(text: str) -> IncidentType | None:
    """The type that `text` as a whole names (NFC, trimmed, case folded), None for other words."""
    if len(text) > 4 * LONGEST_WORD:
        return None
    return _MEANING.get(_folded(text))
