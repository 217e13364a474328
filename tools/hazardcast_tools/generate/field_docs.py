"""What the docstrings under the fields of messages say, for whatever is generated from them.

They are read from the source, and only where something is generated: no service waits for it.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from enum import Enum
from typing import Any

from pydantic import BaseModel


def described(schema: dict[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of `model` with the fields' docstrings as descriptions, in every part."""
    models = {one.__name__: one for one in _parts(model, set())}
    parts = {**schema.get("$defs", {}), model.__name__: schema}
    for name, part in parts.items():
        if name in models:
            _describe(part, models[name])
    return schema


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """Field (as on the wire) → what its docstring says, on one line."""
    said: dict[str, str] = {}
    for part in reversed(model.__mro__):
        if issubclass(part, BaseModel) and part is not BaseModel:
            said.update(_docstrings(part))
    return {
        field.alias or name: said[name]
        for name, field in model.model_fields.items()
        if name in said
    }


def meanings(words: type[Enum]) -> dict[str, str]:
    """Value of each word of an enum → what its docstring says; empty where the word says it."""
    said = dict(_docstrings(words))
    return {str(word.value): said.get(word.name, "") for word in words}


def _describe(schema: dict[str, Any], model: type[BaseModel]) -> None:
    for name, text in descriptions(model).items():
        schema["properties"][name]["description"] = text


def _docstrings(model: type[Any]) -> Iterator[tuple[str, str]]:
    """Each name set in the body of a class whose next statement is a text."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(body, ast.ClassDef)
    for before, after in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(before, ast.AnnAssign | ast.Assign)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            targets = [before.target] if isinstance(before, ast.AnnAssign) else before.targets
            yield ast.unparse(targets[0]), " ".join(after.value.value.split())


def _parts(kind: Any, seen: set[type[BaseModel]]) -> set[type[BaseModel]]:
    """Every model that `kind` is or holds, however deep."""
    if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in seen:
        seen.add(kind)
        for field in kind.model_fields.values():
            _parts(field.annotation, seen)
    for inner in getattr(kind, "__args__", ()):
        _parts(inner, seen)
    return seen
