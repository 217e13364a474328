"""What waits outlives the process, a clock that is set and a disk that refuses, but not its time."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alerter import metrics
from alerter.lifecycle import noted

from hazardcast.contract.topics import CLIP_REQUESTS
from hazardcast.machine import durable
from tests.alerter.deciding.conftest import CONFIRM, Site

SiteWith = Callable[..., Site]
HOURS = 3600.0
BROADCAST = {"mode": "confirm", "on_timeout": "broadcast", "confirm_within_s": 60}


def is_switched_on_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The machine has booted: no monotonic clock of before goes on."""
    boot = tmp_path / "boot_id"
    boot.write_text("another\n")
    monkeypatch.setattr(noted, "BOOT_ID", boot)


def withheld(result: str) -> float:
    return metrics.WITHHELD.labels(result=result)._value.get()


@pytest.mark.parametrize("killed_after_s", [0.0, 20.0])
def test_what_waits_survives_a_restart(waits: Site, killed_after_s: float) -> None:
    waits.sees(event_id="n-1")
    (before,) = waits.pending
    waits.passes(killed_after_s)
    waits.start()

    assert waits.pending == [before]
    waits.operators(1)
    assert waits.sees(event_id="n-1", status="update") == "pending"
    told = waits.decides("approve")
    assert (told.result, waits.on_air) == ("done", [(before.event_id, "new")])


def test_what_was_decided_does_not_wait_again_after_a_restart(waits: Site) -> None:
    waits.sees(event_id="n-1")
    waits.decides("reject")
    waits.start()
    waits.operators(1)

    assert waits.pending == []
    assert waits.sees(event_id="n-1", status="update") == "dropped"


def test_after_a_restart_operators_have_a_moment_to_be_heard(waits: Site) -> None:
    waits.sees()
    waits.broker.retained = {
        path: payload for path, payload in waits.broker.retained.items() if "status" not in path
    }
    waits.console_falls_silent()
    waits.start()
    waits.passes(5.0)
    assert len(waits.pending) == 1
    waits.passes(6.0)

    assert waits.decided[-1].action == "timeout"


def test_a_pending_of_an_earlier_process_that_nobody_holds_is_cleared(waits: Site) -> None:
    waits.sees()
    stale = waits.pending[0].model_copy(update={"event_id": "4097-900"})
    foreign = waits.pending[0].model_copy(update={"event_id": "5-900"})
    for one in (stale, foreign):
        waits.broker.retained[f"v2x/pending/{one.event_id}"] = one.encode().encode()
    waits.start()

    assert {one.event_id for one in waits.pending} >= {"5-900"}
    assert "4097-900" not in {one.event_id for one in waits.pending}


@pytest.mark.parametrize("step_s", [-56 * 365 * 24 * HOURS, -2 * HOURS, 2 * HOURS, 9e8])
@pytest.mark.parametrize("on_timeout", ["drop", "broadcast"])
def test_a_clock_that_is_set_while_the_process_restarts_neither_ends_nor_prolongs_it(
    site_with: SiteWith, step_s: float, on_timeout: str
) -> None:
    site = site_with(north={**CONFIRM, "on_timeout": on_timeout, "confirm_within_s": 60})
    site.sees(event_id="n-1")
    site.clock.advance(3.0)
    site.clock.step(step_s)
    site.start()
    site.operators(1)
    site.passes(55.0)
    (pending,) = site.pending
    assert pending.decide_by == pytest.approx(site.clock.now() + 2.0, abs=0.1)
    site.passes(3.0)

    assert site.decided[-1].action == "timeout"
    assert len(site.on_air) == (on_timeout == "broadcast")


@pytest.mark.parametrize("step_s", [-56 * 365 * 24 * HOURS, -1.0])
def test_after_a_boot_with_a_clock_that_stands_before_it_an_operator_still_decides(
    site_with: SiteWith, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step_s: float
) -> None:
    site = site_with(north=BROADCAST)
    site.sees(event_id="n-1")
    is_switched_on_again(monkeypatch, tmp_path)
    site.clock.step(step_s)
    site.start()
    site.operators(1)
    site.passes(50.0)

    assert len(site.pending) == 1
    assert site.decides("approve").effect == "broadcast"


