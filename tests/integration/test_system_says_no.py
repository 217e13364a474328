"""Every service and verb against every kind of *no*: one line of words, exit code 2.

As root the processes run without root's right to pass over permissions.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

IS_ROOT = os.geteuid() == 0
MOUNTS = IS_ROOT and shutil.which("unshare") is not None
UNPRIVILEGED = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"]
CAMERAS = "cameras: {a: {url: 'demo://normal'}}\n"
CLI = ["-m", "hazardcast_tools"]

WRITERS = {
    "recorder": ["-m", "recorder"],
    "clipper": ["-m", "clipper"],
    "alerter": ["-m", "alerter"],
    "console": ["-m", "console"],
    "up": [*CLI, "up", "--broker", "embedded"],
    "keys init": [*CLI, "keys", "init"],
    "demo": [*CLI, "demo"],
}
"""What makes folders below the data directory at its start."""


def denied(data: Path) -> None:
    data.mkdir(mode=0o555)


def a_file(data: Path) -> None:
    data.write_text("")


def dangling(data: Path) -> None:
    data.symlink_to("/not/there/at/all")


def circle(data: Path) -> None:
    data.symlink_to(data)


KINDS: dict[str, tuple[Callable[[Path], None], str]] = {
    "of another user": (denied, "permission denied"),
    "a file": (a_file, "a file where a folder is expected"),
    "a link to nowhere": (dangling, "which is not there"),
    "links in a circle": (circle, "in a circle"),
}
DEEDS = [(what, "of another user") for what in WRITERS] + [
    (what, kind) for what in ("recorder", "alerter", "up") for kind in KINDS if kind[0] != "o"
]
VOLUMES = {
    "read-only": ("ro", "mounted for reading only"),
    "no inode": ("nr_inodes=1", "no inode is left"),
}


def run(
    arguments: list[str], data: Path, tmp_path: Path, *, before: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    config = tmp_path / "cameras.yaml"
    config.write_text(CAMERAS)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    settings = {
        "CONFIG": str(config), "DATA_DIR": str(data), "MQTT_PORT": str(free),
        "HTTP_PORT": "0", "CAMERA_PORT": "0", "CONSOLE_PORT": "0", "METRICS_PORT": "0",
        "METRICS_HOST": "127.0.0.1", "LOG_FORMAT": "text",
    } | more  # fmt: skip
    environment = {
        **os.environ,
        **{f"HAZARDCAST_{name}": value for name, value in settings.items()},
    }
    command = [*(UNPRIVILEGED if IS_ROOT else []), sys.executable, *arguments]
    if before:
        command = ["unshare", "-m", "sh", "-c", f'{before}; exec "$@"', "sh", *command]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=30, check=False
    )


def is_one_line(done: subprocess.CompletedProcess[str], words: str) -> None:
    assert "Traceback" not in done.stderr
    assert done.returncode == 2, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("hazardcast: "), done.stderr
    assert words in last
    assert "Errno" not in last


@pytest.mark.parametrize(("what", "kind"), DEEDS)
def test_a_data_directory_that_cannot_be_used(what: str, kind: str, tmp_path: Path) -> None:
    make, words = KINDS[kind]
    data = tmp_path / "data"
    make(data)

    done = run(WRITERS[what], data, tmp_path)

    is_one_line(done, words)
    assert "HAZARDCAST_DATA_DIR" in done.stderr


def test_a_configuration_of_another_user(tmp_path: Path) -> None:
    config = tmp_path / "others.yaml"
    config.write_text(CAMERAS)
    config.chmod(0)
    if IS_ROOT:
        os.chown(config, 65534, 65534)

    done = run([*CLI, "check"], tmp_path / "data", tmp_path, CONFIG=str(config))

    is_one_line(done, "cannot be read, it belongs to ")
    assert done.stderr.startswith("hazardcast: HAZARDCAST_CONFIG: ")
    assert "give it to " in done.stderr


@pytest.mark.skipif(not MOUNTS, reason="mounts need root")
@pytest.mark.parametrize("kind", VOLUMES)
@pytest.mark.parametrize("what", ["recorder", "clipper", "keys init"])
def test_a_volume_that_takes_nothing(what: str, kind: str, tmp_path: Path) -> None:
    options, words = VOLUMES[kind]
    data = tmp_path / "data"
    data.mkdir()

    done = run(WRITERS[what], data, tmp_path, before=f"mount -t tmpfs -o {options} none '{data}'")

    is_one_line(done, words)


@pytest.mark.parametrize("what", ["recorder", "keys init"])
def test_a_name_that_is_too_long(what: str, tmp_path: Path) -> None:
    is_one_line(run(WRITERS[what], tmp_path / ("x" * 300), tmp_path), "255 at most")


@pytest.mark.parametrize("what", ["recorder", "keys init"])
def test_a_name_that_is_no_text(what: str, tmp_path: Path) -> None:
    data = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))

    is_one_line(run(WRITERS[what], data, tmp_path), "HAZARDCAST_DATA_DIR: ")


@pytest.mark.parametrize("what", ["recorder", "clipper", "alerter"])
def test_too_few_open_files(what: str, tmp_path: Path) -> None:
    limited = (
        "import resource, runpy, sys, importlib;"
        "importlib.import_module(sys.argv[1] + '.' + sys.argv[2]);"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4));"
        "runpy.run_module(sys.argv[1], run_name='__main__', alter_sys=True)"
    )
    wiring = "wiring" if what == "clipper" else "service"

    done = run(["-c", limited, what, wiring], tmp_path / "data", tmp_path)

    is_one_line(done, "too many open files")
