"""One running ffmpeg: started on a leash, its three pipes read as lines, ended gracefully."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hazardcast.machine.clock import Clock
from hazardcast.service import leash

Pipe = Literal["frame", "segment", "log"]
READ_BYTES = 65_536
LONGEST_LINE = 65_536
GRACE_S = 2.0
"""Time to write the last packets and take leave of the camera before it is killed."""


@dataclass
class _Open:
    pipe: Pipe
    rest: bytes = b""


@dataclass(frozen=True)
class Lines:
    """What was said since the last read."""

    frame: list[str] = field(default_factory=list)
    segment: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.frame or self.segment or self.log)


class Recording:
    """An ffmpeg that records into `folder`.

    It does not outlive this process: the kernel ends it then (`service.leash`), and its next
    line finds a broken pipe.
    """

    def __init__(self, command: Callable[[int], tuple[str, ...]], folder: Path) -> None:
        """Start it.

        Args:
            command: gives the command for the file descriptor of the segment list.
            folder: its working directory.
        """
        list_read, list_write = os.pipe()
        tie = (sys.executable, "-I", "-S", leash.__file__, str(os.getpid()))
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                (*tie, *command(list_write)),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(list_write,),
                process_group=0,
            )
        except OSError:
            os.close(list_read)
            raise
        finally:
            os.close(list_write)
        self._list = os.fdopen(list_read, "rb", buffering=0)
        self._pipes = selectors.DefaultSelector()
        self._watch()

    def _watch(self) -> None:
        assert self._process.stdout
        assert self._process.stderr
        self._pipes.register(self._process.stderr, selectors.EVENT_READ, _Open("log"))
        self._pipes.register(self._process.stdout, selectors.EVENT_READ, _Open("frame"))
        self._pipes.register(self._list, selectors.EVENT_READ, _Open("segment"))

    @property
    def ended(self) -> bool:
        """True once everything it said has been read and it says nothing more."""
        return not self._pipes.get_map()

    def read(self, timeout_s: float) -> Lines:
        """Wait until it says something, at most `timeout_s`, and return all that it said."""
        lines = Lines()
        for key, _ in self._pipes.select(timeout_s):
            self._read_pipe(key, lines)
        return lines

    def _read_pipe(self, key: selectors.SelectorKey, lines: Lines) -> None:
        state: _Open = key.data
        data = os.read(key.fd, READ_BYTES)
        if not data:
            self._pipes.unregister(key.fileobj)
        *whole, rest = (state.rest + data).split(b"\n")
        state.rest = rest[-LONGEST_LINE:] if data else b""
        if not data and rest:
            whole.append(rest)
        into: list[str] = getattr(lines, state.pipe)
        into.extend(line.decode("utf-8", "replace").rstrip("\r") for line in whole)

    def stop(self, clock: Clock, grace_s: float = GRACE_S) -> Iterator[Lines]:
        """Ask it to finish, hand on its last lines, kill it when it does not; then it is gone."""
        self._process.terminate()
        deadline = clock.monotonic() + grace_s
        while not self.ended and clock.monotonic() < deadline:
            if lines := self.read(0.1):
                yield lines
        self.close()

    def close(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr, self._list):
            with contextlib.suppress(OSError, KeyError):
                assert pipe
                pipe.close()
        self._pipes.close()
