"""Child processes: started on a leash, their lines handed on, their whole group ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from hazardcast.config import settings

LEASH = Path(__file__).with_name("leash.py")
Stream = Literal["out", "err"]
TIMED_OUT = 124
"""Exit code of a program that was ended because it took too long, as timeout(1) has it."""
LONGEST_LINE = 65_536
LineSink = Callable[[str, Stream, str], None]
"""Hears (process name, stream, line without its end), one call at a time per stream."""


@dataclass(frozen=True)
class Process:
    """One row of the table: what to run, and with which `HAZARDCAST_*` settings."""

    name: str
    command: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    foundation: bool = False
    """Others lean on it (the broker), so it is ended last."""


def python_module(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module with this Python."""
    return (sys.executable, "-u", "-m", module, *arguments)


def run_module(module: str, arguments: list[str]) -> int:
    """Run a module in the foreground with this terminal; returns its exit code."""
    return subprocess.run([sys.executable, "-m", module, *arguments], check=False).returncode  # noqa: S603


def run_captured(command: Sequence[str], *, timeout_s: float) -> tuple[int, bytes, str]:
    """Run a program to its end: exit code, stdout, stderr; code 124 when it took too long."""
    try:
        done = subprocess.run(  # noqa: S603 - programs that the caller found
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return TIMED_OUT, b"", f"took longer than {timeout_s:g} s"
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


class Child:
    """A running process in a group of its own, so that Ctrl-C reaches only the supervisor."""

    def __init__(self, process: Process, sink: LineSink) -> None:
        self.name = process.name
        leash = (sys.executable, "-I", "-S", str(LEASH), str(os.getpid()))
        self._popen = subprocess.Popen(  # noqa: S603 - the supervisor's own table
            (*leash, *process.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=settings.environment_with(**process.settings),
            process_group=0,
        )
        assert self._popen.stdout
        assert self._popen.stderr
        self._pumps = [
            _pump(self.name, "out", self._popen.stdout, sink),
            _pump(self.name, "err", self._popen.stderr, sink),
        ]

    @property
    def pid(self) -> int:
        """The process's id, and that of its group."""
        return self._popen.pid

    def poll(self) -> int | None:
        """The exit code (negative: the signal that ended it), None while it runs."""
        return self._popen.poll()

    def terminate(self) -> None:
        """Ask it to stop (SIGTERM)."""
        self._popen.terminate()

    def reap(self) -> None:
        """End what is left of the whole group and hear its last lines."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        for pump in self._pumps:
            pump.join(timeout=2.0)


def _pump(name: str, stream: Stream, pipe: IO[bytes], sink: LineSink) -> threading.Thread:
    """Read to the end, whatever becomes of the lines: a child that nobody reads stands still."""

    def run() -> None:
        with pipe:
            while line := pipe.readline(LONGEST_LINE):
                with contextlib.suppress(Exception):
                    sink(name, stream, line.decode("utf-8", "replace").rstrip("\r\n"))

    thread = threading.Thread(target=run, name=f"lines of {name}", daemon=True)
    thread.start()
    return thread
