"""Lines on the screen: each with the name of the process that wrote it, in one colour a name."""

from __future__ import annotations

import sys
import threading

import typer

from hazardcast.contract.terminal_text import printable
from hazardcast.service.output import Output
from hazardcast.service.processes import Stream

COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "bright_cyan", "bright_yellow", "white")
NAME_WIDTH = 10


class PrefixedLines:
    """A sink that prints whole lines, one at a time, to stdout.

    A held terminal holds up neither the processes whose lines these are nor their supervisor.
    """

    def __init__(self) -> None:
        self._output = Output(sys.stdout)
        self._in_colour = sys.stdout.isatty()
        self._lock = threading.Lock()
        self._colours: dict[str, str] = {}

    def __call__(self, name: str, _stream: Stream, line: str) -> None:
        """Print one line of a process; what a terminal would obey in it is replaced."""
        prefix = f"{name:<{NAME_WIDTH}} |"
        if self._in_colour:
            prefix = typer.style(prefix, fg=self._colour(name))
        self._output.put(f"{prefix} {printable(line.expandtabs())}")

    def _colour(self, name: str) -> str:
        with self._lock:
            return self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])

    def own(self, line: str) -> None:
        """Print a line of the supervisor itself."""
        text = printable(line)
        self._output.put(typer.style(text, bold=True) if self._in_colour else text, grave=True)

    def close(self) -> None:
        """Give the last lines a moment to be read."""
        self._output.close()
