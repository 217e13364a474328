"""What is left when a path is cut, and what a vehicle with a wrong clock does."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.harness import Child
from benchmarks.loss_matrix import MARK, delays_s
from benchmarks.testbed import GROUP, Testbed
from hazardcast.testing import eventually

pytestmark = [pytest.mark.network, pytest.mark.slow]
MakeBed = Callable[[int], Testbed]
SKEWED = str(Path(__file__).with_name("skewed_vehicle.py"))


def said(child: Child, *words: str) -> list[str]:
    return [line for _, line in list(child.lines) if all(word in line for word in words)]


def report(index: int, **changes: object) -> str:
    """An incident of its own for each index, marked so that it is found on a console."""
    place = {"lat": 37.0 + index * 0.01, "lon": 127.0, "road": f"bench-{index}-"}
    about = {"type": "collision", "event_id": f"event-{index}", "distance_m": 100}
    return json.dumps({**about, **place, "clip_hint": False, **changes})


def test_one_path_is_enough(make_bed: MakeBed) -> None:
    """car-1 hears no multicast at all, car-2 never hears the broker again, car-3 hears both."""
    bed = make_bed(3)
    bed.start_broker()
    bed.start_alerter()
    cars = [bed.start_vehicle(car) for car in bed.cars]
    bed.wait_ready()
    bed.cut(bed.cars[0], "-d", GROUP)
    bed.cut(bed.cars[1], "-p", "tcp")
    client, published = bed.publisher(), []

    for index in range(30):
        published.append(time.monotonic())
        client.publish("v2x/alert", report(index), qos=1)
        time.sleep(0.1)
    time.sleep(1.0)

    for child, path in ((cars[0], "mqtt"), (cars[1], "multicast")):
        assert max(delays_s(child, published)) <= 0.5
        assert len(said(child, "[RECV]", f", {path})")) == len(said(child, "[RECV]")) == 30
    assert len(said(cars[2], "[RECV]")) == 30


def test_what_still_holds_is_told_when_a_vehicle_is_back(make_bed: MakeBed) -> None:
    """Cut off from everything: an alert begins, another ends; one begins and ends."""
    bed = make_bed(1)
    bed.start_broker()
    bed.start_alerter()
    (car,) = bed.cars
    child = bed.start_vehicle(car)
    bed.wait_ready()
    client = bed.publisher()
    client.publish("v2x/alert", report(1), qos=1)
    eventually(lambda: said(child, "[RECV]", "bench-1-"))

    bed.cut(car)
    client.publish("v2x/alert", report(2), qos=1)
    client.publish("v2x/alert", report(3), qos=1)
    time.sleep(0.5)
    for index in (1, 3):
        client.publish("v2x/alert", report(index, status="cancel"), qos=1)
    time.sleep(3.0)
    assert len(said(child, "[RECV]")) == 1
    bed.mend(car)
    back = time.monotonic()

    eventually(lambda: said(child, "[RECV]", "NEW", "bench-2-"), what="it is told what holds")
    eventually(lambda: said(child, "[RECV]", "CANCEL", "bench-1-"), what="it is told what is over")
    assert max(at for at, line in child.lines if MARK.search(line)) - back < 2.0
    time.sleep(2.0)
    assert [line.split()[2] for line in said(child, "[RECV]", "bench-1-")] == ["NEW", "CANCEL"]
    assert len(said(child, "[RECV]", "bench-2-")) == 1
    assert not said(child, "[RECV]", "bench-3-")


def test_a_vehicle_whose_clock_is_wrong_informs_and_does_not_brake(make_bed: MakeBed) -> None:
    """Two clocks off by 5 s from the start, one that is right until it is set wrong on the way."""
    bed = make_bed(3)
    bed.start_broker()
    bed.start_alerter()
    fast, slow, right = (
        bed.start_vehicle(car, program=(SKEWED, off_s, later_s))
        for car, off_s, later_s in zip(bed.cars, ("5", "-5", "0"), ("5", "-5", "5"), strict=True)
    )
    bed.wait_ready()
    client = bed.publisher()
    client.publish("v2x/alert", report(1), qos=1)

    eventually(lambda: said(right, "[SPEED]", "slow to 0.5 m/s"), what="the right clock brakes")
    for child, car, off in ((fast, bed.cars[0], "+5"), (slow, bed.cars[1], "-5")):
        eventually(lambda c=child: said(c, "[RECV]", "NEW", "CLOCK UNSYNCED: inform only"))  # type: ignore[misc]
        eventually(lambda c=child, o=off: said(c, "[CLOCK]", "UNSYNCED", f"{o}.0 s"))  # type: ignore[misc]
        assert car.metrics()["hazardcast_clock_synchronized"] == 0.0

    right.process.send_signal(signal.SIGUSR1)
    eventually(lambda: said(right, "[CLOCK]", "UNSYNCED, +5.0 s"), what="the step is noticed")
    client.publish("v2x/alert", report(1, status="cancel"), qos=1)
    eventually(lambda: said(right, "[SPEED]", "no limit"))
    client.publish("v2x/alert", report(2), qos=1)
    eventually(lambda: said(right, "[RECV]", "NEW", "bench-2-", "CLOCK UNSYNCED: inform only"))
    time.sleep(2.5)  # five ticks more
    for child, car in zip((fast, slow, right), bed.cars, strict=True):
        brakes = [line for line in said(child, "[SPEED]") if "bench" in line or "slow" in line]
        assert len(brakes) == (1 if child is right else 0)
        assert car.metrics()["hazardcast_speed_target_mps"] == 13.9
        assert car.metrics()["hazardcast_vehicle_alerts_active"] == 1.0
