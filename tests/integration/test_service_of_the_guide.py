"""The service that the guide shows, against a real broker: it is one of us."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hazardcast.contract.messages import Alert, ServiceStatus
from hazardcast.contract.topics import ACTIVE, STATUS
from hazardcast.machine.clock import SystemClock
from hazardcast.mqtt.bus import MqttBus
from hazardcast.testing import eventually
from tests.conftest import RealBroker, free_port

pytestmark = pytest.mark.network
ROOT = Path(__file__).resolve().parents[2]
SIGN = ROOT / "docs" / "guide" / "services" / "sign.py"
ALERT = json.loads((ROOT / "tests" / "hazardcast" / "examples" / "Alert.json").read_text())


class Street:
    """A broker with an alerter's voice, an ear for statuses, and the sign."""

    def __init__(self, broker: RealBroker) -> None:
        self.broker, self.port = broker, free_port()
        self.statuses: list[ServiceStatus] = []
        self.bus = MqttBus(broker.settings(), client_id="street")
        self.bus.subscribe(STATUS, lambda status, _delivery: self.statuses.append(status))
        self.bus.start()
        assert self.bus.wait_connected(15)
        names = {"MQTT_PORT": broker.port, "METRICS_PORT": self.port, "INSTANCE": "s1", "CONFIG": "none"}  # fmt: skip
        settings = {f"HAZARDCAST_{name}": str(value) for name, value in names.items()}
        self.sign = subprocess.Popen([sys.executable, SIGN], env={**os.environ, **settings})

    def says(self, **expected: Any) -> bool:
        return bool(self.statuses) and expected.items() <= {
            "state": self.statuses[-1].state.value, "lit": self.statuses[-1].detail.get("lit"),
        }.items()  # fmt: skip

    def alert(self, *, validity_s: int) -> None:
        fields = {"detection_time": SystemClock().now(), "validity_duration_s": validity_s}
        alert = Alert.parse({**ALERT, **fields, "event_id": "4097-1"})
        self.bus.publish(ACTIVE, alert, event_id=alert.event_id)

    def ready(self) -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz") as answer:
            return bool(json.load(answer)["ok"])

    def close(self) -> None:
        if self.sign.poll() is None:
            self.sign.kill()
        self.sign.wait(10)
        self.bus.close()


@pytest.fixture
def street(mosquitto: RealBroker) -> Iterator[Street]:
    street = Street(mosquitto)
    eventually(lambda: street.says(state="online", lit=False), within_s=20)
    yield street
    street.close()


def test_it_is_lit_from_an_alert_until_it_is_taken_back(street: Street) -> None:
    assert street.ready()
    street.alert(validity_s=600)
    eventually(lambda: street.says(lit=True), within_s=10)

    street.bus.clear(ACTIVE, event_id="4097-1")
    eventually(lambda: street.says(lit=False), within_s=10)


def test_it_goes_out_when_the_alert_is_over_though_nobody_says_so(street: Street) -> None:
    street.alert(validity_s=8)
    eventually(lambda: street.says(lit=True), within_s=7.5)
    eventually(lambda: street.says(lit=False), within_s=20)


def test_it_says_that_it_stopped_and_the_broker_that_it_was_lost(street: Street) -> None:
    street.sign.send_signal(signal.SIGTERM)
    assert street.sign.wait(10) == 0
    eventually(lambda: street.says(state="stopped"))


def test_the_broker_tells_of_a_sign_that_was_lost(street: Street) -> None:
    street.sign.kill()
    eventually(lambda: street.says(state="offline"), within_s=10)


def test_it_is_as_short_as_the_guide_says() -> None:
    lines = SIGN.read_text(encoding="utf-8").splitlines()
    shell = lines[
        next(number for number, line in enumerate(lines) if line.startswith("def serve")) :
    ]

    assert len([line for line in shell if line]) <= 30
