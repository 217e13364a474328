"""What nobody would ask: every operation of a running console, with drawn values, by its document.

No answer is an error of the server, and each is of a status, a type and a shape that
docs/reference/console.json names. schemathesis draws the requests, right ones and wrong ones.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import booleans

from hazardcast.config.settings import environment_with
from hazardcast.testing import eventually
from tests.conftest import RealBroker, free_port

schemathesis = pytest.importorskip("schemathesis")
from schemathesis import checks  # noqa: E402

pytestmark = [pytest.mark.network, pytest.mark.slow]
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "reference" / "console.json"
NOT_ASKED = {
    "POST /api/v1/logout": "ends the session that asks",
    "GET /api/v1/events/stream": "never ends",
}
LIMITED = ("POST /api/v1/login", "POST /api/v1/password")
"""Any other answer of that kind would mean that nothing was asked."""
CHECKS = (
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
)
EXAMPLES = 25
CAMERA = "north"


def labels() -> list[str]:
    paths = json.loads(DOCUMENT.read_text("utf-8"))["paths"]
    every = [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]
    return [label for label in every if label not in NOT_ASKED]


class Running:
    """`python -m console`, and the admin's session there."""

    def __init__(self, broker: Any, folder: Path) -> None:
        config = folder / "cameras.yaml"
        config.write_text(json.dumps({"site": {"station_id": 4097}, "cameras": {CAMERA: {"url": "demo://normal"}}}))  # fmt: skip
        self.base = f"http://127.0.0.1:{free_port()}"
        environment = environment_with(
            config=str(config), data_dir=str(folder / "data"), mqtt_port=str(broker.port),
            metrics_port="0", console_port=self.base.rpartition(":")[2], instance="contract",
        )  # fmt: skip
        self.log = (folder / "console.log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "console"], env=environment, stderr=self.log
        )
        eventually(self._answers, within_s=30, what="the console answers")
        password = (folder / "data" / "keys" / "console.password").read_text().strip()
        with httpx.Client(base_url=self.base, headers={"origin": self.base}) as client:
            client.post("/api/v1/login", json={"name": "admin", "password": password}).raise_for_status()  # fmt: skip
            cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        self.headers = {"cookie": cookies, "origin": self.base}
        self.document = schemathesis.openapi.from_path(DOCUMENT)
        self.document.config.update(base_url=self.base)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.base}/api/v1/session").status_code == 200
        except httpx.HTTPError:
            return False

    def operation(self, label: str) -> Any:
        method, path = label.split(" ")
        return self.document[path][method]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(15)
        self.log.close()


@pytest.fixture(scope="module")
def console(mosquitto_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    broker = RealBroker(tmp_path_factory.mktemp("broker"), "mosquitto")
    running = Running(broker, tmp_path_factory.mktemp("console"))
    yield running
    running.close()
    broker.stop()


@pytest.mark.parametrize("label", labels())
def test_whatever_is_asked_is_answered_as_the_document_says(console: Running, label: str) -> None:
    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=console.operation(label).as_strategy(), known=booleans())
    def holds(case: Any, known: bool) -> None:
        if known:  # drawn names are of no camera
            named = {
                name: CAMERA for name in ("camera", "camera_id") if name in case.path_parameters
            }
            case.path_parameters.update(named)
        answer = case.call(base_url=console.base, headers=console.headers, timeout=15)
        case.validate_response(answer, checks=CHECKS)
        assert answer.status_code != HTTPStatus.TOO_MANY_REQUESTS or label in LIMITED

    holds()
