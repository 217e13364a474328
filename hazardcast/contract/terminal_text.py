"""Outside text on a console: nothing in it may move the cursor, hide, or turn the line around."""

from __future__ import annotations

import unicodedata

_SEPARATORS = frozenset({"Zl", "Zp"})


def printable(text: str) -> str:
    """`text` with controls, line separators and bidirectional marks replaced by `�`.

    Unicode's "other" categories (C*) hold what terminals and readers obey instead of showing: C0
    and C1 controls, format characters such as U+202E, surrogates, unassigned code points.
    """
    if text.isprintable():
        return text
    return "".join("�" if _commands(character) else character for character in text)


def _commands(character: str) -> bool:
    category = unicodedata.category(character)
    return category.startswith("C") or category in _SEPARATORS
