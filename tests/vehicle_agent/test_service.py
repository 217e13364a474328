"""The vehicle-agent as a process: its console, its files, its receipts, its end."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from hazardcast.config.settings import Settings, environment_with
from hazardcast.contract.messages import Alert, Receipt, ServiceStatus
from hazardcast.contract.topics import BROADCAST, RECEIPTS, STATUS
from hazardcast.mqtt.bus import MqttBus
from hazardcast.net.multicast import Group, open_sender
from hazardcast.signing.trust import write_truststore
from hazardcast.testing import SignedStation, eventually

pytestmark = [pytest.mark.network, pytest.mark.slow]
BURST_S = (0.0, 0.02, 0.06, 0.12, 0.2, 0.3, 0.42)


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Vehicle:
    """One vehicle-agent process and what it prints."""

    def __init__(
        self,
        name: str,
        port: int,
        folder: Path,
        *,
        stdout: int | IO[bytes] = subprocess.PIPE,
        environment: dict[str, str] | None = None,
        close_stdout: bool = False,
        **changes: str,
    ) -> None:
        self.name, self.folder = name, folder
        self.metrics_port = free_port(socket.SOCK_STREAM)
        self.lines: list[str] = []
        settings = {
            "vehicle": name,
            "data_dir": str(folder),
            "multicast_port": str(port),
            "multicast_interface": "127.0.0.1",
            "metrics_port": str(self.metrics_port),
            "mqtt_port": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vehicle_agent"],
            env={**environment_with(**{**settings, **changes}), **(environment or {})},
            stdout=stdout,
            stderr=(folder / f"{name}.err").open("wb"),
            preexec_fn=(lambda: os.close(1)) if close_stdout else None,  # noqa: PLW1509
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(line.decode(errors="replace").rstrip("\n"))

    def ready(self) -> bool:
        return self.answer("/readyz") is not None

    def answer(self, path: str) -> str | None:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.metrics_port}{path}", timeout=5
            ) as reply:
                return str(reply.read().decode())
        except OSError:
            return None

    def metric(self, name: str) -> float:
        for line in (self.answer("/metrics") or "").splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0

    @property
    def received(self) -> list[str]:
        return [line for line in self.lines if line.startswith("[RECV]")]

    def words(self) -> list[str]:
        return [line.split()[2] for line in self.received]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(10)
        self._reader.join(5)
        return code

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


class Road:
    """A station, a group of its own, and the vehicles that a test starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.group = Group("239.20.20.20", free_port(socket.SOCK_DGRAM), "127.0.0.1")
        self.station = SignedStation(epoch=int(time.time()))
        self.sender = open_sender(self.group)
        self.vehicles: list[Vehicle] = []
        (folder / "keys").mkdir()
        write_truststore(
            folder / "keys" / "truststore.json", version=1, entries=[self.station.trust_entry()]
        )

    def start(self, name: str = "car-1", **changes: Any) -> Vehicle:
        vehicle = Vehicle(name, self.group.port, self.folder, **changes)
        self.vehicles.append(vehicle)
        eventually(vehicle.ready, within_s=20, what=f"{name} is ready")
        return vehicle

    def send(self, text: bytes) -> None:
        self.sender.sendto(text, (self.group.address, self.group.port))

    def burst(self, alert: Alert) -> None:
        started = time.monotonic()
        for copy, due_s in enumerate(BURST_S):
            time.sleep(max(0.0, started + due_s - time.monotonic()))
            self.send(self.station.say(alert, copy=(copy, 7)))

    def close(self) -> None:
        for vehicle in self.vehicles:
            vehicle.kill()
        self.sender.close()


@pytest.fixture
def road(tmp_path: Path) -> Iterator[Road]:
    found = Road(tmp_path)
    yield found
    found.close()


