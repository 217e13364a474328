"""An alerter process between a real broker, real multicast on loopback and real files."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hazardcast.config.settings import PREFIX
from hazardcast.contract.messages import Alert, Datagram
from hazardcast.contract.topics import INCIDENTS
from hazardcast.machine.clock import SystemClock
from hazardcast.mqtt.bus import MqttBus
from hazardcast.net.multicast import Group, open_receiver
from hazardcast.receiving.datagram_verifier import Accepted, Reception
from hazardcast.signing import trust
from hazardcast.testing import MemoryEpochs, eventually

CLOCK = SystemClock()
CONFIG = {
    "site": {"station_id": 4097, "position": {"lat_deg": 37.12, "lon_deg": 127.12}},
    "cameras": {"north": {"url": "rtsp://10.0.0.11/main", "heading_deg": 90}},
}


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Ear:
    """A vehicle's ear: every datagram of the group, verified as a vehicle verifies it."""

    def __init__(self, group: Group, truststore: Path) -> None:
        self._receiver = open_receiver(group)
        self._receiver.settimeout(0.2)
        self._truststore = truststore
        self.texts: list[bytes] = []
        self.heard: list[Datagram] = []
        self.epochs = MemoryEpochs()
        """What the vehicle remembers of other days, as long as nothing was heard."""
        self.refused: list[object] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        reception = None
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                text = self._receiver.recv(2048)
                if reception is None:
                    store = trust.load_truststore(self._truststore)
                    reception = Reception(store, self.epochs)
                self._judge(reception, text)

    def _judge(self, reception: Reception, text: bytes) -> None:
        verdict = reception.judge(
            text, source="127.0.0.1", now=CLOCK.now(), monotonic=CLOCK.monotonic()
        )
        self.texts.append(text)
        if isinstance(verdict, Accepted):
            self.heard.append(verdict.datagram)
        else:
            self.refused.append(verdict)

    @property
    def alerts(self) -> list[Alert]:
        return [datagram.alert for datagram in self.heard if datagram.alert]

    def copies(self, event_id: str) -> list[Datagram]:
        return [d for d in self.heard if d.alert and d.alert.event_id == event_id]

    @property
    def beats(self) -> list[Datagram]:
        return [datagram for datagram in self.heard if datagram.heartbeat]

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._receiver.close()


class World:
    """A broker, an ear, and an alerter that can be started, stopped and killed."""

    def __init__(self, broker_port: int, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.group = Group("239.20.20.20", free_port(socket.SOCK_DGRAM), "127.0.0.1")
        self.http_port = free_port()
        self.web = httpx.Client(base_url=f"http://127.0.0.1:{self.http_port}", timeout=5.0)
        config = folder / "cameras.yaml"
        config.write_text(json.dumps(CONFIG))
        self.settings = {
            "config": str(config), "data_dir": str(self.data), "mqtt_port": str(broker_port),
            "multicast_port": str(self.group.port), "multicast_interface": "127.0.0.1",
            "http_port": str(self.http_port), "metrics_port": "0", "instance": "test",
            "log_format": "text",
        }  # fmt: skip
        self.ear = Ear(self.group, self.data / "keys" / "truststore.json")
        self.log = (folder / "alerter.log").open("w")
        self.process: subprocess.Popen[bytes] | None = None

    def start(
        self, *, ready: bool = True, program: tuple[str, ...] = ("-m", "alerter"), **changes: str
    ) -> None:
        variables = {PREFIX + k.upper(): v for k, v in {**self.settings, **changes}.items()}
        self.process = subprocess.Popen(
            [sys.executable, *program], env={**os.environ, **variables}, stderr=self.log
        )
        path = "readyz" if ready else "healthz"
        eventually(lambda: self.answers(path), within_s=20, what=f"/{path} is well")

    def answers(self, path: str) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return self.get(path).status_code == 200
        return False

    def get(self, path: str) -> httpx.Response:
        return self.web.get(f"/{path}")

    def post(self, body: str) -> httpx.Response:
        token = (self.data / "keys" / "http.token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        return self.web.post("/alert", content=body, headers=headers)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(15)
        self.process = None
        return code

    def metric(self, line: str) -> float:
        for shown in self.get("metrics").text.splitlines():
            if shown.startswith(line + " "):
                return float(shown.split()[-1])
        return 0.0

    def close(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
        self.ear.close()
        self.web.close()
        self.log.close()


class Observer:
    """Somebody else at the broker, who listens and says what he likes."""

    def __init__(self, broker: Any, name: str) -> None:
        self.bus = MqttBus(broker.settings(), client_id=name)

    def hear(self, topic: Any) -> list[Any]:
        """What is said on `topic` from now on, and what is retained there."""
        heard: list[Any] = []
        self.bus.subscribe(topic, lambda message, _delivery: heard.append(message))
        return heard

    def hear_text(self, topic: Any) -> list[str]:
        heard: list[str] = []
        self.bus.subscribe_text(topic, lambda text, _delivery: heard.append(text))
        return heard

    def arrive(self) -> None:
        self.bus.start()
        assert self.bus.wait_connected(15)

    def report(self, payload: str) -> None:
        self.bus._client.publish(INCIDENTS.template, payload, qos=1)

    def say(self, topic: Any, message: Any, **parameters: str) -> None:
        self.bus.publish(topic, message, **parameters)


@pytest.fixture
def world_at(tmp_path: Path) -> Iterator[Callable[[Any], World]]:
    """An alerter's surroundings at a broker; whatever was started ends with the test."""
    worlds: list[World] = []

    def make(broker: Any) -> World:
        worlds.append(World(broker.port, tmp_path))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def observer_at() -> Iterator[Callable[[Any], Observer]]:
    """Observers who come during the test and leave at its end."""
    came: list[Observer] = []

    def make(broker: Any) -> Observer:
        came.append(Observer(broker, f"observer-{len(came)}"))
        return came[-1]

    yield make
    for observer in came:
        observer.bus.close()


@pytest.fixture
def world(mosquitto: Any, world_at: Callable[[Any], World]) -> World:
    return world_at(mosquitto)


@pytest.fixture
def newcomer(mosquitto: Any, observer_at: Callable[[Any], Observer]) -> Callable[[], Observer]:
    """Another observer, who has not arrived yet."""
    return lambda: observer_at(mosquitto)


@pytest.fixture
def observer(newcomer: Callable[[], Observer]) -> Observer:
    """Somebody who is there from the start."""
    made = newcomer()
    made.arrive()
    return made
