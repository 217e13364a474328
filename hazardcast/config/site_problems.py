"""What is wrong with a `cameras.yaml`, in one sentence: line, place, what, and what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hazardcast.config.yaml_lines import Path
from hazardcast.contract import fields, validation_errors

LONGEST = 400
TOP_KEYS = ("defaults",)
"""Keys of the file that are gone when it is judged."""
_WRONG_KIND = "expected a mapping of keys and values"
_MAPPING = frozenset({"model_type", "model_attributes_type", "dict_type"})


def sentence(error: ValidationError, model: type[BaseModel], lines: Mapping[Path, int]) -> str:
    """The first problem: `:12: cameras.north.url: …`, or ` …` without the line if none is known.

    Args:
        error: what pydantic found in the file's data.
        model: the whole file.
        lines: where the keys stand.
    """
    found = error.errors(include_url=False, include_context=False)
    first = found[0]
    meant = _misspelt(first, found, model)
    shown = meant if meant and first["type"] == "missing" else first
    line = line_of(path_of(shown), lines)
    return located(line, f"{validation_errors.place(first)}: {_what(first, meant, model)}")


def located(line: int | None, text: str) -> str:
    """`text` to stand behind the name of a file."""
    told = fields.line(text, length=LONGEST)
    return f": {told}" if line is None else f":{line}: {told}"


def path_of(problem: ErrorDetails) -> Path:
    """Where it stands in the data."""
    return tuple(part for part in problem["loc"] if part != "[key]")


def origin(path: Path, lines: Mapping[Path, int]) -> Path:
    """Where the file has what belongs to `path`: a camera's value may come from the defaults.

    And its policy from the site.
    """
    if path in lines or len(path) < 3 or path[0] != "cameras":
        return path
    shared = ("defaults", *path[2:])
    return ("site", *path[2:]) if shared not in lines and path[2] == "alerting" else shared


def line_of(path: Path, lines: Mapping[Path, int]) -> int | None:
    """The line of `path`, or of what it would stand in."""
    for length in range(len(path), -1, -1):
        if (found := lines.get(origin(path[:length], lines))) is not None:
            return found
    return None


def _what(problem: ErrorDetails, meant: ErrorDetails | None, model: type[BaseModel]) -> str:
    kind = problem["type"]
    if kind == "missing" and meant:
        return f"Field required; did you mean it by {str(meant['loc'][-1])!r}?"
    if kind == "extra_forbidden":
        close = _closest(str(problem["loc"][-1]), _keys_at(model, path_of(problem)[:-1]))
        return "unknown key" + (f"; did you mean {close!r}?" if close else "")
    if problem["loc"][-1] == "[key]":
        return "a camera id is made of a-z, 0-9 and -, at most 40 of them"
    return _WRONG_KIND if kind in _MAPPING else _value(problem)


def _value(problem: ErrorDetails) -> str:
    if problem["input"] is None:
        return "nothing stands here"
    return validation_errors.sentence(problem)


def _misspelt(
    problem: ErrorDetails, found: Sequence[ErrorDetails], model: type[BaseModel]
) -> ErrorDetails | None:
    """The unknown key by which a missing one may be meant."""
    if problem["type"] != "missing":
        return None
    for other in found:
        if other["type"] == "extra_forbidden" and other["loc"][:-1] == problem["loc"][:-1]:
            keys = _keys_at(model, path_of(problem)[:-1])
            if _closest(str(other["loc"][-1]), keys) == problem["loc"][-1]:
                return other
    return None


def _closest(word: str, known: Sequence[str]) -> str | None:
    return next(iter(difflib.get_close_matches(word.lower(), known, n=1)), None)


def _keys_at(model: type[BaseModel], path: Path) -> list[str]:
    if not path:
        return [*model.model_fields, *TOP_KEYS]
    inner: Any = model
    for part in path:
        known = inner.model_fields if inner else {}
        if part in known:
            inner = _model_in(known[str(part)].annotation)
    return list(inner.model_fields) if inner else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in get_args(annotation))
    return next((one for one in found if one), None)
