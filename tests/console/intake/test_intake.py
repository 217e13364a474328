"""From topics to rows: each word once, in whatever order it comes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from console.intake import gathered
from console.intake.intake import Intake
from console.store.store import Store
from console.store.tables import (
    AlertState,
    Base,
    Clip,
    EvidencePicture,
    OperatorDecision,
    Pending,
    Reached,
    SegmentAnalysis,
    TrackBlock,
)
from sqlalchemy import select

from hazardcast.contract import topics
from hazardcast.contract.messages import Alert, Decided, Detections, JournalEntry, ReplayRequest
from hazardcast.testing import ManualClock, MemoryBroker, MemoryBus, SignedStation

NORTH = "junction-north"
NOW = 1_800_000_000.0


class Site:
    """A store that listens to a broker in memory."""

    def __init__(self, url: str, clock: ManualClock, broker: MemoryBroker, opened: Callable[..., Store]) -> None:  # fmt: skip
        self.url, self.clock, self.broker, self._opened = url, clock, broker, opened
        self.station = SignedStation(clock=clock)
        self.bus = broker.bus(clock)
        self.start()

    def start(self) -> None:
        self.store = self._opened(self.url)
        self.bus = MemoryBus(self.broker, self.clock)
        self.broker._buses.append(self.bus)
        self.intake = Intake(self.store, self.bus, self.clock, cameras=frozenset({NORTH}))
        self.intake.subscribe()
        self.bus.start()
        self.settle()

    def restart(self) -> None:
        self.bus.close()
        self.store.close()
        self.start()

    def settle(self) -> None:
        self.store.ask("test", lambda _rows: None)

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.intake.tick()
        self.settle()

    def say(self, topic: topics.Topic[Any], message: Any, **parameters: str) -> None:
        text = message if isinstance(message, str) else message.encode() if hasattr(message, "encode") else json.dumps(message)  # fmt: skip
        self.broker.send(topic.path(**parameters), text.encode(), retain=topic.retain)

    def active(self, alert: Alert) -> None:
        self.say(topics.ACTIVE, alert, event_id=alert.event_id)

    def cleared(self, event_id: str) -> None:
        self.say(topics.ACTIVE, "", event_id=event_id)

    def journal(self, sequence: int, alert: Alert | None = None, **fields: Any) -> None:
        entry = JournalEntry.parse(
            {"station": 4097, "epoch": 3, "sequence": sequence, "kind": "alert", "ts": NOW}
            | ({"alert": alert.model_dump()} if alert else {})
            | fields
        )
        self.say(topics.JOURNAL, entry, station="4097")

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        self.settle()
        return [one for one in self.store.events(0, 1000) if kind in (None, one["kind"])]

    def rows(self, table: type[Base]) -> list[dict[str, Any]]:
        self.settle()
        with self.store.reading() as connection:
            return [dict(row) for row in connection.execute(select(table.__table__)).mappings()]

    def alert(self) -> dict[str, Any]:
        (row,) = self.rows(AlertState)
        return row

    def asked(self) -> list[ReplayRequest]:
        return self.broker.messages(topics.REPLAY_REQUESTS)


@pytest.fixture
def site(
    sqlite_url: str, clock: ManualClock, broker: MemoryBroker, opened: Callable[..., Store]
) -> Site:
    return Site(sqlite_url, clock, broker, opened)


@pytest.fixture
def any_site(database_url: str, clock: ManualClock, broker: MemoryBroker, opened: Callable[..., Store]) -> Site:  # fmt: skip
    return Site(database_url, clock, broker, opened)


def versions(station: SignedStation, *statuses: str, number: int = 1) -> list[Alert]:
    first = station.alert(number, camera=NORTH)
    at = first.reference_time
    return [
        first.model_copy(update={"status": status, "revision": n, "reference_time": at + n})
        for n, status in enumerate(statuses)
    ]


def test_how_sure_it_was_is_what_was_reported_and_not_what_a_person_said_of_it(site: Site) -> None:
    new, update, negated = versions(site.station, "new", "update", "negate")
    for alert in (new, update, negated):
        site.active(alert)
    site.journal(3, negated, confidence=1.0, reporter="operator:kim")
    site.journal(2, update, confidence=0.7, reporter="camera:north")
    site.journal(1, new, confidence=0.8, reporter="camera:north")

    assert (site.alert()["disposition"], site.alert()["confidence"]) == ("false_alarm", 0.8)


def test_versions_are_each_there_once_in_whatever_order_and_however_often_they_come(any_site: Site) -> None:  # fmt: skip
    new, update, cancel = versions(any_site.station, "new", "update", "cancel")
    for alert in (update, new, new, cancel, update, new):
        any_site.active(alert)
    any_site.journal(1, new, confidence=0.8)
    any_site.restart()

    said = any_site.events("alert")
    assert sorted(one["revision"] for one in said) == [0, 1, 2]
    assert (any_site.alert()["state"], any_site.alert()["disposition"]) == ("ended", "cleared")
    assert next(one for one in said if one["revision"] == 0)["confidence"] == 0.8


def test_an_alert_is_danger_and_a_rehearsal_is_not(site: Site) -> None:
    site.active(site.station.alert(1))
    site.active(site.station.alert(2, test=True))

    assert [(one["category"], one["level"]) for one in site.events("alert")] == [("safety", "danger"), ("safety", "info")]  # fmt: skip


def test_an_alert_that_is_no_longer_retained_has_ended_unseen_and_opens_when_said_again(site: Site) -> None:  # fmt: skip
    (new,) = versions(site.station, "new")
    site.active(new)
    site.broker.retained.clear()
    site.restart()
    site.wait(6)
    assert (site.alert()["state"], site.alert()["disposition"]) == ("ended", "ended_unseen")

    site.active(new)

    assert (site.alert()["state"], site.alert()["disposition"]) == ("open", "unconfirmed")
    assert len(site.events("alert")) == 1


def test_an_alert_that_was_confirmed_is_so_too_when_it_opens_again(site: Site) -> None:
    (new,) = versions(site.station, "new")
    site.active(new)
    word = decided(by="kim", action="confirm", effect="broadcast", ts=NOW + 1)
    site.say(topics.DECIDED, word, event_id="4097-1")
    site.bus.start()
    site.wait(6)
    assert (site.alert()["state"], site.alert()["disposition"]) == ("ended", "ended_unseen")
    site.say(topics.DECIDED, word, event_id="4097-1")
    assert site.alert()["disposition"] == "ended_unseen", "that it was confirmed keeps nothing open"

    site.active(new)

    row = site.alert()
    assert (row["state"], row["disposition"], row["decided_by"]) == ("open", "confirmed", "kim")


def test_nothing_is_taken_for_ended_while_what_is_retained_still_comes(site: Site) -> None:
    (new,) = versions(site.station, "new")
    site.active(new)
    site.bus.start()
    for _ in range(3):
        site.wait(4)
        site.bus.receive(
            topics.STATUS.path(service="recorder", instance="a"), json.dumps(status()).encode(), retained=True
        )  # fmt: skip
        assert site.alert()["state"] == "open"
    site.wait(4)
    site.bus.receive(topics.ACTIVE.path(event_id="4097-1"), new.encode().encode(), retained=True)
    site.wait(6)

    assert site.alert()["state"] == "open"


def test_an_alert_that_is_heard_while_the_others_are_ended_is_none_of_them(site: Site) -> None:
    site.bus.start()
    site.clock.advance(6)
    put = site.store.put
    (new,) = versions(site.station, "new")

    def put_later(kind: str, write: Any, *, matters: bool = False) -> bool:
        site.store.put = put  # type: ignore[method-assign]
        site.active(new)
        return put(kind, write, matters=matters)

    site.store.put = put_later  # type: ignore[method-assign]
    site.intake.tick()

    assert site.alert()["state"] == "open"


def test_an_alert_that_is_still_retained_stays_open_through_a_restart(site: Site) -> None:
    site.active(versions(site.station, "new")[0])
    site.restart()
    site.wait(6)

    assert site.alert()["state"] == "open"


def test_while_the_broker_is_away_nothing_is_taken_for_ended(site: Site) -> None:
    site.active(versions(site.station, "new")[0])
    site.broker.retained.clear()
    site.restart()
    site.bus.connected = False
    site.wait(6)

    assert site.alert()["state"] == "open"


@pytest.mark.parametrize(
    ("last", "after_s", "disposition"),
    [("cancel", 1, "cleared"), ("negate", 1, "false_alarm"), ("update", 901, "expired"), ("update", 1, "ended_unseen")],
)  # fmt: skip
def test_an_alert_ends_as_it_was_said(site: Site, last: str, after_s: float, disposition: str) -> None:  # fmt: skip
    for alert in versions(site.station, "new", last):
        site.active(alert)
    site.clock.advance(after_s)
    site.cleared("4097-1")

    assert (site.alert()["state"], site.alert()["disposition"]) == ("ended", disposition)


def test_an_alert_of_a_silent_station_is_over_some_time_after_its_validity(site: Site) -> None:
    site.active(site.station.alert(1, validity_duration_s=60))
    site.wait(80)
    assert site.alert()["state"] == "open"
    site.wait(20)
    assert site.alert()["disposition"] == "expired"


def test_rubbish_on_any_topic_is_counted_and_stops_nothing(site: Site) -> None:
    for topic in topics.ALL:
        path = topic.path(event_id="x", camera=NORTH, vehicle="v", service="recorder", instance="i", station="1")  # fmt: skip
        for payload in (b"{", b"[]", b"null", b'{"event_id": 1e999}', b"\xff\x00", b"[" * 60_000, b"x" * 70_000):  # fmt: skip
            site.broker.send(path, payload, retain=True)
    site.active(site.station.alert(1).model_copy(update={"event_id": "other"}))
    site.broker.send("v2x/active/4097-9", site.station.alert(1).encode().encode(), retain=True)

    assert [one["event_id"] for one in site.events()] == ["other"]
    assert site.store.problem is None


def test_two_reports_without_a_time_are_two_but_not_when_the_broker_says_it_delivers_again(site: Site) -> None:  # fmt: skip
    report = b'{"type":"collision"}'
    site.broker.send("v2x/alert", report)
    site.clock.advance(1)
    site.bus.receive("v2x/alert", report, retained=False, again=True)
    site.clock.advance(60)
    site.broker.send("v2x/alert", report)

    assert [one["ts"] for one in site.events("incident")] == [NOW, NOW + 61]


def test_a_report_with_a_time_of_its_own_is_one_however_often_it_comes(site: Site) -> None:
    for _ in range(3):
        site.broker.send(
            "v2x/alert", b'{"type":"fire","ts":1799999999.5,"camera":"junction-north"}'
        )
        site.clock.advance(2000)

    (event,) = site.events("incident")
    assert (event["ts"], event["camera"], event["level"]) == (1_799_999_999.5, NORTH, "warning")


def clip_state(state: str, at: float, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": "4097-1", "camera": NORTH, "state": state, "updated_at": at, "coverage": 0.5,
        "requested": {"start": NOW - 300, "end": NOW + 300}, **fields,
    }  # fmt: skip


def test_a_clip_is_an_event_at_each_stage_and_a_row_that_goes_on(site: Site) -> None:
    other = {"camera": "south", "state": "ready", "requested": {"start": NOW - 300, "end": NOW + 300}, "coverage": 1.0}  # fmt: skip
    for at, state in enumerate(("recording", "recording", "building")):
        site.say(topics.CLIPS, clip_state(state, NOW + at, others=[other]), event_id="4097-1")
    site.say(topics.CLIPS, clip_state("ready", NOW + 9, path="/data/clips/a.mp4"), event_id="4097-1")  # fmt: skip
    site.say(topics.CLIPS, clip_state("recording", NOW + 1), event_id="4097-1")
    site.restart()

    stages = [(one["camera"], one["status"]) for one in site.events("clip")]
    assert stages == [("south", "ready"), (NORTH, "recording"), (NORTH, "building"), (NORTH, "ready")]  # fmt: skip
    assert {(row["camera"], row["state"], row["file"]) for row in site.rows(Clip)} == {
        ("south", "ready", None),
        (NORTH, "ready", "a.mp4"),
    }

    site.say(topics.CLIPS, "", event_id="4097-1")
    assert {row["state"] for row in site.rows(Clip)} == {"removed"}


def evidence(picture: bytes) -> dict[str, Any]:
    return {
        "event_id": "d-1", "camera": NORTH, "ts": NOW, "type": "collision", "status": "new", "confidence": 0.9,
        "reasons": {"onset": NOW}, "box": [0, 0, 1, 1], "width": 640, "height": 360,
        "picture": base64.b64encode(picture).decode(),
    }  # fmt: skip


@pytest.mark.parametrize("picture", [b"<svg onload=alert(1)>", b"GIF89a", b"", b"\x89PNG"])
def test_evidence_that_is_no_jpeg_is_not_kept(site: Site, picture: bytes) -> None:
    site.say(topics.EVIDENCE, evidence(picture), event_id="d-1")

    assert site.rows(EvidencePicture) == []


def test_evidence_is_kept_after_it_is_cleared(any_site: Site) -> None:
    any_site.say(topics.EVIDENCE, evidence(b"\xff\xd8\xff\xe0" + bytes(20_000)), event_id="d-1")
    any_site.say(topics.EVIDENCE, "", event_id="d-1")

    (row,) = any_site.rows(EvidencePicture)
    assert len(row["picture"]) == 20_004


def status(state: str = "live", **fields: Any) -> dict[str, Any]:
    return {
        "service": "recorder", "instance": "a", "state": "online", "version": "1", "ts": NOW,
        "cameras": [{"camera": NORTH, "state": state, "detail": "x"}], **fields,
    }  # fmt: skip


def test_only_a_change_of_a_camera_or_service_is_an_event_also_after_a_restart(site: Site) -> None:
    for at, state in enumerate(("live", "live", "stalled", "live")):
        site.say(topics.STATUS, status(state, ts=NOW + at), service="recorder", instance="a")
    site.restart()
    site.clock.advance(100)
    site.say(topics.STATUS, status(ts=NOW) | {"state": "offline"}, service="recorder", instance="a")  # fmt: skip

    assert [one["status"] for one in site.events("camera")] == ["live", "stalled", "live"]
    services = site.events("service")
    assert [one["status"] for one in services] == ["online", "offline"]
    assert services[1]["ts"] == NOW + 100


def test_what_the_journal_tells_fills_what_was_not_heard(any_site: Site) -> None:
    new, update, cancel = versions(any_site.station, "new", "update", "cancel")
    any_site.journal(1, new)
    any_site.journal(4, cancel)
    any_site.wait(0.5)
    (asked,) = any_site.asked()
    assert (asked.station, asked.epoch, asked.from_, asked.to) == (4097, 3, 2, 3)

    any_site.journal(2, update)
    any_site.journal(3, kind="hole", to=3, cause="disk")
    any_site.wait(20)

    assert len(any_site.asked()) == 1
    assert sorted(one["revision"] for one in any_site.events("alert")) == [0, 1, 2]
    assert any_site.alert()["disposition"] == "cleared"


def test_after_a_restart_only_what_is_new_in_the_journal_is_asked_for(site: Site) -> None:
    for number in range(1, 6):
        site.journal(number, site.station.alert(number))
    site.restart()
    detail = {"station": 4097, "journal": {"epoch": 3, "sequence": 9}}
    site.say(topics.STATUS, status(service="alerter", cameras=[], detail=detail), service="alerter", instance="a")  # fmt: skip
    site.wait(0.5)
    assert [(one.from_, one.to) for one in site.asked()] == [(6, 9)]

    site.wait(11)
    assert len(site.asked()) == 2, "nobody answered: it is asked again"
    for _ in range(10):
        site.wait(11)
    assert len(site.asked()) == 6, "but not for ever"


def test_what_restarts_of_the_alerter_left_unheard_is_asked_for(site: Site) -> None:
    site.journal(1, site.station.alert(1))
    detail = {"station": 4097, "journal": {"epoch": 5, "sequence": 2}}
    site.say(topics.STATUS, status(service="alerter", cameras=[], detail=detail), service="alerter", instance="a")  # fmt: skip
    site.wait(0.5)

    assert [(one.epoch, one.from_) for one in site.asked()] == [(5, 1), (4, 1), (3, 2)]


def pending(**fields: Any) -> dict[str, Any]:
    return {
        "event_id": "4097-1", "revision": 0, "mode": "confirm", "why": "unsure", "confidence": 0.6,
        "incident": {"type": "collision", "camera": NORTH, "lat": 37.0, "lon": 127.0}, "since": NOW,
        "decide_by": NOW + 60, "on_timeout": "drop", "updated_at": NOW, **fields,
    }  # fmt: skip


def decided(**fields: Any) -> Decided:
    return Decided.parse(
        {"event_id": "4097-1", "result": "done", "action": "reject", "revision": 0, "ts": NOW + 5} | fields
    )  # fmt: skip


def test_what_waits_is_there_until_it_is_decided_and_counts_as_an_alarm(any_site: Site) -> None:
    any_site.say(topics.PENDING, pending(), event_id="4097-1")
    assert len(any_site.rows(Pending)) == 1
    assert any_site.alert()["state"] == "pending"

    any_site.say(topics.DECIDED, decided(by="kim", effect="dropped", reason="shadow"), event_id="4097-1")  # fmt: skip
    any_site.say(topics.PENDING, "", event_id="4097-1")

    assert any_site.rows(Pending) == []
    row = any_site.alert()
    assert (row["state"], row["decided_by"], row["reason"], row["confidence"]) == ("dropped", "kim", "shadow", 0.6)  # fmt: skip


def test_what_was_settled_while_nobody_listened_waits_no_more(site: Site) -> None:
    for number in (1, 2):
        site.say(topics.PENDING, pending(event_id=f"4097-{number}"), event_id=f"4097-{number}")
    del site.broker.retained["v2x/pending/4097-1"]
    site.restart()
    site.wait(6)

    assert [row["event_id"] for row in site.rows(Pending)] == ["4097-2"]


def test_what_was_decided_waits_no_more_though_its_clearing_was_lost(site: Site) -> None:
    site.say(topics.PENDING, pending(), event_id="4097-1")
    site.say(topics.DECIDED, decided(by="lee", result="refused", refused="stale"), event_id="4097-1")  # fmt: skip
    assert len(site.rows(Pending)) == 1
    site.journal(1, kind="decided", decided=decided(by="kim", effect="dropped").model_dump())

    assert site.rows(Pending) == []


def test_an_old_decision_that_is_said_again_does_not_replace_a_newer_one(any_site: Site) -> None:
    any_site.active(versions(any_site.station, "new")[0])
    old = decided(by="kim", action="confirm", effect="broadcast", decision_id="c-1", reason="queue", ts=NOW + 5)  # fmt: skip
    new = decided(by="lee", action="negate", effect="ended", decision_id="c-2", reason="shadow", ts=NOW + 9)  # fmt: skip
    for word in (old, new, old):
        any_site.say(topics.DECIDED, word, event_id="4097-1")
    any_site.journal(1, kind="decided", decided=old.model_dump())

    row = any_site.alert()
    assert (row["disposition"], row["decided_by"], row["reason"]) == ("false_alarm", "lee", "shadow")  # fmt: skip


def test_a_confirmation_that_is_said_again_opens_nothing_that_is_over(site: Site) -> None:
    new, cancel = versions(site.station, "new", "cancel")
    word = decided(by="kim", action="confirm", effect="broadcast", decision_id="c-1", ts=NOW + 0.5)
    site.active(new)
    site.say(topics.DECIDED, word, event_id="4097-1")
    site.active(cancel)
    site.say(topics.DECIDED, word, event_id="4097-1")

    assert (site.alert()["state"], site.alert()["disposition"]) == ("ended", "cleared")


def test_an_old_verdict_that_is_said_again_does_not_replace_a_newer_one(any_site: Site) -> None:
    any_site.active(versions(any_site.station, "new")[0])
    for verdict, at in (("false", 1), ("true", 2), ("false", 1)):
        word = {"event_id": "4097-1", "verdict": verdict, "by": "kim", "ts": NOW + at}
        any_site.say(topics.VERDICTS, word, event_id="4097-1")

    assert any_site.alert()["verdict"] == "true"


def test_what_was_approved_becomes_the_alert_and_keeps_its_confidence(site: Site) -> None:
    site.say(topics.PENDING, pending(revision=4), event_id="4097-1")
    site.say(topics.DECIDED, decided(by="kim", action="approve", effect="broadcast"), event_id="4097-1")  # fmt: skip
    site.active(versions(site.station, "new")[0])

    row = site.alert()
    assert (row["state"], row["revision"], row["confidence"], row["decided_by"]) == ("open", 0, 0.6, "kim")  # fmt: skip


def test_a_decision_is_in_the_log_once_though_it_is_said_and_in_the_journal_too(site: Site) -> None:
    site.active(versions(site.station, "new")[0])
    word = decided(by="kim", action="confirm", effect="broadcast", decision_id="c-1", revision=1)
    for _ in range(2):
        site.say(topics.DECIDED, word, event_id="4097-1")
    site.journal(1, kind="decided", decided=word.model_dump())

    assert len(site.rows(OperatorDecision)) == 1
    assert [one["status"] for one in site.events("decision")] == ["confirm"]
    assert site.alert()["disposition"] == "confirmed"


def test_a_refused_decision_changes_nothing_but_is_in_the_log(site: Site) -> None:
    site.active(versions(site.station, "new")[0])
    site.say(topics.DECIDED, decided(by="lee", action="negate", result="refused", refused="stale", first_by="kim"), event_id="4097-1")  # fmt: skip

    assert site.alert()["disposition"] == "unconfirmed"
    (row,) = site.rows(OperatorDecision)
    assert (row["by"], row["outcome"], json.loads(row["body"])["first_by"]) == ("lee", "refused", "kim")  # fmt: skip


def test_a_verdict_stays_with_the_alert(site: Site) -> None:
    site.active(versions(site.station, "new")[0])
    site.say(topics.VERDICTS, {"event_id": "4097-1", "verdict": False, "by": "kim", "ts": NOW}, event_id="4097-1")  # fmt: skip

    assert site.alert()["verdict"] == "false"


def test_each_vehicle_that_was_reached_counts_once(site: Site) -> None:
    receipt = {
        "event_id": "4097-1", "revision": 0, "status": "new", "result": "displayed", "station": 4097, "epoch": 1, "seq": 1,
        "copy": [0, 7], "path": "multicast", "tx": NOW, "confirmed_at": NOW, "received_at": NOW, "displayed_at": NOW,
        "published_at": NOW, "residence_s": 0.1, "display_s": 0.1,
    }  # fmt: skip
    for vehicle in ("car-1", "car-2", "car-1"):
        site.say(topics.RECEIPTS, {**receipt, "vehicle": vehicle}, vehicle=vehicle)

    assert [row["vehicle"] for row in site.rows(Reached)] == ["car-1", "car-2"]


def test_an_observation_is_kept_as_one_whatever_it_calls_itself(site: Site) -> None:
    word = {"ts": NOW, "source": "analyst", "kind": "alert", "level": "danger", "category": "development", "camera": NORTH, "summary": "a new shop", "body": {"x": 1}}  # fmt: skip
    for _ in range(2):
        site.say(topics.OBSERVATIONS, word, camera=NORTH)
    site.say(topics.OBSERVATIONS, {**word, "camera": "other"}, camera=NORTH)

    (event,) = site.events()
    assert (event["kind"], event["category"], event["summary"]) == ("observation", "development", "a new shop")  # fmt: skip


def detections(ts: float, *tracks: int, speed: float | None = 10.0) -> Detections:
    objects = [{"track_id": one, "label": "car", "score": 0.5, "box": [1, 2, 3, 4], "speed_mps": speed} for one in tracks]  # fmt: skip
    return Detections.parse(
        {"camera": NORTH, "ts": ts, "frame_id": 1, "width": 640, "height": 360, "objects": objects, "model": "m", "inference_ms": 1.0}
    )  # fmt: skip


def test_ten_minutes_of_traffic_are_counted_and_go_on_over_a_restart(any_site: Site) -> None:
    for at in range(120):
        any_site.say(topics.DETECTIONS, detections(NOW + at, at // 10, 1000), camera=NORTH)
    any_site.active(any_site.station.alert(1, camera=NORTH, severity="high"))
    any_site.settle()
    any_site.wait(61)
    any_site.restart()
    for at in range(130, 140):
        any_site.say(topics.DETECTIONS, detections(NOW + at, 5), camera=NORTH)
    any_site.wait(600)
    any_site.wait(60)

    (row,) = any_site.rows(SegmentAnalysis)
    result = json.loads(row["analysis_result"])
    assert (row["start"], row["end"], row["provider"]) == (NOW, NOW + 600, "detections")
    assert result["classes"] == {"car": {"tracks": 14, "most_at_once": 2, "seen_s": 130}}
    assert result["coverage_s"] == 130
    assert result["speed_p85_mps"] == 10.25
    assert (row["incident_count"], row["safety_score"]) == (1, 60.0)


def test_a_window_that_begins_again_is_added_to_what_was_counted_of_it(site: Site) -> None:
    for at in (*range(120), 600, *range(150, 160)):
        site.say(topics.DETECTIONS, detections(NOW + at, at // 10), camera=NORTH)
    site.wait(61)
    site.wait(1300)

    first, _second = site.rows(SegmentAnalysis)
    assert json.loads(first["analysis_result"])["coverage_s"] == 130
    assert json.loads(first["analysis_result"])["frames"] == 130


def test_tracks_are_kept_by_ten_seconds_and_a_restart_loses_none_that_were_kept(any_site: Site) -> None:  # fmt: skip
    for at in (0.0, 0.125, 9.9, 10.0):
        any_site.say(topics.DETECTIONS, detections(NOW + at, 1), camera=NORTH)
    any_site.wait(31)
    any_site.say(topics.DETECTIONS, detections(NOW + 5, 2), camera=NORTH)
    any_site.wait(31)

    blocks = {row["start"]: gathered.unpacked(row["frames"]) for row in any_site.rows(TrackBlock)}
    assert {
        start: [round(frame[0] - NOW, 3) for frame in frames] for start, frames in blocks.items()
    } == {
        NOW: [0.0, 0.125, 5.0, 9.9],
        NOW + 10: [10.0],
    }


def test_detections_of_what_is_no_camera_here_are_not_kept(site: Site) -> None:
    site.say(topics.DETECTIONS, detections(NOW, 1).model_copy(update={"camera": "x"}), camera="x")
    site.wait(700)

    assert site.rows(TrackBlock) == []
