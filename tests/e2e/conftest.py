"""A `hazardcast` command that runs beside the test, its lines at hand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hazardcast.config.settings import environment_with
from hazardcast.net.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
STOP_S = 25.0


class Command:
    """A running command."""

    def __init__(self, arguments: tuple[str, ...], settings: dict[str, str]) -> None:
        self.settings = settings
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-m", "hazardcast_tools", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=environment_with(**settings),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def mqtt_port(self) -> int:
        return int(self.settings["mqtt_port"])

    def says(self, words: str, *, after: int = 0) -> str | None:
        """The first line with `words` in it, from line number `after` on."""
        return next((line for line in self.lines[after:] if words in line), None)

    def wait(self, timeout_s: float) -> int:
        code = self._process.wait(timeout_s)
        self._reader.join(5)
        return code

    def interrupt(self) -> int:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)
        return self.wait(STOP_S)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.kill(self._process.pid, signal.SIGKILL)
                self._process.wait()


Start = Callable[..., Command]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `hazardcast …` with ports and a data directory of its own."""
    running: list[Command] = []

    def start_one(*arguments: str, **settings: object) -> Command:
        ports = free_ports(5)
        names = ("mqtt_port", "http_port", "camera_port", "console_port", "metrics_port")
        own = {name: str(port) for name, port in zip(names, ports, strict=True)}
        own |= {"data_dir": str(tmp_path / "data"), "free_space_floor_gb": "0"}
        own |= {name: str(value) for name, value in settings.items()}
        running.append(Command(arguments, own))
        return running[-1]

    yield start_one
    for command in running:
        command.close()
        print(command.text)
