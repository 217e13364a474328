"""An alerter at a broker of its own, for one benchmark; and those who load it and hear it."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import brokers
from benchmarks.harness import Child, free_port, service

GROUP = "239.20.20.20"
READY_WITHIN_S = 20.0


@dataclass(frozen=True)
class Station:
    """A running alerter and where to reach it."""

    alerter: Child
    environment: dict[str, str]
    """What a vehicle-agent of the same site is started with."""
    mqtt_port: int
    udp_port: int
    http_port: int
    data: Path

    def metrics(self) -> dict[str, float]:
        """Every series that the alerter shows, by name and labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def ready(self) -> bool:
        """Whether every door is open."""
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/readyz"),
        ):
            return True
        return False


@contextlib.contextmanager
def on_air(**changes: str) -> Iterator[Station]:
    """A broker and an alerter that is ready."""
    with tempfile.TemporaryDirectory() as name, brokers.running_broker(Path(name)) as mqtt_port:
        folder = Path(name)
        config = folder / "cameras.yaml"
        config.write_text("site: {station_id: 4097}\ncameras: {}\n")
        udp_port, http_port = free_port(socket.SOCK_DGRAM), free_port()
        environment = {
            "config": str(config),
            "data_dir": str(folder / "data"),
            "mqtt_port": str(mqtt_port),
            "multicast_interface": "127.0.0.1",
            "multicast_port": str(udp_port),
            **changes,
        }
        with service("alerter", **environment, http_port=str(http_port)) as alerter:
            station = Station(alerter, environment, mqtt_port, udp_port, http_port, folder / "data")
            deadline = time.monotonic() + READY_WITHIN_S
            while not station.ready():
                if time.monotonic() > deadline:
                    raise TimeoutError("the alerter did not become ready")
                time.sleep(0.1)
            yield station


class Helper:
    """A process of `benchmarks` that works beside the one measured and tells its findings."""

    def __init__(self, module: str, *arguments: object) -> None:
        command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()  # "ready"

    def findings(self, within_s: float = 120.0) -> dict[str, float]:
        """Let it end, and what it found."""
        out, _ = self._process.communicate("", timeout=within_s)
        found: dict[str, float] = json.loads(out)
        return found
