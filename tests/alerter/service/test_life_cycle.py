"""From an incident to verified datagrams, and through restarts."""

from __future__ import annotations

import json
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from hazardcast.contract.messages import ClipState, Window
from hazardcast.contract.topics import ACTIVE, BROADCAST, CLIP_REQUESTS, CLIPS, STATUS
from hazardcast.signing import trust
from hazardcast.testing import eventually

pytestmark = pytest.mark.network


def test_the_least_incident_becomes_a_verified_burst_a_clip_request_and_a_retained_alert(
    world: Any, observer: Any
) -> None:
    clips = observer.hear(CLIP_REQUESTS)
    active = observer.hear(ACTIVE)
    second_path = observer.hear_text(BROADCAST)
    world.start()
    observer.report('{"type":"collision"}')
    burst = eventually(lambda: [d for d in world.ear.heard if d.alert and d.copy_[1] == 7][6:])
    assert burst
    event_id = burst[0].alert.event_id
    copies = world.ear.copies(event_id)[:7]
    assert [datagram.copy_ for datagram in copies] == [(index, 7) for index in range(7)]
    assert {datagram.tick for datagram in copies} == {1}
    eventually(
        lambda: [d for d in world.ear.copies(event_id) if d.copy_ == (0, 1)][2:], what="ticks"
    )
    assert world.ear.refused == []
    assert world.ear.heard[0].heartbeat, "the first word of a start is a heartbeat"
    seqs = [datagram.seq for datagram in world.ear.heard]
    assert seqs == list(range(1, len(seqs) + 1))
    request = eventually(lambda: clips)[0]
    assert (request.event_id, request.camera, request.pre_s) == (event_id, "north", 302.0)
    assert request.alert == active[0]
    assert world.ear.alerts[0] == active[0]
    assert {text.encode() for text in second_path} < set(world.ear.texts)
    assert 3 <= len(second_path) < len(world.ear.texts)


def test_an_update_and_a_cancel_are_bursts_and_the_retained_alert_goes(
    world: Any, observer: Any, newcomer: Any
) -> None:
    world.start()
    observer.report('{"type":"fire","event_id":"cam-1","severity":"low"}')
    observer.report('{"type":"fire","event_id":"cam-1","severity":"low"}')
    observer.report('{"type":"fire","event_id":"cam-1","severity":"high","status":"update"}')
    observer.report('{"type":"fire","event_id":"cam-1","status":"cancel"}')
    eventually(lambda: [d for d in world.ear.heard if d.alert and d.copy_ == (6, 7)])
    eventually(lambda: len({(a.status, a.revision) for a in world.ear.alerts}) == 3)
    versions = sorted({(a.revision, a.status) for a in world.ear.alerts})
    assert versions == [(0, "new"), (1, "update"), (2, "cancel")]
    late = newcomer()
    retained, statuses = late.hear(ACTIVE), late.hear(STATUS)
    late.arrive()
    eventually(lambda: statuses, what="retained messages came")
    assert retained == []
    assert world.get("alerts").json() == {"alerts": []}


def test_a_killed_alerter_goes_on_with_the_same_alerts_in_a_higher_epoch(
    world: Any, observer: Any
) -> None:
    world.start()
    event_id = world.post('{"type":"collision","event_id":"cam-1"}').json()["event_id"]
    assert re.fullmatch(r"4097-\d+", event_id)
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
    world: Any, observer: Any, newcomer: Any
) -> None:
    world.start()
    world.post('{"type":"collision"}')
    eventually(lambda: world.ear.alerts)
    alert = world.ear.alerts[0]
    world.stop(signal.SIGKILL)
    strangers = alert.model_copy(update={"event_id": "77-1"})
    ghost = alert.model_copy(update={"event_id": "4097-999"})
    observer.bus.clear(ACTIVE, event_id=alert.event_id)
    for held in (strangers, ghost):
        observer.say(ACTIVE, held, event_id=held.event_id)
    assert observer.bus.flush(5)
    world.start()

    def retained() -> set[str]:
        late = newcomer()
        held = late.hear(ACTIVE)
        late.arrive()
        time.sleep(0.2)
        return {message.event_id for message in held}

    eventually(
        lambda: retained() == {"77-1", alert.event_id}, within_s=10, what="retained alerts right"
    )


def test_a_backup_that_is_restored_while_the_broker_is_away_gives_no_number_twice(
    world: Any, mosquitto: Any, tmp_path: Path
) -> None:
    mosquitto.stop()
    world.start(ready=False)
    world.stop()
    shutil.copytree(world.data, tmp_path / "backup")
    world.start(ready=False)
    places = [f'{{"type":"fire","lat":{30 + n},"lon":127}}' for n in range(40)]
    given = [world.post(place).json()["event_id"] for place in places]
    world.stop(signal.SIGKILL)
    shutil.rmtree(world.data)
    shutil.copytree(tmp_path / "backup", world.data)
    world.start(ready=False)
    given += [world.post(place).json()["event_id"] for place in places[:3]]

    numbers = [int(event_id.partition("-")[2]) for event_id in given]
    assert numbers == sorted(set(numbers))


def test_numbers_begin_beyond_what_the_broker_retains_of_the_station(
    world: Any, observer: Any
) -> None:
    world.start()
    first = int(world.post('{"type":"fire"}').json()["event_id"].partition("-")[2])
    world.stop()
    beyond = f"4097-{first + 10_000_000}"
    window = Window(start=1.0, end=2.0)
    clip = ClipState(
        event_id=beyond, camera="north", state="failed", requested=window, updated_at=2.0
    )
    observer.say(CLIPS, clip, event_id=beyond)
    assert observer.bus.flush(5)
    world.start()

    def next_number() -> int:
        answer = world.post(f'{{"type":"fire","lat":{30 + time.monotonic() % 50},"lon":1}}')
        return int(answer.json()["event_id"].partition("-")[2])

    eventually(lambda: next_number() > first + 10_000_000, within_s=10)


def test_a_clean_stop_says_so_and_exits_with_zero(world: Any, observer: Any) -> None:
    statuses = observer.hear(STATUS)
    world.start()
    eventually(lambda: [s for s in statuses if s.state == "online"])
    assert world.stop() == 0
    eventually(lambda: statuses and statuses[-1].state == "stopped")
    last = eventually(lambda: world.ear.beats)[-1]
    assert last.heartbeat is not None
    assert last.heartbeat.state == "stopping"
    assert last.heartbeat.sent_alert_datagrams + last.heartbeat.sent_heartbeats == last.seq


def test_a_rotated_key_is_used_without_a_restart(world: Any) -> None:
    world.start()
    world.post('{"type":"fire"}')
    eventually(lambda: world.ear.alerts)
    jwk = trust.generate_jwk("EdDSA")
    trust.write_private(world.data / "keys" / trust.SIGNING_KEY_FILE, json.dumps(jwk))
    eventually(lambda: world.ear.refused, what="the ear, with the old trust store, refuses")
    assert set(world.ear.refused) == {"unknown_key"}
