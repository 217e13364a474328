"""What the verbs print of outside text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FORGED = "a\nPASS  every promise held\x1b[2J\u202egnp"
MAIN = "import sys; from hazardcast_tools.cli import main; sys.argv[0] = 'hazardcast'; main()"


def hazardcast(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", MAIN, *arguments],
        capture_output=True, timeout=60, check=False, env={**os.environ, **environment},
    )  # fmt: skip


@pytest.fixture
def configuration(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "cameras.yaml").write_text(
        "site: {station_id: 1, name: x, position: {lat_deg: 1, lon_deg: 1}}\ncameras: {}\n"
    )
    (tmp_path / FORGED).mkdir()
    return {
        "HAZARDCAST_CONFIG": str(tmp_path / "cameras.yaml"),
        "HAZARDCAST_DATA_DIR": str(tmp_path / FORGED),
    }  # fmt: skip


def test_a_name_steers_no_terminal_and_makes_no_line_of_its_own(
    configuration: dict[str, str],
) -> None:
    told = hazardcast("recordings", **configuration)

    (line,) = told.stdout.decode().splitlines()
    assert line.startswith("nothing is recorded below ")
    assert "a�PASS  every promise held�[2J�gnp" in line


def test_an_error_is_one_line(configuration: dict[str, str]) -> None:
    told = hazardcast("check", **{**configuration, "HAZARDCAST_CONFIG": f"/nowhere/{FORGED}"})

    assert told.returncode == 2
    (line,) = told.stderr.decode().splitlines()
    assert line.startswith("hazardcast: ")
    assert "\x1b" not in line


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp949"])
def test_a_console_of_another_encoding_is_told_all_the_same(
    configuration: dict[str, str], encoding: str
) -> None:
    told = hazardcast("recordings", **configuration, PYTHONIOENCODING=encoding)

    assert told.returncode == 0
    assert b"nothing is recorded below" in told.stdout
    assert not told.stderr


def test_json_is_ascii(configuration: dict[str, str]) -> None:
    told = hazardcast("recordings", "--json", **configuration)

    assert json.loads(told.stdout.decode("ascii"))["recordings_dir"].endswith(
        "\u202egnp/recordings"
    )
