"""The reference of the command line: every verb and option, from the parsers themselves."""

from __future__ import annotations

import argparse
import importlib
import inspect
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from hazardcast_tools.cli import MODULES_RUN, VERBS, build
from hazardcast_tools.generate import reference

_HEADER = ("option", "value", "default", "meaning")
Row = tuple[str, str, str, str]
_KINDS = {bool: "", str: "text", int: "whole number", float: "number", Path: "path"}


def commands() -> str:
    """Every verb in the order of the help."""
    return "\n".join(text for verb in VERBS for text in _verb(verb))


def _verb(verb: str) -> Iterator[str]:
    if verb not in MODULES_RUN:
        yield from _typer(f"hazardcast {verb}", typer.main.get_command(build(verb)).commands[verb])  # type: ignore[attr-defined]
        return
    parser = getattr(_module(MODULES_RUN[verb]), "_parser", None)
    if parser is None:
        yield _section(f"hazardcast {verb}", VERBS[verb], [])
    else:
        yield from _argparse(f"hazardcast {verb}", VERBS[verb], parser())


def _module(name: str) -> Any:
    """What `python -m name` runs."""
    module = importlib.import_module(name)
    return importlib.import_module(f"{name}.__main__") if hasattr(module, "__path__") else module


def _section(command: str, purpose: str, rows: list[Row]) -> str:
    table = f"\n{reference.table(_HEADER, rows)}" if rows else ""
    return f"## `{command}`\n\n{purpose}\n{table}"


def _typer(command: str, found: Any) -> Iterator[str]:
    kinds = typing.get_type_hints(inspect.unwrap(found.callback)) if found.params else {}
    rows = [_parameter(one, _kind(kinds[one.name])) for one in found.params if one.name in kinds]
    yield _section(command, " ".join((found.help or "").split()), rows)
    for name, inner in getattr(found, "commands", {}).items():
        yield from _typer(f"{command} {name}", inner)


def _parameter(one: Any, kind: str) -> Row:
    argument = one.param_type_name == "argument"
    names = (one.name.upper(),) if argument else (*one.opts, *one.secondary_opts)
    default = "needed" if one.required else _default(one.default)
    return ", ".join(f"`{name}`" for name in names), kind, default, one.help or ""


def _kind(hint: Any) -> str:
    """What a parameter takes, from its annotation; nothing for a flag."""
    if typing.get_origin(hint) is typing.Literal:
        return _choices(typing.get_args(hint))
    parts = [one for one in typing.get_args(hint) if one is not type(None)]
    return _kind(parts[0]) if parts else _KINDS[hint]


def _choices(values: Any) -> str:
    return ", ".join(f"`{value}`" for value in values or ())


def _default(value: Any) -> str:
    if value is True:
        return "on"
    return "" if value in (None, False) or callable(value) else f"`{value}`"


def _argparse(command: str, purpose: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    actions = parser._actions  # noqa: SLF001 - argparse shows them nowhere else
    inner = [one for one in actions if isinstance(one, argparse._SubParsersAction)]  # noqa: SLF001
    rows = [_action(one) for one in actions if one not in inner and one.dest != "help"]
    yield _section(command, purpose, rows)
    for action in inner:
        for name, one in action.choices.items():
            yield from _argparse(f"{command} {name}", one.description or "", one)


def _action(one: argparse.Action) -> Row:
    names = ", ".join(f"`{name}`" for name in one.option_strings) or f"`{one.dest.upper()}`"
    kind = getattr(one.type, "__name__", "text").strip("_").lower()
    value = "" if one.nargs == 0 else _choices(one.choices) or str(one.metavar or kind)
    default = "needed" if one.required and not one.option_strings else _default(one.default)
    return names, value, default, (one.help or "").replace("%(default)s", str(one.default))
