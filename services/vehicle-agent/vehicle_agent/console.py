"""The vehicle's console: lines on stdout, and on a terminal a status line below them."""

from __future__ import annotations

import os
import select
import stat
import sys
from typing import Protocol, TextIO


class Console(Protocol):
    """Where lines go."""

    def ready(self) -> bool:
        """Whether a line would surely be taken at once, so that the ear may write it itself."""
        ...

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
        self._poll = _polled(stream)

    def ready(self) -> bool:
        """A pipe with room for a line; a file may wait for its disk."""
        return self._poll is not None and [event for _, event in self._poll.poll(0)] == [
            select.POLLOUT
        ]

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

    def ready(self) -> bool:
        """A terminal may be held (Ctrl-S) at any moment."""
        return False

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


def _polled(stream: TextIO) -> select.poll | None:
    """What tells whether a pipe has room (PIPE_BUF at least, pipe(7)); None for all else."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return None
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return None
    polled = select.poll()
    polled.register(descriptor, select.POLLOUT)
    return polled


def open_console() -> Console:
    """The console that fits what stdout is."""
    return TerminalConsole() if sys.stdout.isatty() else PlainConsole(sys.stdout)
