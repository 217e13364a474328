"""The vehicle's console: lines on stdout, and on a terminal a status line below them.

Lines go to the descriptor itself. What Python buffers for a stream would be lost with the line that
failed, and at the end the process would wait for a reader that may be gone.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO, cast

if TYPE_CHECKING:
    from rich.live import Live

POLL_MS = 1000


class Console(Protocol):
    """Where lines go. Any method may raise OSError: nobody reads any more, the disk is full."""

    shows_status: bool
    """Whether `status` shows anything."""

    def offer(self, text: str) -> bool:
        """Write one line if it is taken at once; False, and nothing is written, otherwise."""
        ...

    def line(self, text: str) -> None:
        """Write one line; it is on its way to the reader when this returns."""
        ...

    def status(self, text: str) -> None:
        """Show how things stand, where that can be shown without a line of its own."""
        ...

    def close(self) -> None:
        """Leave the console as it was."""
        ...


class Sink:
    """A descriptor that takes text in the console's own letters; `?` for what it has none for."""

    def __init__(self, descriptor: int, encoding: str) -> None:
        self._descriptor = descriptor
        self.encoding = encoding

    def write(self, text: str) -> int:
        """Write all of it, however long the reader takes."""
        left = memoryview(self.encoded(text))
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:
                # Who shares the descriptor has set it to non-blocking.
                self._wait()
        return len(text)

    def encoded(self, text: str) -> bytes:
        """`text` as this console has it."""
        return text.encode(self.encoding, "replace")

    def _wait(self) -> None:
        polled = select.poll()
        polled.register(self._descriptor, select.POLLOUT)
        polled.poll(POLL_MS)

    def flush(self) -> None:
        """Nothing is held back."""

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._descriptor)


class PlainConsole:
    """For pipes, files and log collectors: whole lines, each written at once."""

    shows_status = False

    def __init__(self, stream: TextIO) -> None:
        self._sink = Sink(stream.fileno(), stream.encoding or "utf-8")
        self._quick = _without_waiting(stream.fileno())

    def offer(self, text: str) -> bool:
        """A pipe with room for a line; a file may wait for its disk."""
        line = self._sink.encoded(text + "\n")
        if self._quick is None or len(line) > select.PIPE_BUF:
            return False
        try:
            return os.write(self._quick, line) == len(line)
        except BlockingIOError:
            return False

    def line(self, text: str) -> None:
        """Write one line."""
        self._sink.write(text + "\n")

    def status(self, text: str) -> None:
        """Not shown: changes come as lines."""

    def close(self) -> None:
        """Nothing to restore."""
        if self._quick is not None:
            os.close(self._quick)
            self._quick = None


class TerminalConsole:
    """For people: lines scroll by above a status line that stays."""

    shows_status = True

    def __init__(self, stream: TextIO) -> None:
        self._sink = Sink(stream.fileno(), stream.encoding or "utf-8")
        self._shown: Live | None = None

    def offer(self, text: str) -> bool:  # noqa: ARG002
        """A terminal may be held (Ctrl-S) at any moment."""
        return False

    def line(self, text: str) -> None:
        """Write one line above the status."""
        style = "bold red" if text.startswith("[RECV]") else ""
        self._show(lambda live: live.console.print(_text(text, style), soft_wrap=True))

    def status(self, text: str) -> None:
        """Replace the status line."""
        self._show(lambda live: live.update(_text(text, "reverse"), refresh=True))

    def close(self) -> None:
        """Take the status line away."""
        if self._shown:
            self._shown.stop()

    def _show(self, change: Callable[[Live], None]) -> None:
        try:
            change(self._live)
        except BaseException:
            self._shown = None  # what it holds back would be written again and again
            raise

    @property
    def _live(self) -> Live:
        """Begun with the first line, on the thread that may wait for the terminal."""
        if self._shown is None:
            # Imported here: a vehicle without a terminal need not carry it in memory.
            from rich.console import Console as RichConsole  # noqa: PLC0415
            from rich.live import Live  # noqa: PLC0415

            console = RichConsole(file=cast("Any", self._sink), highlight=False)
            shown = Live(
                console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
            )
            shown.start()
            self._shown = shown
        return self._shown


class NoConsole:
    """For a process that was started without a stdout: every line is one that nobody reads."""

    shows_status = False

    def offer(self, text: str) -> bool:  # noqa: ARG002
        """Never taken."""
        return False

    def line(self, text: str) -> None:  # noqa: ARG002
        """Say that it is lost."""
        raise OSError(errno.EBADF, "there is no stdout")

    def status(self, text: str) -> None:
        """Not shown."""

    def close(self) -> None:
        """Nothing to restore."""


def _text(text: str, style: str) -> Any:
    from rich.text import Text  # noqa: PLC0415

    return Text(text, style=style)


def _without_waiting(descriptor: int) -> int | None:
    """A second way into a pipe, on which a write never waits; None for all else.

    A line of PIPE_BUF bytes at most is then taken whole or not at all (pipe(7)). The pipe is opened
    anew, as O_NONBLOCK on the descriptor itself would hold for all who share it. Linux alone offers
    this, and not to another user than the one who made the pipe.
    """
    try:
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return None
        return os.open(Path("/proc/self/fd") / str(descriptor), os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


def open_console() -> Console:
    """The console that fits what stdout is."""
    stream = cast("TextIO | None", sys.stdout)  # None where descriptor 1 was closed at the start
    try:
        if stream is None:
            return NoConsole()
        return TerminalConsole(stream) if stream.isatty() else PlainConsole(stream)
    except (OSError, ValueError):
        return NoConsole()
