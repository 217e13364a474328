"""`/readyz` means that an alert would go out; `/healthz` only that the process lives."""

from __future__ import annotations

from typing import Any

import pytest

from hazardcast.testing import eventually

pytestmark = pytest.mark.network


def test_a_broker_that_hangs_is_told_by_readiness_and_on_the_air(
    world: Any, mosquitto: Any
) -> None:
    """Its connection stands, and nothing else tells for the 20 s of the keep-alive."""
    world.start()
    eventually(lambda: world.ear.beats and world.ear.beats[-1].heartbeat.state == "ok")
    mosquitto.freeze()
    eventually(lambda: world.get("readyz").status_code == 503, within_s=15)

    assert "broker" in world.get("readyz").json()["detail"]
    assert world.get("healthz").status_code == 200
    assert world.metric('hazardcast_self_test_passed{stage="air"}') == 1
    eventually(lambda: world.metric('hazardcast_self_test_passed{stage="broker"}') == 0)
    eventually(lambda: world.ear.beats[-1].heartbeat.state == "degraded", what="vehicles are told")
    mosquitto.thaw()
    eventually(lambda: world.answers("readyz"), within_s=15)
    eventually(lambda: world.ear.beats[-1].heartbeat.state == "ok")


def test_vehicles_that_nobody_knows_keep_no_door_shut(world: Any) -> None:
    """Names below .invalid are never known (RFC 2606)."""
    names = ",".join(f"car-{number}.invalid:5520" for number in range(3))
    world.start(unicast=f"{names},127.0.0.1:9")

    assert world.post('{"type":"fire"}').status_code == 202
    eventually(lambda: world.ear.alerts)
    assert world.stop() == 0
