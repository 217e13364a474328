"""Turning pydantic's findings into one sentence that names the field."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_core import ErrorDetails


def first(error: ValidationError) -> ErrorDetails:
    """The first thing that is wrong; its input is left out, as it may hold a secret."""
    return error.errors(include_url=False, include_input=False)[0]


def place(problem: ErrorDetails) -> str:
    """Where it is wrong, as a dotted path."""
    return ".".join(str(part) for part in problem["loc"] if part != "[key]")


def sentence(problem: ErrorDetails) -> str:
    """What is wrong there."""
    return str(problem["msg"]).removeprefix("Value error, ")
