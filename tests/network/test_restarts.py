"""Station and vehicle restarted in the middle of an active alert: once told, nothing lost, no ghost."""

from __future__ import annotations

import csv
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from benchmarks.harness import Child
from benchmarks.testbed import Node, Testbed
from hazardcast.testing import eventually

pytestmark = [pytest.mark.network, pytest.mark.slow]


def report(index: int, **changes: object) -> str:
    place = {"lat": 37.0 + index * 0.01, "lon": 127.0, "road": f"bench-{index}-"}
    about = {"type": "fire", "event_id": f"event-{index}", "distance_m": 100}
    return json.dumps({**about, **place, "clip_hint": False, **changes})


class Console:
    """What one vehicle printed, over all its lives."""

    def __init__(self, bed: Testbed, car: Node) -> None:
        self.bed, self.car = bed, car
        self.lives: list[Child] = []
        self.start()

    def start(self) -> None:
        self.lives.append(self.bed.start_vehicle(self.car))

    def end(self, how: signal.Signals) -> None:
        end(self.lives[-1], how)

    def words(self, index: int) -> list[str]:
        """NEW, UPDATE, CANCEL … for one alert, as they came."""
        lines = [line for life in self.lives for _, line in list(life.lines)]
        return [line.split()[2] for line in lines if f"bench-{index}-" in line]

    def in_force(self) -> float:
        return self.car.metrics().get("hazardcast_vehicle_alerts_active", -1.0)

    def log(self) -> list[dict[str, str]]:
        path: Path = self.bed.folder / "vehicles" / f"vehicle-{self.car.name}" / "alerts.csv"
        with path.open(newline="") as file:
            return list(csv.DictReader(file))


def end(child: Child, how: signal.Signals) -> None:
    child.process.send_signal(how)
    code = child.process.wait(15)
    assert code == (0 if how == signal.SIGTERM else -signal.SIGKILL)


def retained(bed: Testbed) -> set[str]:
    """The events that the broker holds on `v2x/active/#`."""
    held: set[str] = set()
    client = bed.publisher()

    def note(_client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        if message.retain and message.payload:
            held.add(json.loads(message.payload)["road"])

    client.on_message = note
    client.subscribe("v2x/active/#", 1)
    time.sleep(0.3)
    client.disconnect()
    client.loop_stop()
    return held


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_restart_of_either_side_tells_all_once_and_loses_nothing(
    how: signal.Signals, make_bed: Callable[[int], Testbed]
) -> None:
    bed = make_bed(2)
    bed.start_broker()
    alerter = bed.start_alerter()
    consoles = [Console(bed, car) for car in bed.cars]
    bed.wait_ready()
    client = bed.publisher()

    def say(index: int, **changes: object) -> None:
        client.publish("v2x/alert", report(index, **changes), qos=1)

    def all_read(index: int, *words: str) -> None:
        for console in consoles:
            eventually(
                lambda c=console: c.words(index) == list(words),  # type: ignore[misc]
                what=f"{console.car.name}: {words} of {index}, not {console.words(index)}",
            )

    say(1)
    say(2)
    all_read(1, "NEW")
    all_read(2, "NEW")

    end(alerter, how)
    say(3)  # while the station is away: the broker keeps it
    time.sleep(1.0)
    alerter = bed.start_alerter()
    all_read(3, "NEW")
    say(1, status="update", severity="critical")
    all_read(1, "NEW", "UPDATE")
    assert retained(bed) == {"bench-1-", "bench-2-", "bench-3-"}

    say(5)
    all_read(5, "NEW")
    if how == signal.SIGKILL:
        time.sleep(1.0)  # a crash within half a second may repeat a line; a clean stop may not
    consoles[0].end(how)
    say(2, status="cancel")
    say(4)
    eventually(lambda: consoles[1].words(4) == ["NEW"])
    consoles[0].start()
    bed.wait_ready()
    all_read(4, "NEW")
    all_read(2, "NEW", "CANCEL")
    for console in consoles:
        eventually(lambda c=console: c.in_force() == 4.0, what="what holds is in force")  # type: ignore[misc]

    time.sleep(1.5)  # three more ticks tell nothing new
    all_read(1, "NEW", "UPDATE")
    all_read(3, "NEW")
    all_read(5, "NEW")
    rows = consoles[0].log()
    epochs, numbers = [int(row["epoch"]) for row in rows], [row["event_id"] for row in rows]
    assert epochs == sorted(epochs)
    assert len(set(epochs)) == 2, "the station's epoch grew with its restart"
    assert len(set(numbers)) == 5, "no event took the number of another"
    kept = json.loads((bed.folder / "vehicles/state/vehicle-car-1/epochs.json").read_text())
    assert kept["4097"]["epoch"] == epochs[-1]

    for index in (1, 3, 4, 5):
        say(index, status="cancel")
        eventually(lambda i=index: all(c.words(i)[-1] == "CANCEL" for c in consoles))  # type: ignore[misc]
    eventually(lambda: not retained(bed), what="the broker holds none any more")
    assert all(console.in_force() == 0.0 or eventually(lambda c=console: c.in_force() == 0.0) for console in consoles)  # type: ignore[misc]  # fmt: skip
