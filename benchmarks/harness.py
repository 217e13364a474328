"""What every benchmark needs: child processes, percentiles, and results as a table and as JSON."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from hazardcast import __version__
from hazardcast.config.settings import PREFIX

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured figure beside its peer; `aim` says what we want of `ratio` or `ours`."""

    name: str
    unit: str
    ours: float
    bare: float | None
    aim: str
    met: bool
    detail: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        return None if not self.bare else self.ours / self.bare


def percentile(values: list[float], percent: float) -> float:
    """Nearest-rank percentile."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * percent // 100))
    return ordered[int(rank) - 1]


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, within_s: float = 15.0) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on port {port}")


class Child:
    """A process whose lines on stdout are stamped as they come."""

    def __init__(self, *command: str, **environment: str) -> None:
        changes = {PREFIX + name.upper(): value for name, value in environment.items()}
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **changes},
        )
        self.lines: list[tuple[float, str]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append((time.monotonic(), line))

    def tree(self) -> list[psutil.Process]:
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def cpu_s(self) -> float:
        """CPU time so far, of the process and its living children."""
        total = 0.0
        for process in self.tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def rss_mb(self) -> float:
        with contextlib.suppress(psutil.NoSuchProcess):
            return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)
        return float("nan")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def running(*command: str, **environment: str) -> Iterator[Child]:
    child = Child(*command, **environment)
    try:
        yield child
    finally:
        child.stop()


def service(module: str, **environment: str) -> contextlib.AbstractContextManager[Child]:
    """One of our services on its real entry point, on a metrics port of its own."""
    environment.setdefault("metrics_port", str(free_port()))
    return running(sys.executable, "-m", module, **environment)


def report(figures: list[Figure]) -> None:
    """Print the table and write `results/{time}.json`."""
    table = Table("figure", "ours", "bare", "ratio", "aim", "met")
    for figure in figures:
        bare = "" if figure.bare is None else f"{figure.bare:.3g} {figure.unit}"
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        ours = f"{figure.ours:.3g} {figure.unit}"
        table.add_row(figure.name, ours, bare, ratio, figure.aim, "yes" if figure.met else "NO")
    Console(width=120).print(table)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.json"
    path.write_text(json.dumps(_document(figures), indent=2) + "\n")
    print(f"written: {path}")


def _document(figures: list[Figure]) -> dict[str, object]:
    return {
        "version": __version__,
        "machine": {
            "cpu": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
            "load_1min": os.getloadavg()[0],
        },
        "figures": [{**asdict(figure), "ratio": figure.ratio} for figure in figures],
    }
