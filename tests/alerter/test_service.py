"""The whole process: real broker, real multicast on loopback, real files, real signals."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from hazardcast import trust
from hazardcast.bus import MqttBus
from hazardcast.clock import SystemClock
from hazardcast.messages import (
    Alert,
    ClipRequest,
    Datagram,
    Receipt,
    ReceptionCounters,
    ServiceStatus,
)
from hazardcast.multicast import Group, open_receiver
from hazardcast.reception import Accepted, Reception
from hazardcast.settings import PREFIX
from hazardcast.testing import MemoryEpochs, eventually
from hazardcast.topics import ACTIVE, BROADCAST, CLIP_REQUESTS, INCIDENTS, RECEIPTS, STATUS

pytestmark = pytest.mark.network
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
                    reception = Reception(store, MemoryEpochs())
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

    def start(self, *, ready: bool = True, **changes: str) -> None:
        variables = {PREFIX + k.upper(): v for k, v in {**self.settings, **changes}.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "alerter"], env={**os.environ, **variables}, stderr=self.log
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


@pytest.fixture
def world(mosquitto: Any, tmp_path: Path) -> Iterator[World]:
    world = World(mosquitto.port, tmp_path)
    yield world
    world.close()


@pytest.fixture
def bus(mosquitto: Any) -> Iterator[MqttBus]:
    client = MqttBus(mosquitto.settings(), client_id="test-observer")
    client.start()
    assert client.wait_connected(5)
    yield client
    client.close()


def collect(bus: MqttBus, topic: Any) -> list[Any]:
    heard: list[Any] = []
    bus.subscribe(topic, lambda message, _delivery: heard.append(message))
    return heard


def say(bus: MqttBus, payload: str) -> None:
    bus._client.publish(INCIDENTS.template, payload, qos=1)


def test_the_least_incident_becomes_a_verified_burst_a_clip_request_and_a_retained_alert(
    world: World, bus: MqttBus
) -> None:
    clips: list[ClipRequest] = collect(bus, CLIP_REQUESTS)
    active: list[Alert] = collect(bus, ACTIVE)
    second_path: list[str] = []
    bus.subscribe_text(BROADCAST, lambda text, _delivery: second_path.append(text))
    world.start()
    say(bus, '{"type":"collision"}')
    burst = eventually(lambda: [d for d in world.ear.heard if d.alert and d.copy_[1] == 7][6:])
    assert burst
    copies = world.ear.copies("4097-1")[:7]
    assert [datagram.copy_ for datagram in copies] == [(index, 7) for index in range(7)]
    assert {datagram.tick for datagram in copies} == {1}
    eventually(
        lambda: [d for d in world.ear.copies("4097-1") if d.copy_ == (0, 1)][2:], what="ticks"
    )
    assert world.ear.refused == []
    assert world.ear.heard[0].heartbeat, "the first word of a start is a heartbeat"
    seqs = [datagram.seq for datagram in world.ear.heard]
    assert seqs == list(range(1, len(seqs) + 1))
    request = eventually(lambda: clips)[0]
    assert (request.event_id, request.camera, request.pre_s) == ("4097-1", "north", 302.0)
    assert request.alert == active[0]
    assert world.ear.alerts[0] == active[0]
    assert {text.encode() for text in second_path} < set(world.ear.texts)
    assert 3 <= len(second_path) < len(world.ear.texts)


def test_an_update_and_a_cancel_are_bursts_and_the_retained_alert_goes(
    world: World, bus: MqttBus, mosquitto: Any
) -> None:
    world.start()
    say(bus, '{"type":"fire","event_id":"cam-1","severity":"low"}')
    say(bus, '{"type":"fire","event_id":"cam-1","severity":"low"}')
    say(bus, '{"type":"fire","event_id":"cam-1","severity":"high","status":"update"}')
    say(bus, '{"type":"fire","event_id":"cam-1","status":"cancel"}')
    eventually(lambda: [d for d in world.ear.heard if d.alert and d.copy_ == (6, 7)])
    eventually(lambda: len({(a.status, a.revision) for a in world.ear.alerts}) == 3)
    versions = sorted({(a.revision, a.status) for a in world.ear.alerts})
    assert versions == [(0, "new"), (1, "update"), (2, "cancel")]
    late = MqttBus(mosquitto.settings(), client_id="late")
    retained = collect(late, ACTIVE)
    statuses = collect(late, STATUS)
    late.start()
    eventually(lambda: statuses, what="retained messages came")
    assert retained == []
    late.close()
    assert world.get("alerts").json() == {"alerts": []}


def test_a_killed_alerter_goes_on_with_the_same_alerts_in_a_higher_epoch(
    world: World, bus: MqttBus
) -> None:
    world.start()
    event_id = world.post('{"type":"collision","event_id":"cam-1"}').json()["event_id"]
    assert event_id == "4097-1"
    eventually(lambda: world.ear.copies(event_id))
    before = world.ear.copies(event_id)[0]
    assert world.stop(signal.SIGKILL) == -signal.SIGKILL
    heard = len(world.ear.heard)
    world.start()
    eventually(lambda: [d for d in world.ear.heard[heard:] if d.alert][2:], what="ticks resumed")
    after = [datagram for datagram in world.ear.heard[heard:] if datagram.alert]
    assert {datagram.alert for datagram in after} == {before.alert}
    assert {datagram.copy_ for datagram in after} == {(0, 1)}
    assert after[0].epoch > before.epoch
    assert world.post('{"type":"fire"}').json()["event_id"] not in (None, event_id)
    cancelled = world.post('{"type":"collision","event_id":"cam-1","status":"cancel"}').json()
    assert cancelled == {"event_id": event_id, "revision": 1, "result": "cancel"}
    assert world.ear.refused == []


def test_what_a_killed_alerter_left_retained_is_put_right_at_the_next_start(
    world: World, bus: MqttBus, mosquitto: Any
) -> None:
    world.start()
    world.post('{"type":"collision"}')
    eventually(lambda: world.ear.alerts)
    alert = world.ear.alerts[0]
    world.stop(signal.SIGKILL)
    strangers = alert.model_copy(update={"event_id": "77-1"})
    ghost = alert.model_copy(update={"event_id": "4097-999"})
    bus.clear(ACTIVE, event_id=alert.event_id)
    for held in (strangers, ghost):
        bus.publish(ACTIVE, held, event_id=held.event_id)
    assert bus.flush(5)
    world.start()

    def retained() -> set[str]:
        late = MqttBus(mosquitto.settings(), client_id="late")
        held = collect(late, ACTIVE)
        late.start()
        late.wait_connected(5)
        time.sleep(0.2)
        late.close()
        return {message.event_id for message in held}

    eventually(lambda: retained() == {"77-1", "4097-1"}, within_s=10, what="retained alerts right")


def test_a_clean_stop_says_so_and_exits_with_zero(world: World, bus: MqttBus) -> None:
    statuses: list[ServiceStatus] = collect(bus, STATUS)
    world.start()
    eventually(lambda: [s for s in statuses if s.state == "online"])
    assert world.stop() == 0
    eventually(lambda: statuses and statuses[-1].state == "stopped")
    last = eventually(lambda: world.ear.beats)[-1]
    assert last.heartbeat is not None
    assert last.heartbeat.state == "stopping"
    assert last.heartbeat.sent_alert_datagrams + last.heartbeat.sent_heartbeats == last.seq


def test_without_a_broker_http_and_files_still_reach_vehicles(world: World, mosquitto: Any) -> None:
    mosquitto.stop()
    world.start(ready=False)
    assert world.get("readyz").status_code == 503
    assert world.post('{"type":"fire"}').status_code == 202
    (world.data / "events" / "a.json").write_text('{"type":"collision","lat":37.2,"lon":127.2}')
    eventually(lambda: {a.type for a in world.ear.alerts} == {"fire", "collision"})
    eventually((world.data / "events" / "done" / "a.json").exists)
    assert world.ear.beats[0].heartbeat
    assert world.ear.beats[0].heartbeat.state == "degraded"
    mosquitto.start()
    late = MqttBus(mosquitto.settings(), client_id="late")
    active = collect(late, ACTIVE)
    clips = collect(late, CLIP_REQUESTS)
    late.start()
    eventually(lambda: len({a.event_id for a in active}) == 2, within_s=15, what="outbox emptied")
    eventually(lambda: len(clips) == 2, what="clips asked for once the broker is back")
    late.close()


def test_bad_messages_are_counted_and_stop_nothing(world: World, bus: MqttBus) -> None:
    world.start()
    bad = [
        "", "{", "[]", "null", '{"type":7}', '{"type":"fire","lat":NaN,"lon":1}', "x" * 120_000,
        '{"type":"fire","ts":1e999}', '{"type":"fire","ts":' + "9" * 400 + "}", "[" * 30_000,
        '{"type":"fire","ts":1}', '{"type":"fire","road":"a\\nb"}', '{"type":"fire","clip_hint":"?"}',
    ]  # fmt: skip
    for payload in bad:
        say(bus, payload)
    say(bus, '{"type":"fire"}')
    eventually(lambda: world.ear.alerts)
    assert {alert.event_id for alert in world.ear.alerts} == {"4097-1"}
    assert world.metric('hazardcast_messages_rejected_total{kind="v2x/alert"}') == len(bad) - 2
    assert world.metric('hazardcast_alerts_rejected_total{reason="stale"}') == 1


def test_receipts_become_latency_and_loss_raises_the_copies(world: World, bus: MqttBus) -> None:
    world.start()
    online = ServiceStatus(
        service="vehicle-agent", instance="car-1", state="online", version="1", ts=CLOCK.now()
    )
    bus.publish(STATUS, online, service="vehicle-agent", instance="car-1")
    eventually(lambda: world.metric("hazardcast_vehicles_online") == 1)
    say(bus, '{"type":"fire"}')
    first = eventually(lambda: world.ear.copies("4097-1"))[0]
    bus.publish(RECEIPTS, receipt(first), vehicle="car-1")
    bus.publish(RECEIPTS, receipt(first), vehicle="car-1")
    bound = 'hazardcast_alert_latency_seconds_count{method="rtt_bound"}'
    eventually(lambda: world.metric(bound) == 1)
    assert world.metric('hazardcast_alert_latency_seconds_count{method="synced"}') == 0
    eventually(lambda: world.metric('hazardcast_receipts_total{result="again"}') == 1)
    assert world.metric("hazardcast_ticks_expected_total") == 20
    assert world.metric("hazardcast_ticks_delivered_total") == 19
    eventually(lambda: [d for d in world.ear.heard if d.copy_ == (4, 5)], what="five copies a tick")


def receipt(datagram: Datagram) -> Receipt:
    assert datagram.alert is not None
    now = CLOCK.now()
    counts = ReceptionCounters(
        station=4097, epoch=datagram.epoch, datagrams_expected=100, datagrams_unique=80,
        ticks_expected=20, ticks_delivered=19,
    )  # fmt: skip
    return Receipt(
        vehicle="car-1", event_id=datagram.alert.event_id, revision=0, status="new",
        result="displayed", station=4097, epoch=datagram.epoch, seq=datagram.seq,
        copy_=datagram.copy_, path="multicast", tx=datagram.tx,
        confirmed_at=datagram.alert.confirmed_at, received_at=now, displayed_at=now,
        published_at=now, residence_s=0.0, display_s=0.0, reception=(counts,),
    )  # fmt: skip


def test_a_rotated_key_is_used_without_a_restart(world: World) -> None:
    world.start()
    world.post('{"type":"fire"}')
    eventually(lambda: world.ear.alerts)
    jwk = trust.generate_jwk("EdDSA")
    trust.write_private(world.data / "keys" / trust.SIGNING_KEY_FILE, json.dumps(jwk))
    eventually(lambda: world.ear.refused, what="the ear, with the old trust store, refuses")
    assert set(world.ear.refused) == {"unknown_key"}


def test_a_wrong_configuration_ends_with_code_two_and_one_line(world: World) -> None:
    variables = {
        PREFIX + k.upper(): v for k, v in {**world.settings, "unicast": "nonsense"}.items()
    }
    done = subprocess.run(
        [sys.executable, "-m", "alerter"], env={**os.environ, **variables}, capture_output=True,
        timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert b"HAZARDCAST_UNICAST" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_two_hundred_alerts_are_kept_on_air_without_late_ticks(world: World) -> None:
    world.start()
    for index in range(200):
        assert (
            world.post(f'{{"type":"fire","lat":{30 + index * 0.01},"lon":127}}').status_code == 202
        )
    eventually(lambda: len({a.event_id for a in world.ear.alerts}) == 200)
    assert world.process is not None
    busy = psutil.Process(world.process.pid)
    time.sleep(1.0)
    heard, cpu = len(world.ear.heard), busy.cpu_times()
    late = 'hazardcast_tick_lateness_seconds_bucket{le="0.5"}'
    all_, good = "hazardcast_tick_lateness_seconds_count", world.metric(late)
    count = world.metric(all_)
    time.sleep(4.0)
    sent = world.metric(all_) - count
    assert sent >= 200 * 2 * 3.5
    assert (world.metric(late) - good) / sent >= 0.95
    assert len(world.ear.heard) - heard >= 200 * 2 * 3.5
    used = busy.cpu_times()
    assert (used.user + used.system - cpu.user - cpu.system) / 4.0 < 0.9