def cancel_of(alert: Alert) -> Alert:
    now = time.time()
    return alert.model_copy(
        update={"status": "cancel", "revision": 1, "reference_time": now, "confirmed_at": now}
    )


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_without_any_broker_two_vehicles_show_log_and_act_on_an_alert(road: Road) -> None:
    vehicles = [road.start("car-1"), road.start("car-2")]
    alert = road.station.alert(17)

    road.burst(alert)
    for vehicle in vehicles:
        eventually(lambda v=vehicle: any("[SPEED]" in line for line in v.lines))  # type: ignore[misc]
    road.burst(cancel_of(alert))

    for vehicle in vehicles:
        eventually(lambda v=vehicle: v.words() == ["NEW", "CANCEL"])  # type: ignore[misc]
        assert (
            " NEW collision high 4097-17 500 m ahead on segment_A  latency " in vehicle.received[0]
        )
        assert vehicle.received[0].endswith("(copy 1/7, multicast)")
        new, end = rows(road.folder / f"vehicle-{vehicle.name}" / "alerts.csv")
        assert [new["word"], end["word"]] == ["NEW", "CANCEL"]
        times = [
            float(new[key])
            for key in ("t0_confirmed", "t2_sent", "t3_received", "t4_verified", "t5_displayed")
        ]
        assert times == sorted(times)
        eventually(lambda v=vehicle: v.lines[-1].endswith("no limit"))  # type: ignore[misc]
        assert vehicle.stop() == 0


def test_a_restart_in_the_middle_of_an_alert_shows_it_once(road: Road) -> None:
    vehicle = road.start()
    alert = road.station.alert()
    road.burst(alert)
    eventually(vehicle.words)
    kept = road.folder / "state" / "vehicle-car-1" / "alerts.json"
    eventually(lambda: kept.exists() and json.loads(kept.read_text())["alerts"])
    vehicle.kill()

    again = road.start()
    for _ in range(3):
        road.send(road.station.say(alert, copy=(0, 1)))
    eventually(lambda: any("[SPEED]" in line for line in again.lines), what="it is in force again")
    road.burst(cancel_of(alert))

    eventually(again.words)
    assert again.words() == ["CANCEL"]


def test_the_trust_store_may_come_after_the_vehicle(road: Road) -> None:
    store = road.folder / "keys" / "truststore.json"
    text = store.read_text()
    store.unlink()
    vehicle = Vehicle("car-1", road.group.port, road.folder)
    road.vehicles.append(vehicle)
    eventually(lambda: vehicle.answer("/healthz"), within_s=20)
    assert not vehicle.ready()

    store.write_text(text)

    eventually(vehicle.ready, within_s=20)


def test_a_key_revoked_while_driving_withdraws_its_alerts(road: Road) -> None:
    vehicle = road.start()
    road.burst(road.station.alert())
    eventually(vehicle.words)

    write_truststore(
        road.folder / "keys" / "truststore.json",
        version=2,
        entries=[road.station.trust_entry("revoked")],
    )

    eventually(lambda: vehicle.words() == ["NEW", "WITHDRAWN"], within_s=10)


