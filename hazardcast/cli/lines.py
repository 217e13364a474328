"""Lines on the screen: each with the name of the process that wrote it, in one colour a name."""

from __future__ import annotations

import sys
import threading

import typer

from hazardcast.processes import Stream

COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "bright_cyan", "bright_yellow", "white")
NAME_WIDTH = 10


class PrefixedLines:
    """A sink that prints whole lines, one at a time, to stdout."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._colours: dict[str, str] = {}

    def __call__(self, name: str, _stream: Stream, line: str) -> None:
        """Print one line of a process."""
        with self._lock:
            colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
            prefix = typer.style(f"{name:<{NAME_WIDTH}} |", fg=colour)
            typer.echo(f"{prefix} {line}")
            sys.stdout.flush()

    def own(self, line: str) -> None:
        """Print a line of the supervisor itself."""
        with self._lock:
            typer.secho(line, bold=True)
            sys.stdout.flush()
