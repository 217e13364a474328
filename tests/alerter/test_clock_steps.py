"""The machine's clock is set while alerts are in force: nothing ends, lasts or begins by that."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest
from alerter.ingest.refusal import Refusal
from alerter.lifecycle import noted

from hazardcast.contract.topics import ACTIVE, CLIP_REQUESTS

HOURS = 3600.0
STEPS = pytest.mark.parametrize(
    "step_s", [2 * HOURS, -2 * HOURS, 56 * 365 * 24 * HOURS, 90.0, -90.0]
)
HERE = {"lat": 37.1, "lon": 127.0}


@STEPS
def test_an_alert_ends_when_it_would_have_ended(station: Any, step_s: float) -> None:
    station.hears(severity="critical", event_id="a", **HERE)
    station.passes(4)
    station.clock.step(step_s)
    station.passes(1794)
    assert station.ids() == ["4097-1"]
    station.passes(2.1)
    assert station.ids() == []


@STEPS
def test_its_producer_s_update_and_cancel_find_the_event(station: Any, step_s: float) -> None:
    station.hears(severity="high", event_id="a", ts=station.clock.now(), **HERE)
    station.passes(4)
    station.clock.step(step_s)

    update = {"event_id": "a", "status": "update", "severity": "critical", **HERE}
    found = station.hears(**update, ts=station.clock.now())
    assert (found.action, found.event.alert.event_id) == ("update", "4097-1")
    assert station.hears(**HERE).action == "unchanged", "another witness"
    station.passes(4)
    assert station.hears(event_id="a", status="cancel", ts=station.clock.now()).action in (
        "unchanged", "cancel",
    )  # fmt: skip
    assert len(station.register.events) == 1


@STEPS
def test_a_vehicle_that_comes_after_the_step_counts_what_truly_remains(
    station: Any, step_s: float
) -> None:
    station.hears(severity="critical", event_id="a", **HERE)
    station.passes(600)
    station.clock.step(step_s)
    station.passes(0.25)

    assert station.remains_s() == pytest.approx(1199.75, abs=2)
    assert station.air.until["4097-1"] - station.clock.monotonic() == pytest.approx(1199.75, abs=2)
    assert station.broker.messages(ACTIVE)[-1] == station.alerter.alerts()[0]


@STEPS
def test_vehicles_that_knew_it_take_the_new_dates_for_a_newer_word(
    station: Any, step_s: float
) -> None:
    station.hears(severity="critical", event_id="a", **HERE)
    station.passes(4)
    station.clock.step(step_s)
    station.passes(0.25)
    station.hears(event_id="a", status="update", road="tunnel")

    versions = station.air.said
    assert [alert.revision for alert in versions] == list(range(len(versions)))
    for before, after in itertools.pairwise(versions):
        assert after.reference_time > before.reference_time
        assert after.detection_time >= before.detection_time


def test_evidence_prolongs_an_alert_after_the_clock_was_set_back(station: Any) -> None:
    station.hears(severity="low", event_id="a", **HERE)
    station.passes(4)
    station.clock.step(-2 * HOURS)
    for _ in range(10):
        station.passes(100)
        station.hears(event_id="a", status="update", severity="low", ts=station.clock.now())
    assert station.ids() == ["4097-1"]
    assert 150 <= station.remains_s() <= 300
    station.passes(301)
    assert station.ids() == []


def test_a_clock_that_is_slewed_makes_no_version(station: Any) -> None:
    station.hears(event_id="a", **HERE)
    for _ in range(20):
        station.clock.step(0.01)
        station.passes(1)
    assert len(station.air.said) == 1


def test_a_clock_that_is_set_again_and_again_changes_nothing_but_dates(station: Any) -> None:
    station.hears(severity="critical", event_id="a", **HERE)
    for step_s in (2 * HOURS, -3 * HOURS, 30.0, -2 * HOURS, 3 * HOURS - 30.0):
        station.passes(100)
        station.clock.step(step_s)
    station.passes(100)
    assert station.remains_s() == pytest.approx(1200, abs=2)
    assert station.ids() == ["4097-1"]


def test_a_cancel_from_before_the_step_is_still_older_than_what_came_after_it(
    station: Any,
) -> None:
    station.hears(event_id="a", ts=station.clock.now(), **HERE)
    station.clock.step(2 * HOURS)
    station.passes(1)
    before = station.clock.now() - 10
    refusal = station.asks(event_id="a", status="cancel", ts=before)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "stale"


@STEPS
def test_a_restart_of_the_process_while_the_clock_is_set_changes_nothing(
    station: Any, step_s: float
) -> None:
    station.hears(severity="critical", event_id="a", **HERE)
    station.passes(600)
    station.clock.advance(5)
    station.clock.step(step_s)
    station.start()
    station.passes(0.25)

    assert station.ids() == ["4097-1"]
    assert station.remains_s() == pytest.approx(1195, abs=2)
    found = station.hears(event_id="a", status="update", severity="critical", **HERE)
    assert found.event.alert.event_id == "4097-1"
    station.passes(1196)
    assert station.ids() == []


@pytest.mark.parametrize(
    ("step_s", "remains_s"),
    [(60.0, 1740.0), (-2 * HOURS, 1800.0), (-56 * 365 * 24 * HOURS, 1800.0)],
)
def test_after_a_boot_what_remains_is_told_by_the_wall_clock_and_never_grows(
    station: Any,
    step_s: float,
    remains_s: float,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    station.hears(severity="critical", event_id="a", **HERE)
    boot = tmp_path / "boot_id"
    boot.write_text("another\n")
    monkeypatch.setattr(noted, "BOOT_ID", boot)
    station.clock.step(step_s)
    station.start()

    assert station.ids() == ["4097-1"]
    assert station.remains_s() == pytest.approx(remains_s, abs=2)
    station.passes(remains_s + 1)
    assert station.ids() == []


def test_a_state_of_an_earlier_version_is_held_to_its_validity(
    station: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.hears(severity="critical", event_id="a", **HERE)
    line = (station.folder / "events-1.jsonl").read_text()
    assert station.store is not None
    station.store.close()
    station.store = None
    head, _, _ = line.partition(',"about":')
    old = '{"evidence_ts":1800000000.0,"clip_camera":null,"owner":"a","aliases":["a"],"open_reports":["a"]}'
    (station.folder / "events-1.jsonl").write_text(f'{head},"about":{old}}}\n')
    station.clock.step(-2 * HOURS)
    station.start()

    assert 0 < station.remains_s() <= 1810
    assert station.hears(event_id="a", status="cancel").action == "cancel"


def test_a_retained_cancel_does_not_end_today_s_alert(station: Any) -> None:
    old = station.clock.now() - 3 * 86_400
    station.broker.send(
        "v2x/alert",
        f'{{"type":"collision","status":"cancel","event_id":"cam7-1","ts":{old}}}'.encode(),
        retain=True,
    )
    station.alerter.listen()
    station.hears(severity="critical", event_id="cam7-1", **HERE)
    station.alerter.listen()

    assert station.ids() == ["4097-1"]


@STEPS
def test_a_restart_after_the_clock_was_set_asks_for_the_very_same_clip(
    station: Any, step_s: float
) -> None:
    """Recordings are named by the clock of then; another moment would be another clip."""
    station.hears(severity="critical", event_id="a", camera="north")
    station.passes(4)
    station.clock.step(step_s)
    station.passes(0.25)
    station.start()

    first, again = station.broker.messages(CLIP_REQUESTS)
    assert (again.ts, again.camera) == (first.ts, first.camera)


def _drawn(chance: random.Random) -> tuple[Any, ...]:
    """A report, a while, or a restart."""
    kind = chance.random()
    if kind < 0.3:
        return "pass", chance.choice([0.25, 3.0, 29.0, 160.0, 301.0, 899.0])
    if kind > 0.9:
        return ("restart",)
    incident = {
        "type": chance.choice(["collision", "fire"]),
        "severity": chance.choice(["low", "high", "critical"]),
        "lat": chance.choice([37.0, 37.1]),
        "lon": 127.0,
        "status": chance.choice(["new", "update", "cancel"]),
        "event_id": chance.choice(["a-1", "b-1", "4097-1"]),
    }
    return "report", incident, chance.choice([None, 0.0, 20.0])


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_happens_as_if_nobody_had_set_the_clock(
    seed: int, config: Any, tmp_path: Path, station_type: Any
) -> None:
    chance = random.Random(seed)
    still = station_type(tmp_path / "still", config)
    stepped = station_type(tmp_path / "stepped", config)
    for _ in range(12):
        deed = _drawn(chance)
        stepped.clock.step(chance.choice([0.0, 0.0, 7200.0, -7200.0, 40.0, -40.0, 1e7]))
        assert _done(stepped, deed) == _done(still, deed), deed
        assert stepped.ids() == still.ids(), deed


def _done(station: Any, deed: Any) -> object:
    """What came of it, times left out."""
    if deed[0] == "pass":
        return station.passes(deed[1])
    if deed[0] == "restart":
        return station.start()
    _, incident, age_s = deed
    dated = {} if age_s is None else {"ts": round(station.clock.now() - age_s, 3)}
    outcome = station.asks(**incident, **dated)
    if isinstance(outcome, Refusal):
        return outcome.reason
    alert = outcome.event.alert
    return outcome.action, alert.event_id, alert.terminated, alert.severity


def test_a_cancel_dated_as_its_report_ends_the_alert_though_the_clock_was_set_between(
    station: Any,
) -> None:
    written = station.clock.now()
    station.hears(event_id="a", ts=written, **HERE)
    station.clock.step(20)
    station.passes(1)
    assert station.hears(event_id="a", status="cancel", ts=written).action == "cancel"
    station.start()
    assert station.ids() == []


def test_what_a_reporter_wrote_is_known_after_a_restart(station: Any) -> None:
    written = station.clock.now()
    station.hears(event_id="a", ts=written, **HERE)
    station.clock.step(20)
    station.start()
    station.passes(1)
    assert station.hears(event_id="a", status="cancel", ts=written).action == "cancel"