def test_a_wrong_name_ends_with_code_2_and_says_which_variable(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "vehicle_agent"],
        env=environment_with(vehicle="a/b", data_dir=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert result.returncode == 2
    assert "HAZARDCAST_VEHICLE" in result.stderr


FLOODER = """
import random, socket, sys, time
port, seconds = int(sys.argv[1]), float(sys.argv[2])
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
junk = [random.randbytes(random.randint(1, 1400)) for _ in range(64)]
junk += [b"eyJhbGciOiJFZERTQSJ9." + b"A" * n + b".AAAA" for n in range(0, 1000, 50)]
started, sent = time.monotonic(), 0
while time.monotonic() - started < seconds:
    for text in junk:
        sender.sendto(text, ("239.20.20.20", port))
    sent += len(junk)
    ahead = sent / 50_000 - (time.monotonic() - started)
    if ahead > 0:
        time.sleep(ahead)
print(sent)
"""


def test_a_flood_of_garbage_hides_no_alert_and_costs_no_memory(road: Road) -> None:
    vehicle = road.start()
    road.burst(road.station.alert(1))
    eventually(vehicle.words)
    memory = psutil.Process(vehicle.process.pid).memory_info
    before = memory().rss
    with subprocess.Popen([sys.executable, "-c", FLOODER, str(road.group.port), "3"], stdout=subprocess.PIPE, text=True) as flood:  # fmt: skip
        time.sleep(1.0)
        road.burst(alert := road.station.alert(2))
        for _ in range(4):
            time.sleep(0.5)
            road.send(road.station.say(alert, copy=(0, 1)))
        sent = int(flood.communicate(timeout=30)[0])

    eventually(lambda: len(vehicle.received) == 2, what="the alert is shown")
    refused = vehicle.metric('hazardcast_datagrams_rejected_total{reason="shape"}')
    assert sent > 10_000
    assert refused > 1_000
    assert memory().rss - before < 20_000_000
    assert all("4097-" in line for line in vehicle.received)


class Desk:
    """What the alerter's side of the broker hears."""

    def __init__(self, settings: Settings) -> None:
        self.receipts: list[Receipt] = []
        self.statuses: list[ServiceStatus] = []
        self.bus = MqttBus(settings, client_id="desk")
        self.bus.subscribe(RECEIPTS, lambda receipt, _: self.receipts.append(receipt))
        self.bus.subscribe(STATUS, lambda status, _: self.statuses.append(status))
        self.bus.start()
        assert self.bus.wait_connected(10)

    def state(self) -> str | None:
        return self.statuses[-1].state if self.statuses else None


@pytest.fixture
def desk(mosquitto: Any) -> Iterator[Desk]:
    found = Desk(mosquitto.settings())
    yield found
    found.bus.close()


def connected(desk: Desk) -> Callable[[], bool]:
    return lambda: desk.state() == "online"


def test_every_version_shown_is_acknowledged_with_running_counters(
    road: Road, mosquitto: Any, desk: Desk
) -> None:
    vehicle = road.start(mqtt_port=str(mosquitto.port))
    eventually(connected(desk))
    alert = road.station.alert()
    road.burst(alert)
    road.burst(cancel_of(alert))

    eventually(lambda: len(desk.receipts) == 2)

    new, end = desk.receipts
    assert [(new.status, new.revision), (end.status, end.revision)] == [("new", 0), ("cancel", 1)]
    assert (new.vehicle, new.result, new.path, new.copy_) == (
        "car-1",
        "displayed",
        "multicast",
        (0, 7),
    )
    assert new.tx <= new.received_at <= new.displayed_at <= new.published_at
    assert 0 <= new.display_s <= new.residence_s < 1
    (counters,) = end.reception
    assert (counters.datagrams_expected, counters.datagrams_unique) == (8, 8)
    assert (counters.ticks_expected, counters.ticks_delivered) == (2, 2)
    eventually(
        lambda: desk.statuses[-1].detail.get("reception") == (counters.model_copy(update={"datagrams_expected": 14, "datagrams_unique": 14}),),
        within_s=15,
        what="the status carries the counters on",
    )  # fmt: skip
    assert vehicle.stop() == 0
    eventually(lambda: desk.state() == "stopped")


def test_what_multicast_loses_comes_by_the_second_path(
    road: Road, mosquitto: Any, desk: Desk
) -> None:
    """The interface does not exist: this vehicle has no multicast at all."""
    vehicle = road.start(mqtt_port=str(mosquitto.port), multicast_interface="nosuch0")
    eventually(connected(desk))

    desk.bus.publish_text(BROADCAST, road.station.say(road.station.alert()).decode())
    desk.bus.publish_text(BROADCAST, "rubbish")

    eventually(vehicle.words)
    assert vehicle.received[0].endswith("(copy 1/7, mqtt)")
    eventually(lambda: desk.receipts)
    assert desk.receipts[0].path == "mqtt"
    assert desk.receipts[0].reception[0].datagrams_expected == 0


def test_a_vehicle_that_dies_is_reported_offline_by_the_broker(
    road: Road, mosquitto: Any, desk: Desk
) -> None:
    vehicle = road.start(mqtt_port=str(mosquitto.port))
    eventually(connected(desk))

    vehicle.kill()

    eventually(lambda: desk.state() == "offline")


def test_receipts_wait_for_a_broker_that_is_away(road: Road, mosquitto: Any, desk: Desk) -> None:
    vehicle = road.start(mqtt_port=str(mosquitto.port))
    eventually(connected(desk))
    desk.bus.close()
    mosquitto.stop()
    road.burst(road.station.alert())
    eventually(vehicle.words)
    vehicle.process.send_signal(signal.SIGSTOP)  # so that the alerter is back before it
    mosquitto.start()

    later = Desk(mosquitto.settings())
    vehicle.process.send_signal(signal.SIGCONT)

    eventually(lambda: later.receipts, within_s=30, what="the receipt arrives after all")
    later.bus.close()


def test_a_unicast_port_hears_where_multicast_is_dropped(road: Road) -> None:
    port = free_port(socket.SOCK_DGRAM)
    vehicle = road.start(vehicle_unicast_port=str(port), multicast_interface="nosuch0")

    road.sender.sendto(road.station.say(road.station.alert()), ("127.0.0.1", port))

    eventually(vehicle.words)
    assert vehicle.received[0].endswith("(copy 1/7, unicast)")


def test_on_a_terminal_lines_scroll_above_a_live_status(road: Road) -> None:
    master, slave = pty.openpty()
    settings = {"vehicle": "car-1", "data_dir": str(road.folder), "multicast_port": str(road.group.port), "multicast_interface": "127.0.0.1", "metrics_port": "0", "mqtt_port": "1"}  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "vehicle_agent"],
        env={**environment_with(**settings), "TERM": "xterm", "COLUMNS": "160"},
        stdout=slave,
        stderr=subprocess.DEVNULL,
    )
    os.close(slave)
    os.set_blocking(master, False)
    shown = ""

    def sees(text: str) -> bool:
        nonlocal shown
        with contextlib.suppress(BlockingIOError):
            shown += os.read(master, 65_536).decode(errors="replace")
        return text in shown

    try:
        eventually(lambda: sees("LINK WAITING"), within_s=20)
        road.burst(road.station.alert(17))
        eventually(lambda: sees("NEW collision high 4097-17"))
        eventually(lambda: sees("1 in force │ speed: slow to 0.5 m/s"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait(10)
        os.close(master)


def test_a_vehicle_that_drives_a_track_is_warned_when_it_comes_within_reach(road: Road) -> None:
    """It stands 25 km south of the accident for a while, then is there."""
    places = [(36.9, 0), (36.9, 6), (37.121, 7)]
    points = "".join(
        f'<trkpt lat="{lat}" lon="127.12345"><time>2026-01-01T00:00:0{at_s}Z</time></trkpt>'
        for lat, at_s in places
    )
    track = road.folder / "drive.gpx"
    track.write_text(f"<gpx><trk><trkseg>{points}</trkseg></trk></gpx>")
    vehicle = road.start(vehicle_gpx=str(track))
    eventually(lambda: any("POSITION OK by gpx" in line for line in vehicle.lines))
    alert = road.station.alert(17, lat=37.12345, lon=127.12345)

    road.burst(alert)
    eventually(lambda: vehicle.metric("hazardcast_alerts_irrelevant_total") >= 1)
    assert not vehicle.received

    def shown_on_a_tick() -> bool:
        road.send(road.station.say(alert, copy=(0, 1)))
        return bool(vehicle.received)

    eventually(shown_on_a_tick, within_s=15)
    assert " NEW collision high 4097-17 " in vehicle.received[0]
    assert "m ahead" in vehicle.received[0]
    eventually(lambda: any("slow to 0.5 m/s" in line for line in vehicle.lines))
