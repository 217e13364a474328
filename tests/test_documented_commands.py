"""Every command in a document is run: on a machine of its own, on which the system runs as the README starts it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hazardcast.testing import eventually
from tests.conftest import missing

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "README.ko.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted(ROOT.glob("docs/**/*.md"))]  # fmt: skip
FENCE = re.compile(r"^ *```(sh|bash|shell|console)\b *([^\n]*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)  # fmt: skip
MARK = re.compile(r"|background|run-by: tests/\S+|not-run: \S.*")
MOST_NOT_RUN = 15
BLOCK_S = 90.0


@dataclass(frozen=True)
class Block:
    """A block of commands; `mark` is what stands behind its language."""

    document: Path
    mark: str
    text: str

    @property
    def commands(self) -> str:
        """Without remarks, so that two languages' documents say the same."""
        return re.sub(r"(?m)\s+#\s.*$", "", self.text).strip()


def blocks(document: Path) -> list[Block]:
    found = FENCE.findall(document.read_text(encoding="utf-8"))
    return [Block(document, mark.strip(), text) for _, mark, text in found]


ALL = [block for document in DOCUMENTS for block in blocks(document)]
RUN = [document for document in DOCUMENTS if any(block.mark in ("", "background") for block in blocks(document))]  # fmt: skip


def test_every_block_is_run_or_says_why_not() -> None:
    assert not [block for block in ALL if not MARK.fullmatch(block.mark)]
    assert len({block.commands for block in ALL if block.mark.startswith("not-run")}) <= MOST_NOT_RUN  # fmt: skip
    assert len(ALL) > 20


def test_the_tests_that_run_a_block_are_there() -> None:
    named = {block.mark.removeprefix("run-by: ") for block in ALL if block.mark.startswith("run-by")}  # fmt: skip

    assert not [name for name in named if "def test_" not in (ROOT / name).read_text("utf-8")]


class Machine:
    """A checkout in a namespace with a network of its own and no way out, as a newcomer's."""

    def __init__(self, folder: Path) -> None:
        self.name = f"hzc-{os.getpid()}-docs"
        self.folder = folder
        self.done: set[str] = set()
        for entry in ROOT.iterdir():
            if entry.name not in {".git", ".venv", "data", "config"}:
                (folder / entry.name).symlink_to(entry)
        (folder / ".venv").symlink_to(sys.prefix)
        shutil.copytree(ROOT / "config", folder / "config")
        _ip("netns", "add", self.name)
        for words in ("link set lo up", "link add eth0 type veth peer name eth1", "addr add 10.84.0.1/24 dev eth0",
                      "link set eth0 up", "link set eth1 up", "route add 224.0.0.0/4 dev eth0"):  # fmt: skip
            _ip("-n", self.name, *words.split())

    def start(self, text: str, output: Path) -> subprocess.Popen[bytes]:
        # What `make test ARGS=…` was asked for is not what `make up` is asked for.
        ours = ("HAZARDCAST_", "MAKE", "MFLAGS", "ARGS", "SOURCE")
        plain = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        with output.open("wb") as file:
            return subprocess.Popen(
                ["ip", "netns", "exec", self.name, "bash", "-euo", "pipefail", "-c", text],
                cwd=self.folder, env={**plain, "PYTHONUNBUFFERED": "1"}, stdin=subprocess.DEVNULL, stdout=file,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def close(self) -> None:
        for pid in _ip("netns", "pids", self.name).split():
            os.kill(int(pid), signal.SIGKILL)
        _ip("netns", "del", self.name)


def _ip(*words: str) -> str:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=True, env={**os.environ, "PATH": path})  # fmt: skip
    return done.stdout


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The system runs on it, as the README's second command starts it."""
    stamp = Path(sys.prefix, ".dev")
    if stamp.exists() and stamp.stat().st_mtime < (ROOT / "pyproject.toml").stat().st_mtime:
        pytest.fail("pyproject.toml is newer than .venv: `make .venv/.dev` first, or it installs from here")  # fmt: skip
    for tool in ("make", "cc", "node", "curl", "mosquitto_pub", "mosquitto"):
        if shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin") is None:
            missing(tool)
    try:
        machine = Machine(tmp_path_factory.mktemp("checkout"))
    except (OSError, subprocess.CalledProcessError):
        missing("the right to make a network namespace")
        raise
    (block,) = [one for one in blocks(ROOT / "README.md") if one.mark == "background"]
    output = machine.folder / "up.txt"
    up = machine.start(block.text, output)
    try:
        eventually(lambda: b"READY" in output.read_bytes() or up.poll() is not None, within_s=90, what="it is up")  # fmt: skip
        assert up.poll() is None, output.read_text(errors="replace")
        machine.done.add(block.commands)
        yield machine
        assert up.poll() is None, "it ran to the end"
    finally:
        _end(up)
        machine.close()


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("document", RUN, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_says_works(machine: Machine, document: Path, tmp_path: Path) -> None:
    """In order; what runs on in the background must have said something by the end, and go on."""
    background: list[tuple[subprocess.Popen[bytes], Path]] = []
    try:
        for number, block in enumerate(blocks(document)):
            if block.mark not in ("", "background") or block.commands in machine.done:
                continue
            machine.done.add(block.commands)
            output = tmp_path / f"{number}.txt"
            process = machine.start(block.text, output)
            if block.mark == "background":
                background.append((process, output))
                continue
            assert process.wait(BLOCK_S) == 0, f"{block.text}\n{output.read_text(errors='replace')}"
        for process, output in background:
            eventually(lambda file=output: file.stat().st_size, within_s=15, what=f"{output} says something")  # type: ignore[misc]  # fmt: skip
            assert process.poll() is None, output.read_text(errors="replace")
    finally:
        for process, _ in background:
            _end(process)
