"""`hazardcast kpi` as a person runs it, its time compressed."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_acceptance_run_starts_a_system_and_proves_what_it_can(start: Any, ffmpeg: str) -> None:
    run = start("kpi", "--own", "--duration", "4", "--probes", "3", "--json")

    assert run.wait(120) == 0, run.text
    told = json.loads(run.lines[-1])

    rows = {row["what"]: row for row in told["rows"]}
    assert told["holds"] is True
    shown = rows["versions shown on the vehicles' consoles"]["values"]
    assert shown == {"shown": 16, "owed": 16}  # 2 vehicles, 4 alerts, each with its end
    for vehicle in ("vehicle-1", "vehicle-2"):
        ticks = rows[f"{vehicle}: ticks received"]["values"]
        assert ticks["delivered"] >= 7
        assert ticks["sent"] == ticks["expected"]
    bound = rows["confirmed → console, at most (round trip, no clocks compared)"]
    assert 0 < bound["values"]["p50_ms"] <= bound["values"]["max_ms"] <= 500
    assert "would prove 99 %" in bound["proves"]
    assert rows["clip"]["holds"] is True


def test_a_broker_without_a_system_fails_the_run(start: Any, mosquitto: Any) -> None:
    run = start("kpi", "--duration", "1", mqtt_port=mosquitto.port)

    assert run.wait(60) == 1
    assert "FAIL  not online within 15 s: alerter, vehicle-agent" in run.text
