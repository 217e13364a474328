"""A station whose state is older than what vehicles remember, and whose clock was behind at its start."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from hazardcast.machine.clock import SystemClock
from hazardcast.receiving.datagram_verifier import Rejection
from hazardcast.testing import eventually

pytestmark = pytest.mark.network
BEHIND = (str(Path(__file__).with_name("behind_alerter.py")), "86400")


def test_vehicles_hear_the_station_again_as_soon_as_its_clock_is_set(world: Any) -> None:
    world.ear.epochs.epochs = {4097: int(SystemClock().now()) - 3600}
    world.start(program=BEHIND)
    world.post('{"type":"fire"}')
    eventually(lambda: Rejection.EPOCH in world.ear.refused, what="the vehicle is deaf to it")
    assert not world.ear.heard

    world.process.send_signal(signal.SIGUSR1)
    (alert, *_) = eventually(lambda: world.ear.alerts, what="the alert reaches the vehicle")

    assert alert.type == "fire"
    assert world.ear.heard[0].epoch == pytest.approx(SystemClock().now(), abs=20)
    eventually(lambda: world.ear.beats, within_s=15)
    assert world.ear.beats[0].heartbeat.sent_alert_datagrams < 100, "counted in the new epoch"


def test_the_new_epoch_outlives_the_process(world: Any) -> None:
    world.start(program=BEHIND)
    world.process.send_signal(signal.SIGUSR1)
    this_hour = SystemClock().now() - 3600
    heard = eventually(lambda: [d for d in world.ear.heard if d.epoch > this_hour], within_s=15)
    world.stop(signal.SIGKILL)

    kept = json.loads((world.data / "state" / "alerter" / "station.json").read_text())
    assert kept["epoch"] == heard[0].epoch
