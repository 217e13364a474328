"""Text on its way to a reader who may not read: whoever writes never waits.

A terminal held by Ctrl-S, `| less`, a log driver that hangs: write(2) then blocks for as long as it
takes. So one thread of its own does the writing; the others leave their lines in a bounded queue.
When it is full the oldest line gives way, a grave one last, and the next line that gets out is
preceded by one that says how many were lost.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO

LINES = 2_000
FLUSH_WITHIN_S = 1.0
LONGEST_LINE = 65_536
ROOM_WITHIN_MS = 1_000
Text = str | Callable[[], str]
"""A line without its end, or what makes it: called on the writing thread."""


def told_lost(count: int) -> str:
    """The line that stands where others are missing."""
    return f"({count} {'line was' if count == 1 else 'lines were'} lost: nobody read them in time)"


class Output:
    """Writes lines to `stream` on a daemon thread; any thread may `put`.

    `end` ends each line, `lost` makes the one that tells of lost ones, `count` hears of each as it
    is lost.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        end: str = "\n",
        most: int = LINES,
        lost: Callable[[int], str] = told_lost,
        count: Callable[[], None] = lambda: None,
    ) -> None:
        self._write = _writer(stream)
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._end = end
        self._most = most
        self._lost_line = lost
        self._count = count
        self._plain: deque[tuple[int, Text]] = deque()
        self._grave: deque[tuple[int, Text]] = deque()
        self._number = 0
        self._lost = 0
        self._busy = False
        self._closed = False
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="output", daemon=True).start()

    def put(self, text: Text, *, grave: bool = False) -> None:
        """Leave a line to be written; returns at once."""
        with self._changed:
            full = len(self._plain) + len(self._grave) >= self._most
            if full:
                (self._plain or self._grave).popleft()
                self._lost += 1
            self._number += 1
            (self._grave if grave else self._plain).append((self._number, text))
            self._changed.notify_all()
        if full:
            self._count()

    def flush(self, timeout_s: float = FLUSH_WITHIN_S) -> bool:
        """Wait until every line is written, but no longer; False when some are not."""
        with self._changed:
            return self._changed.wait_for(self._idle, timeout_s)

    def close(self, timeout_s: float = FLUSH_WITHIN_S) -> None:
        """Flush, then let the thread end."""
        self.flush(timeout_s)
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _idle(self) -> bool:
        return not (self._busy or self._plain or self._grave)

    def _run(self) -> None:
        while (taken := self._take()) is not None:
            text, lost = taken
            gone = 0 if self._put_out(text, lost) else 1
            with self._changed:
                self._lost += gone + (lost if gone else 0)
                self._busy = False
                self._changed.notify_all()
            if gone:
                self._count()

    def _take(self) -> tuple[Text, int] | None:
        """The next line and how many were lost before it; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._plain or self._grave or self._closed)
            if not (self._plain or self._grave):
                return None
            plain_first = self._plain and (not self._grave or self._plain[0] < self._grave[0])
            _, text = (self._plain if plain_first else self._grave).popleft()
            lost, self._lost, self._busy = self._lost, 0, True
            return text, lost

    def _put_out(self, text: Text, lost: int) -> bool:
        """Write a line, after the one that tells of lost ones; whatever goes wrong costs lines."""
        try:
            lines = [self._lost_line(lost)] if lost else []
            lines.append(text if isinstance(text, str) else text())
            for line in lines:
                self._write(line[:LONGEST_LINE] + self._end, self._encoding)
        except Exception:  # noqa: BLE001 - there is nobody left to tell
            return False
        return True


class OutputFile(io.TextIOBase):
    """A text file over an `Output`, for those who write to files (rich)."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._output = Output(stream, end="", lost=lambda count: f"\n{told_lost(count)}\n")

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As of the stream below."""
        return self._stream.encoding

    def isatty(self) -> bool:
        """Whether a person looks on."""
        return self._stream.isatty()

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str) -> int:
        """Leave a text to be written; waits for nobody."""
        self._output.put(text)
        return len(text)

    def settle(self) -> None:
        """Give what was written a moment to be read."""
        self._output.flush()


def _writer(stream: TextIO) -> Callable[[str, str], None]:
    """What writes a text: past Python's own buffer, whose lock would outlast a held terminal."""
    try:
        descriptor = stream.fileno()
    except (AttributeError, OSError, ValueError):
        return lambda text, _encoding: _to_stream(stream, text)
    return lambda text, encoding: _to_descriptor(
        descriptor, text.encode(encoding, "backslashreplace")
    )


def _to_stream(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()


def _to_descriptor(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # somebody made the terminal that we share non-blocking
            _await_room(descriptor)


def _await_room(descriptor: int) -> None:
    room = select.poll()
    room.register(descriptor, select.POLLOUT)
    with contextlib.suppress(InterruptedError):
        room.poll(ROOM_WITHIN_MS)
