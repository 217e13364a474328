"""How the demo tells its story: colours and a moving line on a terminal, else plain lines."""

from __future__ import annotations

import sys
import threading
from typing import IO, Protocol, cast

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from hazardcast.contract.terminal_text import printable
from hazardcast.machine.clock import Clock
from hazardcast.service.output import OutputFile

PLAIN_PROGRESS_EVERY_S = 3.0
STYLES = {
    "step": "bold cyan", "good": "green", "bad": "bold red", "console": "bold yellow", "plain": "",
}  # fmt: skip


class Screen(Protocol):
    """Where the story is told."""

    def say(self, line: str, style: str = "plain") -> None:
        """A line that stays."""
        ...

    def progress(self, text: str) -> None:
        """How it stands just now."""
        ...

    def table(self, table: Table) -> None:
        """A table."""
        ...

    def close(self) -> None:
        """The story is over."""
        ...


class TerminalScreen:
    """Lines that stay, above one line that moves."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        self._started = clock.monotonic()
        self._status: Status | None = None

    def say(self, line: str, style: str = "plain") -> None:
        """A line that stays, with the seconds since the start."""
        seconds = self._clock.monotonic() - self._started
        text = Text(f"{seconds:5.1f} s  ", style="dim").append(printable(line), style=STYLES[style])
        self._console.print(text, soft_wrap=True)

    def progress(self, text: str) -> None:
        """Move the line at the bottom."""
        if self._status is None:
            self._status = self._console.status(Text(printable(text)))
            self._status.start()
        self._status.update(Text(printable(text)))

    def table(self, table: Table) -> None:
        """A table, in place of the moving line."""
        self.close()
        self._console.print(table)

    def close(self) -> None:
        """Take the moving line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None
        file: object = self._console.file
        if isinstance(file, OutputFile):
            file.settle()


class PlainScreen(TerminalScreen):
    """The same without movement: progress now and then as a line of its own."""

    def __init__(self, console: Console, clock: Clock) -> None:
        super().__init__(console, clock)
        self._next_progress = 0.0
        self._lock = threading.Lock()

    def progress(self, text: str) -> None:
        """Say how it stands, if the last time is long enough ago."""
        now = self._clock.monotonic()
        with self._lock:
            if now < self._next_progress:
                return
            self._next_progress = now + PLAIN_PROGRESS_EVERY_S
        self.say(text)


def screen(clock: Clock) -> Screen:
    """The screen that fits where stdout goes; a held terminal does not hold up the demo."""
    file = cast(IO[str], OutputFile(sys.stdout))
    console = Console(file=file, highlight=False)
    if console.is_terminal:
        return TerminalScreen(console, clock)
    return PlainScreen(Console(file=file, highlight=False, width=120, soft_wrap=True), clock)
