"""From the bytes of a report to one JSON object, however its sender's tools have dressed it."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hazardcast.contract import report_repair
from hazardcast.contract.errors import DecodeError

Say = Callable[[str, str], None]
"""Tells a field (`payload` for the whole) and what is wrong with it."""

PAYLOAD = "payload"
MARKS_DIFFER = "given twice, differently: told as real"
"""Of `test`: what may be a true accident is told as one."""
DEEPEST = 64
LONGEST_INTEGER = 400
"""Digits; a longer one is no number that any field could hold (and Python reads none over 4300)."""

_ALIKE = "given twice, alike"
_OPENINGS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


class _TwiceError(ValueError):
    """A key that stands twice in one object."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _TwiceError
    return made


_STRICT = json.JSONDecoder(object_pairs_hook=_once)


def plain(payload: bytes) -> dict[str, Any] | None:
    """The object in a payload that is one JSON object in UTF-8 and nothing else, at once."""
    try:
        data = _STRICT.decode(payload.decode())
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def odd(payload: bytes, say: Say) -> dict[str, Any]:
    """The object in any payload in which there can be no doubt about one.

    Raises:
        DecodeError: there is none, or more than one; or a `status` stands there twice, differently.
    """
    outermost = _Outermost()
    data = _decoded(_text(payload, say), outermost, say)
    if isinstance(data, str) and data.lstrip().startswith("{"):
        say(PAYLOAD, "JSON inside a JSON text")
        data = _decoded(data, outermost, say)
    if isinstance(data, list) and len(data) == 1:
        say(PAYLOAD, "a list of one report")
        data = data[0]
    if isinstance(data, list):
        raise DecodeError(f"expected a JSON object, got a list of {len(data)}: send them singly")
    if not isinstance(data, dict):
        raise DecodeError(f"expected a JSON object, got {type(data).__name__}")
    return outermost.without_doubles(data, say)


def _text(payload: bytes, say: Say) -> str:
    encoding = _encoding(payload)
    try:
        text = payload.decode(encoding)
    except UnicodeDecodeError:
        text = _foreign(payload, say)
    else:
        if encoding != "utf-8":
            say(PAYLOAD, f"not plain UTF-8, read as {encoding.removesuffix('-sig').upper()}")
    ended = text.rstrip("\0 \t\r\n")
    if "\0" in text[len(ended) :]:
        say(PAYLOAD, "NUL behind its end")
    return ended


def _encoding(payload: bytes) -> str:
    for opening, encoding in _OPENINGS.items():
        if payload.startswith(opening):
            return encoding
    if payload[1:2] == b"\0" != payload[:1]:
        return "utf-16-le"
    return "utf-16-be" if payload[:1] == b"\0" != payload[1:2] else "utf-8"


def _foreign(payload: bytes, say: Say) -> str:
    """Not UTF-8: the encoding of Korean Windows, else whatever can be read of it."""
    try:
        text = payload.decode("cp949")
    except UnicodeDecodeError:
        say(PAYLOAD, "not UTF-8, letters that cannot be read are replaced")
        return payload.decode("utf-8", "replace")
    say(PAYLOAD, "not UTF-8, read as CP949")
    return text


@dataclass
class _Outermost:
    """The key-value pairs of the outermost object: the one that is read to its end last."""

    pairs: list[tuple[str, Any]] | None = None

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self.pairs = pairs
        return dict(pairs)

    def without_doubles(self, data: dict[str, Any], say: Say) -> dict[str, Any]:
        pairs = self.pairs or []
        if len(pairs) == len(data):
            return data
        kept = dict(data)
        for name in data:
            values = [value for key, value in pairs if key == name]
            if len(values) > 1:
                kept[name] = _settled(name, values, say)
        return kept


def folded(name: str) -> str:
    """A field's name but for case, blanks, `_` and `-`."""
    return name.strip().casefold().replace("_", "").replace("-", "").replace(" ", "")


def _settled(name: str, values: list[Any], say: Say) -> Any:
    """Which of several values counts; None: none of them."""
    if all(value == values[0] and type(value) is type(values[0]) for value in values):
        say(name, _ALIKE)
        return values[-1]
    known = folded(name)
    if known == "status":
        raise DecodeError("given twice, differently", field=known)
    if known == "test":
        mark = report_repair.agreed(values)
        say(name, MARKS_DIFFER if mark is None else _ALIKE)
        return bool(mark)
    if known == "eventid":
        say(name, "given twice, differently")
        return None
    say(name, "given twice, differently: the last counts")
    return values[-1]


def _decoded(text: str, outermost: _Outermost, say: Say) -> Any:
    decoder = json.JSONDecoder(object_pairs_hook=outermost, parse_int=_integer, strict=False)
    try:
        return decoder.decode(text)
    except RecursionError:
        pass
    except ValueError as error:
        raise DecodeError(f"not JSON: {error}") from None
    say(PAYLOAD, f"nested more than {DEEPEST} deep: what lies deeper is left out")
    try:
        return decoder.decode(_shallow(text))
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"not JSON: {error}") from None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)


def _shallow(text: str) -> str:
    """`text` with `null` for what is nested too deep."""
    kept, depth, start = list[str](), 0, 0
    for token in _TOKENS.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth == DEEPEST + 1:
                kept += (text[start : token.start()], "null")
        elif token[0] in "]}":
            if depth == DEEPEST + 1:
                start = token.end()
            depth -= 1
    return "".join(kept) + (text[start:] if depth == 0 else "")
