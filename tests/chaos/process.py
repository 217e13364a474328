"""A service of the world: started, ended, started again; its lines read, or not read, or cut off."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.testbed import Node
from hazardcast.config.settings import PREFIX

SMALL, USUAL = 4096, 65_536
STOPS_WITHIN_S = 10.0
STARTS_WITHIN_S = 8.0
Line = Callable[[str], None]


class Tap:
    """Reads one stream into a file; may stop reading for a while, or for good."""

    def __init__(self, stream: int, path: Path, line: Line | None) -> None:
        self._stream, self._path, self._line = stream, path, line
        self._held = threading.Event()
        self._closing = threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def hold(self) -> None:
        """Read no more; the pipe is made small, so that it fills soon."""
        self._held.set()
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            try:
                fcntl.fcntl(self._stream, fcntl.F_SETPIPE_SZ, SMALL)
                return
            except OSError:
                time.sleep(0.05)

    def release(self) -> None:
        """Read again."""
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._stream, fcntl.F_SETPIPE_SZ, USUAL)
        self._held.clear()

    def drop(self) -> None:
        """The reader is gone: the process gets EPIPE from now on."""
        self._closing.set()

    def _read(self) -> None:
        rest = b""
        with self._path.open("ab") as file:
            while not self._closing.is_set():
                if self._held.is_set():
                    time.sleep(0.05)
                    continue
                if not select.select([self._stream], [], [], 0.1)[0] or self._held.is_set():
                    continue
                if not (data := os.read(self._stream, 65_536)):
                    break
                file.write(data)
                file.flush()
                *lines, rest = (rest + data).split(b"\n")
                for text in lines if self._line else ():
                    self._line(text.decode("utf-8", "replace"))  # type: ignore[misc]
        os.close(self._stream)


class Service:
    """One process, and all its lives."""

    def __init__(
        self,
        name: str,
        node: Node,
        command: Sequence[str],
        folder: Path,
        *,
        line: Line | None = None,
        **settings: str,
    ) -> None:
        self.name, self.node = name, node
        self.life = 0
        self.wanted = False
        """Whether it is to run; one that does not is started anew."""
        self._command = ("ip", "netns", "exec", node.namespace, *command)
        self._folder, self._line = folder, line
        changes = {PREFIX + key.upper(): value for key, value in settings.items()}
        self._environment = {**os.environ, **changes}
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._lock = threading.RLock()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def code(self) -> int | None:
        return self._process.poll() if self._process else None

    def start(self) -> None:
        with self._lock:
            if self.running:
                return
            self.life += 1
            self._started = time.monotonic()
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment,
            )
            out, err = self._process.stdout, self._process.stderr
            assert out
            assert err
            self.console = Tap(os.dup(out.fileno()), self._folder / f"{self.name}.out", self._line)
            self.log = Tap(os.dup(err.fileno()), self._folder / f"{self.name}.err", None)
            out.close()
            err.close()
            self.wanted = True

    def signal(self, number: signal.Signals) -> None:
        if self._process and self.running:
            self._process.send_signal(number)

    def kill(self) -> None:
        with self._lock:
            self.wanted = False
            if self._process:
                self._process.kill()
                self._process.wait()

    def end(self) -> str | None:
        """A clean stop; what is wrong with how it went, None: nothing."""
        with self._lock:
            self.wanted = False
            process = self._process
            if process is None or process.poll() is not None:
                return None
            began = time.monotonic()
            process.terminate()
            try:
                code = process.wait(STOPS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return f"{self.name} did not end within {STOPS_WITHIN_S:g} s of SIGTERM"
            took_s = time.monotonic() - began
            if code == -signal.SIGTERM and began - self._started < STARTS_WITHIN_S:
                return None  # it did not listen to signals yet
            return None if code == 0 else f"{self.name} ended with {code} after {took_s:.1f} s"
