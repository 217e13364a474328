"""An operator decides, at a real broker: the vehicle hears of it, and a store misses nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from hazardcast.config.settings import environment_with
from hazardcast.contract.messages import Decision, ReplayRequest, ServiceStatus, Verdict
from hazardcast.contract.topics import (
    ACTIVE,
    DECIDED,
    DECISIONS,
    JOURNAL,
    PENDING,
    REPLAY_REQUESTS,
    STATUS,
    VERDICTS,
)  # fmt: skip
from hazardcast.testing import eventually

pytestmark = pytest.mark.network
POLICY = {"mode": "confirm", "on_timeout": "drop", "confirm_within_s": 60}
SAW = '{"type":"collision","camera":"north","confidence":0.5,"event_id":"n-1"}'


@pytest.fixture
def vehicle(world: Any, tmp_path: Path) -> Iterator[list[str]]:
    """The lines of a vehicle's console."""
    settings = {**world.settings, "vehicle": "car-1", "metrics_port": "0", "instance": "car-1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "vehicle_agent"],
        env=environment_with(**settings), stdout=subprocess.PIPE, text=True,
        stderr=(tmp_path / "vehicle.log").open("w"),
    )  # fmt: skip
    lines: list[str] = []
    assert process.stdout
    reader = Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")))  # type: ignore[union-attr]
    reader.start()
    yield lines
    process.kill()
    process.wait(10)
    reader.join(10)


def operator_is_there(observer: Any) -> None:
    status = ServiceStatus(
        service="console", instance="test", state="online", version="1", ts=time.time(),
        detail={"operators": 1},
    )  # fmt: skip
    observer.say(STATUS, status, service="console", instance="test")


def decide(observer: Any, event_id: str, action: str, revision: int, **more: Any) -> float:
    """Say a decision; when."""
    now = time.time()
    decision = Decision.parse(
        {"event_id": event_id, "action": action, "if_revision": revision, "by": "kim", "ts": now, **more}
    )  # fmt: skip
    observer.say(DECISIONS, decision, event_id=event_id)
    return now


def test_a_false_alarm_ends_at_once_in_the_vehicles_console(
    world: Any, observer: Any, vehicle: list[str]
) -> None:
    active, decided = observer.hear(ACTIVE), observer.hear(DECIDED)
    world.start()
    eventually(lambda: any("LINK" in line for line in vehicle), within_s=20)
    observer.report(SAW)
    eventually(lambda: [line for line in vehicle if " NEW " in line], within_s=10)
    event_id = eventually(lambda: active)[0].event_id
    decide(observer, event_id, "negate", 0, reason="shadow", note="A tree.")

    shown = eventually(lambda: [line for line in vehicle if " NEGATE " in line])[0]
    assert event_id in shown
    assert eventually(lambda: decided)[0].effect == "ended"
    assert next(alert.status for alert in world.ear.alerts if alert.revision == 1) == "negate"
    assert world.get("alerts").json() == {"alerts": []}


def test_what_waits_is_heard_by_no_vehicle_until_it_is_approved_even_after_a_kill(
    world: Any, observer: Any
) -> None:
    config = Path(world.settings["config"])
    written = json.loads(config.read_text())
    written["cameras"]["north"]["alerting"] = POLICY
    config.write_text(json.dumps(written))
    pending, decided = observer.hear(PENDING), observer.hear(DECIDED)
    operator_is_there(observer)
    world.start()
    observer.report(SAW)
    event_id = eventually(lambda: pending)[0].event_id
    assert world.stop(signal.SIGKILL) == -signal.SIGKILL
    world.start()
    assert world.ear.copies(event_id) == []

    approved_at = decide(observer, event_id, "approve", 0)

    heard = eventually(lambda: world.ear.copies(event_id))[0]
    assert (heard.alert.status, heard.alert.information_quality) == ("new", 7)
    assert heard.alert.confirmed_at == pytest.approx(approved_at, abs=0.002)
    assert heard.tx - approved_at < 0.5
    assert eventually(lambda: decided)[-1].effect == "broadcast"
    late = decide(observer, event_id, "reject", 0, by="lee")
    told = eventually(lambda: [one for one in decided if one.by == "lee"])[0]
    assert (told.refused, told.first_by) == ("stale", "kim")
    assert late > approved_at


def test_a_store_that_was_away_has_every_entry_said_again(
    world: Any, observer: Any, newcomer: Any
) -> None:
    world.start()
    observer.report(SAW)
    alert = eventually(lambda: world.ear.alerts)[0]
    verdict = {"event_id": alert.event_id, "verdict": "true", "by": "kim", "ts": time.time()}
    observer.say(VERDICTS, Verdict.parse(verdict), event_id=alert.event_id)
    decide(observer, alert.event_id, "clear", 0)
    eventually(lambda: [one for one in world.ear.alerts if one.status == "cancel"])
    store = newcomer()
    said, statuses = store.hear(JOURNAL), store.hear(STATUS)
    store.arrive()
    newest = eventually(
        lambda: [
            one.detail.journal
            for one in statuses
            if one.service == "alerter" and one.detail.journal and one.detail.journal.sequence == 4
        ],
        within_s=10,
    )[0]
    assert said == []

    store.say(REPLAY_REQUESTS, ReplayRequest.parse({"epoch": newest.epoch, "from": 1, "to": 9}))

    eventually(lambda: len(said) == 4)
    assert [(one.sequence, one.kind) for one in said] == [
        (1, "alert"), (2, "verdict"), (3, "alert"), (4, "decided"),
    ]  # fmt: skip


def test_cap_and_denm_say_that_it_never_was(world: Any, observer: Any) -> None:
    taken: dict[str, list[bytes]] = {"/cap": [], "/denm": []}

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken[self.path].append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    Thread(target=server.serve_forever, daemon=True).start()
    there = f"http://127.0.0.1:{server.server_port}"
    active = observer.hear(ACTIVE)
    world.start(subscribers=f"cap={there}/cap,denm-json={there}/denm")
    observer.report(SAW)
    event_id = eventually(lambda: active)[0].event_id
    eventually(lambda: taken["/cap"] and taken["/denm"])
    decide(observer, event_id, "negate", 0)
    eventually(lambda: len(taken["/cap"]) >= 2 and len(taken["/denm"]) >= 2)
    server.shutdown()

    last = ET.fromstring(taken["/cap"][-1])
    kind = next(part.text for part in last.iter() if part.tag.endswith("}msgType"))
    assert kind == "Cancel"
    assert json.loads(taken["/denm"][-1])["management"]["termination"] == 1
