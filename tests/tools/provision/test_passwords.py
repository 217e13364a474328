from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hazardcast_tools.provision import passwords
from hypothesis import given
from hypothesis import strategies as st


def test_an_entry_matches_its_password_and_no_other() -> None:
    entry = passwords.hashed("right")

    assert entry.startswith("$7$1000$")
    assert passwords.matches("right", entry)
    assert not passwords.matches("wrong", entry)


@given(st.text())
def test_what_is_not_an_entry_matches_nothing(text: str) -> None:
    assert not passwords.matches("right", text)


def test_entries_that_hold_stay_and_stale_ones_are_made_anew() -> None:
    before = passwords.password_file({"camera": "a", "recorder": "b", "gone": "c"})

    after = passwords.password_file({"camera": "a", "recorder": "changed"}, before=before)

    kept = dict(line.split(":") for line in before.splitlines())
    made = dict(line.split(":") for line in after.splitlines())
    assert set(made) == {"camera", "recorder"}
    assert made["camera"] == kept["camera"]
    assert passwords.matches("changed", made["recorder"])


def test_two_passwords_are_never_the_same() -> None:
    assert passwords.new_password() != passwords.new_password()


@pytest.mark.network
def test_entries_of_mosquittos_own_tool_are_understood(tmp_path: Path) -> None:
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("mosquitto_passwd is missing on this machine")
    subprocess.run([tool, "-b", "-c", tmp_path / "file", "user", "s3cret"], check=True)

    entry = (tmp_path / "file").read_text().strip().split(":", 1)[1]

    assert passwords.matches("s3cret", entry)
    assert not passwords.matches("other", entry)
