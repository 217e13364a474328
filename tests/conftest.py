"""Fixtures that give tests the real tools; a missing tool skips, and fails where CI is set."""

from __future__ import annotations

import gc
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
import pytest
from hazardcast_tools.stack.broker import BrokerKind, find_mosquitto, prepare

from hazardcast.config.settings import Settings
from hazardcast.contract.errors import ToolMissingError
from hazardcast.media.ffmpeg import find_ffmpeg
from hazardcast.testing import ManualClock, MemoryBroker, eventually

# Machines are noisy: how long an example takes says nothing about what it shows.
hypothesis.settings.register_profile(
    "noisy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("noisy")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full-length", action="store_true", help="clips of ten minutes: takes as long"
    )


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What was measured; and for `.ci/run`: which tests needed another try, where the time went."""
    groups = ("passed", "failed", "rerun")
    measured = [one for name in groups for one in terminalreporter.stats.get(name, ())]
    figures = [value for one in measured for name, value in one.user_properties if name == "figure"]
    if figures:
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(figures))
    if file := os.environ.pop("HAZARDCAST_TEST_REPORT", None):  # once
        reports = [one for group in terminalreporter.stats.values() for one in group]
        phases = [one for one in reports if isinstance(one, pytest.TestReport)]
        lines = [f"rerun {one.nodeid}" for one in terminalreporter.stats.get("rerun", ())]
        lines += [f"time {Path(one.nodeid.split('::')[0]).parent} {one.duration}" for one in phases]
        with Path(file).open("a", encoding="utf-8") as report:
            report.writelines(f"{line}\n" for line in lines)


@pytest.fixture
def full_length(request: pytest.FixtureRequest) -> bool:
    """Whether time is not to be compressed."""
    return bool(request.config.getoption("--full-length"))


FILES_LEFT_OPEN = 64
"""By caches and by servers of a whole run."""
SYSTEM_PYTHON = "/usr/bin/python3"
RTSP_SERVER = Path(__file__).with_name("rtsp_server.py")
ASSETS = Path(__file__).resolve().parents[2] / "shared" / "assets"


def missing(what: str) -> NoReturn:
    """Skip for want of `what`; with CI set, where everything is installed, fail."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing on this machine")


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir()) if sys.platform == "linux" else 0


@pytest.fixture(scope="module", autouse=True)
def _files_are_closed() -> Iterator[None]:
    """What one file of tests leaves open, a thousand tests later breaks another."""
    before = open_files()
    yield
    if open_files() > before + FILES_LEFT_OPEN:
        gc.collect()
    assert open_files() <= before + FILES_LEFT_OPEN


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    try:
        return find_ffmpeg()
    except ToolMissingError as error:
        missing(str(error))
        raise


@pytest.fixture(scope="session")
def assets() -> Path:
    """Real footage and models, where this machine has them."""
    if not ASSETS.is_dir():
        pytest.skip("no real footage on this machine")
    return ASSETS


@pytest.fixture(scope="session")
def mosquitto_program() -> str:
    found = find_mosquitto()
    if found is None:
        missing("mosquitto")
    assert found is not None
    return found


@pytest.fixture(scope="session")
def mosquitto_clients() -> None:
    """`mosquitto_pub` and `mosquitto_sub`, as a person would use them."""
    if shutil.which("mosquitto_pub") is None or shutil.which("mosquitto_sub") is None:
        missing("mosquitto-clients")


class RealBroker:
    """A real broker on a free port that can be stopped and started again."""

    def __init__(self, folder: Path, kind: BrokerKind) -> None:
        self.port = free_port()
        self._command = prepare(folder, port=self.port, choice=kind).process.command
        self._said = folder / "said.txt"
        self._ended = False
        self.start()

    def start(self) -> None:
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(self._command, stdout=said, stderr=said)
        self._ended = False
        eventually(self._answers, what="the broker listens")

    def stop(self) -> None:
        """It ends when it is told to, and not before: what it said is shown where it did."""
        if not self._ended and (code := self._process.poll()) is not None:
            pytest.fail(f"the broker ended by itself ({code}): {self._said.read_text()}")
        self._process.terminate()
        self._process.wait(10)
        self._ended = True

    def kill(self) -> None:
        """As a power cut ends it."""
        self._process.kill()
        self._process.wait()
        self._ended = True

    def freeze(self) -> None:
        """Let it hang without closing its connections."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        assert self._process.poll() is None, f"the broker ended: {self._said.read_text()}"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def settings(self, **changes: object) -> Settings:
        """Settings of a service that uses this broker."""
        return Settings(mqtt_port=self.port, **changes)  # type: ignore[arg-type]


@pytest.fixture
def mosquitto(
    mosquitto_program: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealBroker]:
    server = RealBroker(tmp_path_factory.mktemp("mosquitto"), "mosquitto")
    yield server
    server.stop()


@pytest.fixture
def embedded_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBroker]:
    server = RealBroker(tmp_path_factory.mktemp("embedded"), "embedded")
    yield server
    server.stop()


class RtspCamera:
    """An RTSP camera in a process of its own, to be frozen, killed and started again."""

    def __init__(self, options: Sequence[str]) -> None:
        self.options = options
        self.port = "0"
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, str(RTSP_SERVER), "--port", self.port, *self.options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        assert self.url.startswith("rtsp://"), "the RTSP server did not start"
        self.port = self.url.split(":")[2].split("/")[0]

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)


@pytest.fixture
def rtsp_camera() -> Iterator[Callable[..., RtspCamera]]:
    """`rtsp_camera("--codec", "h265", "--audio", "aac")`: options of `tests/rtsp_server.py`."""
    needed = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"  # fmt: skip
    if (
        not Path(SYSTEM_PYTHON).exists()
        or subprocess.run(
            [SYSTEM_PYTHON, "-c", needed], stderr=subprocess.DEVNULL, check=False
        ).returncode
    ):
        missing("GStreamer's RTSP server for the system's Python (gir1.2-gst-rtsp-server-1.0)")
    cameras: list[RtspCamera] = []

    def start(*options: str) -> RtspCamera:
        cameras.append(RtspCamera(options))
        return cameras[-1]

    yield start
    for camera in cameras:
        camera.kill()


CONTAINER_COMMAND = re.compile(r"docker compose (?:-f \S+ )*(?:exec|run)((?: --entrypoint \S+| -\S+)*) ([a-z-]+)([^`#\n]*)")  # fmt: skip


@pytest.fixture(scope="session")
def documented_commands() -> list[tuple[str, list[str]]]:
    """What the documents and Compose files run in containers: (service, the command's words)."""
    root = Path(__file__).resolve().parents[1]
    files = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("compose*.yaml"), root / ".env.example"]  # fmt: skip
    commands = []
    for file in files:
        for options, service, words in CONTAINER_COMMAND.findall(file.read_text(encoding="utf-8")):
            entry = re.search(r"--entrypoint (\S+)", options)
            said = [*(entry.groups() if entry else ()), *shlex.split(words)]
            commands.append((service, said or [""]))
    return commands
