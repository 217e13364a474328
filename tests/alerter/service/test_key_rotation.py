"""A key's whole life while alerts go out and a vehicle drives: no alert is missed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hazardcast.config.settings import PREFIX
from hazardcast.signing.envelope import open_unverified
from hazardcast.testing import eventually

pytestmark = pytest.mark.network
LOOKS_S = 1.2
"""Vehicle and alerter look at the files about twice a second."""


class Vehicle:
    """A vehicle-agent's process and what it printed."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vehicle_agent"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(line for line in self.process.stdout)

    def shown(self, word: str = "") -> list[str]:
        return [line for line in self.lines if line.startswith("[RECV]") and word in line]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(15)
        self._thread.join()


class Speaker:
    """Reports a new version every 50 ms until told to stop."""

    def __init__(self, world: Any) -> None:
        self.reported = 0
        self._world = world
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._speak)
        self._thread.start()

    def _speak(self) -> None:
        while not self._stop.wait(0.05):
            body = {"type": "fire", "event_id": "cam-1", "road": f"v{self.reported}."}
            assert self._world.post(json.dumps(body)).status_code == 202
            self.reported += 1

    def stop(self) -> int:
        self._stop.set()
        self._thread.join()
        return self.reported


@pytest.fixture
def environment(world: Any) -> dict[str, str]:
    changes = {**world.settings, "metrics_port": "0", "vehicle": "car-1"}
    return {**os.environ, **{PREFIX + name.upper(): value for name, value in changes.items()}}


@pytest.fixture
def vehicle(world: Any, environment: dict[str, str]) -> Iterator[Vehicle]:
    world.start()
    driving = Vehicle(environment)
    yield driving
    driving.close()


def keys(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "hazardcast_tools", "keys", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def states(environment: dict[str, str]) -> dict[str, str]:
    listed = json.loads(keys(environment, "list", "--json"))
    return {entry["kid"]: entry["state"] for entry in listed["keys"]}


def test_a_key_is_prepared_rotated_and_revoked_while_no_alert_is_missed(
    world: Any, vehicle: Vehicle, environment: dict[str, str]
) -> None:
    world.post('{"type":"fire","event_id":"cam-1","road":"first"}')
    eventually(lambda: vehicle.shown("first"), within_s=15)
    (old,) = states(environment)
    speaker = Speaker(world)
    keys(environment, "rotate", "--prepare")
    (new,) = states(environment).keys() - {old}
    assert states(environment) == {old: "active", new: "next"}
    time.sleep(LOOKS_S)
    keys(environment, "rotate")
    assert states(environment) == {old: "retired", new: "active"}
    eventually(lambda: kid_of(world.ear.texts[-1]) == new, within_s=10, what="the new key signs")
    time.sleep(LOOKS_S)
    keys(environment, "revoke", old)
    assert states(environment) == {old: "revoked", new: "active"}
    time.sleep(LOOKS_S)
    reported = speaker.stop()

    def versions() -> set[int]:
        return {n for n in range(reported) if any(f" v{n}." in line for line in vehicle.lines)}

    assert reported > 20
    eventually(lambda: len(versions()) == reported, what="every version was shown")
    assert not vehicle.shown("WITHDRAWN")
    assert len(vehicle.shown()) == reported + 1, "".join(vehicle.shown())


def kid_of(text: bytes) -> str:
    return open_unverified(text).kid


def test_the_commands_words_are_true_of_a_running_alerter(
    world: Any, environment: dict[str, str]
) -> None:
    world.start()
    said = keys(environment, "rotate")
    assert "a running alerter takes it up" in said
    assert Path(world.data / "keys").stat().st_mode & 0o077 == 0
