"""What the verbs print: lines in which nothing from outside steers the terminal or makes a line."""

from __future__ import annotations

import sys

import typer

from hazardcast.contract.terminal_text import printable


def tell(*lines: str, mark: str = "", err: bool = False) -> None:
    """Print lines, each after `mark`, which may be coloured."""
    for line in lines:
        typer.echo(mark + printable(line), err=err)


def spell_out_what_cannot_be_shown() -> None:
    """A console of another encoding gets the code of a letter, never an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")
