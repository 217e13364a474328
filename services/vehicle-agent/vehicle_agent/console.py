"""The vehicle's console: lines on stdout, and on a terminal a status line below them."""

from __future__ import annotations

import sys
from typing import Protocol, TextIO


class Console(Protocol):
    """Where lines go."""

    def line(self, text: str) -> None:
        """Write one line; it is on its way to the reader when this returns.

        Raises:
            OSError: nobody reads any more.
        """
        ...

    def status(self, text: str) -> None:
        """Show how things stand, where that can be shown without a line of its own."""
        ...

    def close(self) -> None:
        """Leave the console as it was."""
        ...


class PlainConsole:
    """For pipes, files and log collectors: whole lines, each flushed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def line(self, text: str) -> None:
        """Write one line and flush it."""
        self._stream.write(text + "\n")
        self._stream.flush()

    def status(self, text: str) -> None:
        """Not shown: changes come as lines."""

    def close(self) -> None:
        """Nothing to restore."""


class TerminalConsole:
    """For people: lines scroll by above a status line that stays."""

    def __init__(self) -> None:
        # Imported here: a vehicle without a terminal need not carry it in memory.
        from rich.console import Console as RichConsole  # noqa: PLC0415
        from rich.live import Live  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        self._text = Text
        self._live = Live(console=RichConsole(highlight=False), auto_refresh=False)
        self._live.start()

    def line(self, text: str) -> None:
        """Write one line above the status."""
        style = "bold red" if text.startswith("[RECV]") else ""
        self._live.console.print(self._text(text, style=style), soft_wrap=True)
        self._live.console.file.flush()

    def status(self, text: str) -> None:
        """Replace the status line."""
        self._live.update(self._text(text, style="reverse"), refresh=True)

    def close(self) -> None:
        """Take the status line away."""
        self._live.stop()


def open_console() -> Console:
    """The console that fits what stdout is."""
    return TerminalConsole() if sys.stdout.isatty() else PlainConsole(sys.stdout)
