"""What must not stop an alert: a broker that is away, bad messages, loss, load."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import psutil
import pytest

from hazardcast.config.settings import PREFIX
from hazardcast.contract.messages import Datagram, Receipt, ReceptionCounters, ServiceStatus
from hazardcast.contract.topics import ACTIVE, CLIP_REQUESTS, RECEIPTS, STATUS
from hazardcast.machine.clock import SystemClock
from hazardcast.testing import eventually

pytestmark = pytest.mark.network
CLOCK = SystemClock()


def test_without_a_broker_http_and_files_still_reach_vehicles(
    world: Any, mosquitto: Any, newcomer: Any
) -> None:
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
    late = newcomer()
    active, clips = late.hear(ACTIVE), late.hear(CLIP_REQUESTS)
    late.arrive()
    eventually(lambda: len({a.event_id for a in active}) == 2, within_s=15, what="outbox emptied")
    # Asked for at each connection, so more than once.
    eventually(lambda: len({clip.event_id for clip in clips}) == 2, what="clips are asked for")


def test_bad_messages_are_counted_and_stop_nothing(world: Any, observer: Any) -> None:
    world.start()
    bad = [
        "", "{", "[]", "null", '{"type":7}', "x" * 120_000, "[" * 30_000, '{"type":"fire","ts":1}',
        '{"type":"fire","status":"gone"}', '{"lat":1,"lon":1}',
    ]  # fmt: skip
    for payload in bad:
        observer.report(payload)
    observer.report('{"type":"fire"}')
    eventually(lambda: world.ear.alerts)
    assert len({alert.event_id for alert in world.ear.alerts}) == 1
    assert world.metric('hazardcast_messages_rejected_total{kind="v2x/alert"}') == len(bad) - 2
    assert world.metric('hazardcast_alerts_rejected_total{reason="stale"}') == 1


def test_receipts_become_latency_and_loss_raises_the_copies(world: Any, observer: Any) -> None:
    world.start()
    online = ServiceStatus(
        service="vehicle-agent", instance="car-1", state="online", version="1", ts=CLOCK.now()
    )
    observer.say(STATUS, online, service="vehicle-agent", instance="car-1")
    eventually(lambda: world.metric("hazardcast_vehicles_online") == 1)
    observer.report('{"type":"fire"}')
    eventually(lambda: world.ear.alerts)
    first = world.ear.copies(world.ear.alerts[0].event_id)[0]
    observer.say(RECEIPTS, receipt(first), vehicle="car-1")
    observer.say(RECEIPTS, receipt(first), vehicle="car-1")
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


def test_a_wrong_configuration_ends_with_code_two_and_one_line(world: Any) -> None:
    variables = {
        PREFIX + k.upper(): v for k, v in {**world.settings, "unicast": "nonsense"}.items()
    }
    done = subprocess.run(
        [sys.executable, "-m", "alerter"], env={**os.environ, **variables}, capture_output=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert b"HAZARDCAST_UNICAST" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_two_hundred_alerts_are_kept_on_air_without_late_ticks(world: Any) -> None:
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


def test_the_embedded_broker_serves_as_well(
    embedded_broker: Any, world_at: Any, observer_at: Any
) -> None:
    world, observer = world_at(embedded_broker), observer_at(embedded_broker)
    clips, active = observer.hear(CLIP_REQUESTS), observer.hear(ACTIVE)
    observer.arrive()
    world.start()
    observer.report('{"type":"collision"}')
    eventually(lambda: world.ear.alerts)
    eventually(lambda: clips)
    eventually(lambda: active)
    assert world.stop() == 0
