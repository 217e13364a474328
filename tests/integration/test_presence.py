"""Every service tells of itself in the same way, on a real broker."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hazardcast.config.settings import environment_with
from hazardcast.contract.messages import ServiceStatus
from hazardcast.contract.service_names import EVERY_SERVICE
from hazardcast.contract.topics import STATUS
from hazardcast.mqtt.bus import Delivery, MqttBus
from hazardcast.net.ports import free_ports
from hazardcast.testing import eventually

START_S = 60.0
CONFIG = "cameras:\n  north: {url: 'rtsp://127.0.0.1:9/main'}\n"
pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.fixture
def processes(
    mosquitto: Any, ffmpeg: str, tmp_path: Path
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """One process of every service; none of them finds its camera."""
    (tmp_path / "cameras.yaml").write_text(CONFIG)
    http, camera, console, *metrics = map(str, free_ports(3 + len(EVERY_SERVICE)))
    settings = {
        "config": str(tmp_path / "cameras.yaml"),
        "data_dir": str(tmp_path / "data"),
        "mqtt_port": str(mosquitto.port),
        "http_port": http,
        "camera_port": camera,
        "console_port": console,
        "multicast_interface": "127.0.0.1",
        "instance": "here",
        "vehicle": "here",
        "ffmpeg": ffmpeg,
    }
    started = {
        name: subprocess.Popen(
            [sys.executable, "-m", name.replace("-", "_")],
            env=environment_with(**settings, metrics_port=port),
            stdout=subprocess.DEVNULL,
            stderr=(tmp_path / f"{name}.log").open("wb"),
        )
        for name, port in zip(EVERY_SERVICE, metrics, strict=True)
    }
    yield started
    for process in started.values():
        process.kill()
        process.wait(10)


@pytest.fixture
def states(mosquitto: Any) -> Iterator[dict[str, str]]:
    """Service → the state it was last said to be in."""
    heard: dict[str, str] = {}

    def hear(word: ServiceStatus, delivery: Delivery) -> None:
        heard[word.service] = word.state

    watcher = MqttBus(mosquitto.settings(), client_id="watcher")
    watcher.subscribe(STATUS, hear)
    watcher.start()
    yield heard
    watcher.close()


def everybody(state: str) -> dict[str, str]:
    return dict.fromkeys(EVERY_SERVICE, state)


def test_every_service_is_there_comes_back_to_a_new_broker_and_is_missed_when_it_dies(
    processes: dict[str, subprocess.Popen[bytes]], states: dict[str, str], mosquitto: Any
) -> None:
    eventually(lambda: states == everybody("online"), within_s=START_S, what="all are there")

    mosquitto.stop()
    states.clear()
    mosquitto.start()  # it remembers nothing
    eventually(lambda: states == everybody("online"), within_s=20.0, what="all are there again")

    for process in processes.values():
        process.kill()
    eventually(lambda: states == everybody("offline"), within_s=10.0, what="all are missed")