def test_how_long_ago_it_was_nobody_knows_and_no_time_out_broadcasts_it(
    site_with: SiteWith, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site = site_with(north=BROADCAST)
    site.sees(event_id="n-1")
    is_switched_on_again(monkeypatch, tmp_path)
    site.clock.step(-2 * HOURS)
    site.start()
    site.operators(1)
    site.passes(61.0)

    assert (site.on_air, site.pending) == ([], [])
    assert "expired" in (site.decided[-1].detail or "")


@pytest.mark.parametrize("booted", [True, False])
@pytest.mark.parametrize("within_s", [60, 3600])
def test_what_waited_through_hours_of_absence_is_told_as_expired_and_never_broadcast(
    site_with: SiteWith,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    booted: bool,
    within_s: int,
) -> None:
    site = site_with(north={**BROADCAST, "confirm_within_s": within_s})
    site.sees(event_id="n-1")
    counted = withheld("expired")
    if booted:
        is_switched_on_again(monkeypatch, tmp_path)
    site.clock.advance(0.9 * HOURS)
    site.start()
    site.operators(0)
    site.passes(0.25)
    site.passes(11.0)
    site.start()  # nor after another start
    site.passes(0.5 * HOURS)

    assert (site.on_air, site.pending) == ([], [])
    (told,) = site.decided
    assert (told.action, told.effect) == ("timeout", "dropped")
    assert told.detail == "expired: the alerter was away for too long to tell it as news"
    assert withheld("expired") == counted + 1
    assert {request.event_id for request in site.broker.messages(CLIP_REQUESTS)} == {told.event_id}


def test_it_is_news_again_once_its_camera_speaks_of_it_again(site_with: SiteWith) -> None:
    site = site_with(north={**BROADCAST, "confirm_within_s": 600})
    site.sees(event_id="n-1")
    site.clock.advance(500.0)
    site.start()
    site.operators(1)
    assert site.sees(event_id="n-1", status="update") == "pending"
    site.passes(101.0)

    assert len(site.on_air) == 1


@pytest.mark.parametrize("waited_s", [1.0, 400.0])
def test_a_short_absence_however_long_it_had_waited_before_changes_nothing(
    site_with: SiteWith, waited_s: float
) -> None:
    site = site_with(north={**BROADCAST, "confirm_within_s": 600})
    site.sees(event_id="n-1")
    for _ in range(int(waited_s)):
        site.passes(1.0)
    site.clock.advance(45.0)
    site.start()
    site.operators(1)
    site.passes(600.0 - waited_s - 45.0)

    assert len(site.on_air) == 1


def test_what_was_rejected_stays_so_across_a_restart_while_its_camera_goes_on(waits: Site) -> None:
    waits.sees(event_id="n-1")
    waits.decides("reject")
    for _ in range(200):
        waits.passes(1.0)
        assert waits.sees(event_id="n-1", status="update") == "dropped"
    waits.start()
    waits.operators(1)
    waits.passes(1.0)

    assert waits.sees(event_id="n-1", status="update", confidence=0.99) == "dropped"


def test_no_file_holds_it_for_longer_than_any_policy_would(waits: Site) -> None:
    waits.sees(event_id="n-1")
    waits.alerter.withholding.items.sync()
    (path,) = waits.folder.glob("waiting/*.json")
    data = json.loads(path.read_text())
    data["pending"]["decide_by"] = 9e9
    data["about"]["seen_at"] = 9e9
    path.write_text(json.dumps(data))
    waits.start()
    waits.operators(1)
    waits.passes(3901.0)

    assert waits.pending == []


def test_a_file_of_an_earlier_version_is_read(waits: Site) -> None:
    waits.sees(event_id="n-1")
    waits.alerter.withholding.items.sync()
    (path,) = waits.folder.glob("waiting/*.json")
    data = json.loads(path.read_text())
    for name in ("at", "noted", "prolonged_s", "stale"):
        del data["about"][name]
    path.write_text(json.dumps(data))
    before = waits.pending
    waits.start()

    assert waits.pending == before


def test_a_draft_that_was_cut_off_leaves_what_was_there_before(waits: Site) -> None:
    waits.sees(event_id="n-1", severity="medium")
    waits.alerter.withholding.items.sync()
    waits.sees(event_id="n-1", severity="critical")
    (draft,) = waits.folder.glob("waiting/*.draft")
    draft.write_bytes(draft.read_bytes()[:100])
    waits.start()
    (item,) = waits.alerter.withholding.items.open

    assert (item.revision, item.report.incident.severity) == (0, "medium")


def test_a_full_disk_is_asked_again_until_it_takes_what_waits_and_what_goes(
    waits: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    items = waits.alerter.withholding.items
    waits.sees(event_id="n-0", lat=37.0, lon=127.0)
    items.sync()
    (gone,) = (item.event_id for item in items.open)
    with monkeypatch.context() as full:
        full.setattr(durable, "write", no_space)
        full.setattr(Path, "write_text", no_space)
        full.setattr(Path, "unlink", no_space)
        waits.decides("approve")
        waits.sees(event_id="n-1")
        for _ in range(3):
            items.sync()
    items.sync()
    before = waits.pending
    waits.start()
    waits.operators(1)

    assert before
    assert waits.pending == before
    assert [path.name for path in waits.folder.glob("waiting/*.json")] == [
        f"{before[0].event_id}.json"
    ]
    assert gone in waits.ids()


@pytest.mark.parametrize("synced", [True, False], ids=["just after", "just before"])
@pytest.mark.parametrize("kept", [True, False], ids=["kept", "a draft"])
def test_what_is_approved_is_neither_lost_nor_twice_when_killed_as_its_file_goes(
    waits: Site, synced: bool, kept: bool
) -> None:
    waits.sees(event_id="n-1")
    event_id = waits.pending[0].event_id
    if kept:
        waits.alerter.withholding.items.sync()
    waits.decides("approve")
    if synced:
        waits.alerter.withholding.items.sync()
    waits.start()
    waits.operators(1)

    assert (waits.ids(), waits.pending) == ([event_id], [])
    waits.alerter.withholding.items.sync()
    assert not list(waits.folder.glob("waiting/*"))


def test_on_the_thread_that_hears_and_in_turn_with_the_lines_nothing_waits_for_the_disk(
    waits: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(durable, "flush", flushed.append)
    waits.sees(event_id="n-1")
    waits.decides("reject")
    assert flushed == []
    waits.alerter.withholding.items.sync()

    assert flushed
