"""What the store answers over HTTP."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from console.api import events, routes
from console.api.clip_files import UNCHECKED, ClipFiles, Judgement
from console.doors.accounts import Book
from console.doors.guard import FreeView, Guard
from console.doors.sessions import Sessions
from console.doors.viewer import Role, Viewer
from console.http.app import application
from console.intake import alerts, video
from console.intake.gathered import segment, tracks
from console.intake.traffic import Block, Window
from console.store.decisions import Decision
from console.store.events import NewEvent
from console.store.store import Store
from fastapi import FastAPI
from fastapi.testclient import TestClient

from hazardcast.contract.messages import ClipState, Detections, Evidence, Pending, Receipt, Verdict
from hazardcast.service.metrics import Health
from hazardcast.signing import clip_seal, trust
from hazardcast.testing import ManualClock, SignedStation

NOW = 1_800_000_000.0
NORTH, SOUTH = "north", "south"
CAMERAS = frozenset({NORTH, SOUTH})


class Console:
    """The application over a store, asked by whom a test says."""

    def __init__(self, store: Store, folder: Path, clock: ManualClock) -> None:
        self.store, self.folder, self.clock = store, folder, clock
        (folder / "clips").mkdir()
        sessions = Sessions(clock, [], lambda _: None)
        self.guard = Guard(
            FreeView(published_locally=True, allowed=True), lambda: Book({}, {}), sessions, clock
        )
        self.files = ClipFiles(folder / "clips", folder / "keys" / "truststore.json")
        rooms = routes.routers(store, self.files, clock, cameras=CAMERAS)
        self.app: FastAPI = application(self.guard, Health(), rooms)
        self.client = TestClient(self.app, base_url="http://localhost:8088")

    def asked_by(self, viewer: Viewer) -> None:
        object.__setattr__(self.guard, "viewer_of", lambda _connection: viewer)

    def get(self, path: str, **more: Any) -> Any:
        answer = self.client.get(path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, path: str) -> tuple[int, Any]:
        answer = self.client.get(path)
        return answer.status_code, answer.json()

    def write(self, write: Callable[..., Any]) -> Any:
        return self.store.ask("test", write)

    def add(self, number: int, **changes: Any) -> None:
        fields: dict[str, Any] = {
            "dedup": f"x|{number}", "ts": NOW + number, "kind": "alert", "summary": f"word {number}", "source": "alerter",
            "body": {}, "camera": NORTH, "event_id": f"4097-{number}", "type": "collision", "level": "danger",
        }  # fmt: skip
        self.write(lambda rows: rows.add(NewEvent(**(fields | changes))))

    def alert(self, number: int, **changes: Any) -> None:
        station = SignedStation(clock=self.clock)
        alert = station.alert(number, **({"camera": NORTH} | changes))
        self.write(lambda rows: alerts.heard(rows, alert, confidence=0.9, present=True))


@pytest.fixture
def console(
    sqlite_url: str, tmp_path: Path, clock: ManualClock, opened: Callable[..., Store]
) -> Console:
    return Console(opened(sqlite_url), tmp_path, clock)


@pytest.fixture
def any_console(store: Store, tmp_path: Path, clock: ManualClock) -> Console:
    return Console(store, tmp_path, clock)


def walked(console: Console, path: str, name: str, **query: Any) -> list[Any]:
    found: list[Any] = []
    cursor = None
    while True:
        page = console.get(path, params={**query, **({"cursor": cursor} if cursor else {})})
        found += page[name]
        cursor = page["next"]
        if cursor is None:
            return found


def test_events_come_newest_first_page_by_page_each_once(any_console: Console) -> None:
    for number in range(23):
        any_console.add(number)

    found = walked(any_console, "/api/v1/events", "events", limit=5)

    assert [one["event_id"] for one in found] == [f"4097-{n}" for n in reversed(range(23))]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("camera=north", [4, 3, 1, 0]), ("camera=north&kind=clip", [3]), ("kind=clip", [3, 2]),
        ("kind=clip&kind=alert", [4, 3, 2, 1, 0]), ("level=info", [4]), ("type=fire", [1]), ("status=ready", [3]),
        ("category=development", [4]), (f"from={NOW + 2}&to={NOW + 4}", [3, 2]), ("q=4097-2", [2]),
        ("q=ord%203", [3]), ("q=%25", []), ("kind=&q=", [4, 3, 2, 1, 0]), ("severity=high", [0]),
    ],
)  # fmt: skip
def test_events_are_found_by(any_console: Console, query: str, numbers: list[int]) -> None:
    any_console.add(0, severity="high")
    any_console.add(1, type="fire")
    any_console.add(2, camera=SOUTH, kind="clip")
    any_console.add(3, kind="clip", status="ready")
    any_console.add(4, level="info", category="development")

    found = any_console.get(f"/api/v1/events?{query}")["events"]

    assert [int(one["ts"] - NOW) for one in found] == numbers


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("camara=north", "camara"), ("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"),
        ("cursor=nonsense", "cursor"), ("from=NaN", "from"), ("from=-1", "from"), ("to=1e300", "to"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_name(console: Console, query: str, field: str) -> None:
    status, problem = console.refused(f"/api/v1/events?{query}")

    assert status == 400
    assert field in problem["field"]


def test_an_answer_that_is_the_same_is_not_sent_again(console: Console) -> None:
    console.add(1)
    first = console.client.get("/api/v1/events")
    again = console.client.get("/api/v1/events", headers={"if-none-match": first.headers["etag"]})
    console.add(2)
    changed = console.client.get("/api/v1/events", headers={"if-none-match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200


def test_a_viewer_of_one_camera_sees_nothing_of_another_anywhere(console: Console) -> None:
    console.asked_by(Viewer("victor", Role.VIEWER, frozenset({SOUTH})))
    console.alert(1)
    console.write(lambda rows: video.clip(rows, clip_state(NORTH)))
    console.write(lambda rows: video.evidence(rows, evidence()))
    console.store.decide(Decision(id="1", ts=NOW, by="kim", action="confirm", camera=NORTH))

    for path, name in (("events", "events"), ("alerts", "alerts"), ("clips", "clips"), ("pending", "pending"), ("journal", "entries"), ("report", "rows")):  # fmt: skip
        assert console.get(f"/api/v1/{path}")[name] == [], path
    assert console.client.get("/api/v1/events.ndjson").text == ""
    for path in (
        "/api/v1/alerts/4097-1", "/api/v1/clips/1", "/api/v1/clips/1/video.mp4", "/api/v1/clips/1/manifest.json",
        "/api/v1/evidence/d-1.jpg", "/api/v1/evidence/4097-1.jpg", "/api/v1/stats/north", "/api/v1/tracks/north?from=0&to=9",
        "/api/v1/segment-analyses/north", "/api/live-monitoring/events/north", "/api/live-monitoring/events/north/latest",
        "/api/live-monitoring/stats/north", "/api/live-monitoring/segment-analyses/north",
    ):  # fmt: skip
        hidden = console.client.get(path)
        other = "nowhere" if "north" in path else "999"
        unknown = console.client.get(path.replace("north", other).replace("4097-1", other).replace("d-1", other).replace("clips/1", f"clips/{other}"))  # fmt: skip
        assert (hidden.status_code, hidden.content) == (404, unknown.content), path


def test_a_wall_takes_nothing_away(console: Console) -> None:
    console.asked_by(Viewer("wall", Role.KIOSK, None))
    for path in ("events.csv", "events.ndjson", "clips/1/video.mp4", "clips/1/manifest.json"):
        assert console.refused(f"/api/v1/{path}")[0] == 403


def test_a_table_holds_all_that_is_asked_for_and_no_formula(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr("console.api.events.EXPORT_PAGE", 3)
    for number in range(7):
        console.add(number, summary='=HYPERLINK("http://x")' if number == 3 else f"가, {number}")

    answer = console.client.get("/api/v1/events.csv?camera=north")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))

    assert [row["event_id"] for row in rows] == [f"4097-{n}" for n in reversed(range(7))]
    assert rows[3]["summary"] == '\'=HYPERLINK("http://x")'
    assert rows[0]["at_iso"] == "2027-01-15T08:00:06.000Z"
    lines = console.client.get("/api/v1/events.ndjson").text.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [7, 6, 5, 4, 3, 2, 1]


def test_an_alert_tells_whom_it_reached_and_what_there_is_to_see(any_console: Console) -> None:
    any_console.alert(1)
    any_console.write(lambda rows: video.clip(rows, clip_state(NORTH)))
    any_console.write(lambda rows: video.evidence(rows, evidence()))
    for vehicle in ("a", "b"):
        any_console.write(lambda rows, vehicle=vehicle: alerts.reached(rows, receipt(vehicle)))

    (listed,) = any_console.get("/api/v1/alerts?state=open")["alerts"]
    one = any_console.get("/api/v1/alerts/4097-1")

    assert (listed["vehicles_reached"], listed["evidence"], listed["confidence"]) == (2, True, 0.9)
    assert (one["seen_by"], one["disposition"], one["awareness_distance_m"]) == ([NORTH], "unconfirmed", 5000)  # fmt: skip
    assert [(clip["camera"], clip["state"]) for clip in one["clips"]] == [(NORTH, "ready")]
    assert any_console.get("/api/v1/alerts?state=ended")["alerts"] == []


def test_alerts_come_page_by_page(console: Console) -> None:
    for number in range(7):
        console.alert(number)
        console.clock.advance(0.0 if number % 2 else 1.0)

    found = walked(console, "/api/v1/alerts", "alerts", limit=2)

    assert sorted(one["event_id"] for one in found) == [f"4097-{n}" for n in range(7)]
    assert [one["detected_at"] for one in found] == sorted((one["detected_at"] for one in found), reverse=True)  # fmt: skip


def test_what_waits_is_told_as_it_was_said(console: Console) -> None:
    word = Pending.parse({"event_id": "4097-1", "revision": 0, "mode": "shadow", "why": "x", "incident": {"type": "fire", "camera": NORTH}, "since": NOW, "decide_by": NOW, "on_timeout": "drop", "updated_at": NOW})  # fmt: skip
    console.write(lambda rows: alerts.waits(rows, word))

    (one,) = console.get("/api/v1/pending")["pending"]
    assert (one["mode"], one["incident"]["type"]) == ("shadow", "fire")
    (listed,) = console.get("/api/v1/alerts?state=pending")["alerts"]
    assert (listed["lat"], listed["pending"]["mode"]) == (None, "shadow")


def test_how_true_the_alarms_were_by_day_and_confidence(any_console: Console) -> None:
    for number, verdict in enumerate(("true", "true", "false", None)):
        any_console.alert(number)
        if verdict:
            word = Verdict.parse({"event_id": f"4097-{number}", "verdict": verdict, "by": "kim", "ts": NOW})  # fmt: skip
            any_console.write(lambda rows, word=word: alerts.judged(rows, word))
    any_console.alert(9, test=True)
    any_console.clock.advance(1)

    told = any_console.get("/api/v1/report")

    assert told["rows"] == [{"day": "2027-01-15", "camera": NORTH, "alarms": 4, "true": 2, "false": 1, "unknown": 1}]  # fmt: skip
    by_confidence = {row["auto_confidence"]: row for row in told["precision"]}
    assert (by_confidence[0.9]["alarms"], by_confidence[0.9]["precision"]) == (4, 2 / 3)
    assert by_confidence[0.95]["precision"] is None


def test_the_journal_tells_who_and_why_and_shows_a_changed_entry(any_console: Console) -> None:
    for number in range(3):
        any_console.store.decide(Decision(id=str(number), ts=NOW + number, by="kim", action="negate", event_id="4097-1", reason="shadow", note="낮은 해"))  # fmt: skip
    told = any_console.get("/api/v1/journal?limit=2")
    assert [(one["by"], one["result"], one["note"]) for one in told["entries"]] == [("kim", "asked", "낮은 해")] * 2  # fmt: skip
    assert told["broken_at"] is None

    any_console.write(lambda rows: rows.connection.exec_driver_sql("UPDATE operator_decision SET note = 'x' WHERE ts < 1800000000.5"))  # fmt: skip
    told = any_console.get("/api/v1/journal")
    assert told["broken_at"] == told["entries"][-1]["seq"]


def test_an_entry_that_was_taken_out_is_noticed_by_who_sees_a_part_and_hidden_ones_are_no_fault(any_console: Console) -> None:  # fmt: skip
    for number, camera in enumerate((NORTH, SOUTH, NORTH, SOUTH, NORTH)):
        any_console.store.decide(Decision(id=str(number), ts=NOW + number, by="kim", action="negate", camera=camera))  # fmt: skip
    any_console.asked_by(Viewer("victor", Role.VIEWER, frozenset({SOUTH})))
    assert any_console.get("/api/v1/journal")["broken_at"] is None

    any_console.write(lambda rows: rows.connection.exec_driver_sql("DELETE FROM operator_decision WHERE ts = 1800000002.0"))  # fmt: skip
    told = any_console.get("/api/v1/journal")
    assert told["broken_at"] == told["entries"][0]["seq"]

    any_console.write(lambda rows: rows.connection.exec_driver_sql("DELETE FROM operator_decision WHERE ts = 1800000000.0"))  # fmt: skip
    told = any_console.get("/api/v1/journal")
    assert told["broken_at"] == told["entries"][-1]["seq"], "the beginning is gone"


def test_what_is_stored_while_a_stream_asks_is_told_at_once(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr("console.api.events.LOOK_ANYWAY_S", 3600.0)
    monkeypatch.setattr("console.api.events.guard_of", lambda _request: console.guard)
    console.asked_by(Viewer("victor", Role.VIEWER, None))
    stir, ask = events._Stir(console.store), console.store.events
    asked: list[int] = []

    def events_before_one_comes(*about: Any) -> list[dict[str, Any]]:
        found = ask(*about)
        if not asked:
            console.add(1)
        asked.append(1)
        return found

    monkeypatch.setattr(console.store, "events", events_before_one_comes)
    request: Any = None

    async def first() -> dict[str, Any]:
        return await anext(events._follow(request, console.store, stir, 0))

    assert asyncio.run(asyncio.wait_for(first(), 10))["event_id"] == "4097-1"


def clip_state(camera: str, **changes: Any) -> ClipState:
    fields = {
        "event_id": "4097-1", "camera": camera, "state": "ready", "updated_at": NOW, "coverage": 1.0,
        "requested": {"start": NOW - 300, "end": NOW + 300}, "delivered": {"start": NOW - 300, "end": NOW + 300},
        "path": "/somewhere/else/accident_1_north.mp4",
    }  # fmt: skip
    return ClipState.parse(fields | changes)


def evidence(picture: bytes = b"\xff\xd8\xff\xe0picture") -> Evidence:
    return Evidence.parse({
        "event_id": "d-1", "camera": NORTH, "ts": NOW + 3, "type": "collision", "status": "new", "confidence": 0.9,
        "reasons": {}, "box": [0, 0, 1, 1], "width": 640, "height": 360, "picture": base64.b64encode(picture).decode(),
    })  # fmt: skip


def receipt(vehicle: str) -> Receipt:
    return Receipt.parse({
        "event_id": "4097-1", "revision": 0, "status": "new", "result": "displayed", "station": 4097, "epoch": 1, "seq": 1,
        "copy": [0, 7], "path": "multicast", "tx": NOW, "confirmed_at": NOW, "received_at": NOW, "displayed_at": NOW,
        "published_at": NOW, "residence_s": 0.1, "display_s": 0.1, "vehicle": vehicle,
    })  # fmt: skip


@pytest.fixture
def signed_clip(console: Console) -> Path:
    """A clip's files as the clipper leaves them."""
    keys = console.folder / "keys"
    trust.ensure_keys(keys, station=4097)
    trust.ensure_clip_key(keys / trust.CLIP_KEY_FILE, station=4097, truststore=keys / trust.TRUSTSTORE_FILE)  # fmt: skip
    path = console.folder / "clips" / "accident_1_north.mp4"
    path.write_bytes(bytes(range(256)) * 40)
    record = {"name": path.name, "bytes": path.stat().st_size, "sha256": clip_seal._sha256(path.read_bytes())}  # fmt: skip
    manifest = json.dumps({"camera": NORTH, "video": record, "first_frame_at": NOW - 299.5, "sources": []}).encode()  # fmt: skip
    path.with_suffix(".json").write_bytes(manifest)
    signer = trust.load_signer(keys / trust.CLIP_KEY_FILE)
    path.with_suffix(".jws").write_text(clip_seal.seal_manifest("accident_1_north.json", manifest, signer, now=NOW))  # fmt: skip
    console.write(lambda rows: video.clip(rows, clip_state(NORTH)))
    return path


def test_a_clip_is_judged_before_it_plays_and_a_changed_byte_is_told(console: Console, signed_clip: Path) -> None:  # fmt: skip
    assert console.get("/api/v1/clips")["clips"][0]["signature"] == "unchecked"
    one = console.get("/api/v1/clips/1")
    assert (one["signature"], one["signed_by"] is not None, one["first_frame_at"]) == ("valid", True, NOW - 299.5)  # fmt: skip
    assert console.get("/api/v1/clips")["clips"][0]["signature"] == "valid"

    raw = bytearray(signed_clip.read_bytes())
    raw[77] ^= 1
    signed_clip.write_bytes(raw)

    one = console.get("/api/v1/clips/1")
    assert (one["signature"], one["signature_problems"]) == ("broken", ["accident_1_north.mp4: changed since it was signed"])  # fmt: skip
    assert console.get("/api/v1/clips/1/manifest.json")["camera"] == NORTH

    signed_clip.with_suffix(".jws").unlink()
    assert console.get("/api/v1/clips/1")["signature"] == "unsigned"


def test_a_clip_that_is_removed_while_it_is_told_spoils_no_list(console: Console, signed_clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    def known(path: Path) -> Judgement:
        path.unlink()
        return UNCHECKED

    monkeypatch.setattr(console.files, "known", known)

    (clip,) = console.get("/api/v1/clips")["clips"]
    assert clip["size_bytes"] is None


def test_of_many_who_ask_for_a_clip_one_reads_it(console: Console, signed_clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    reads, another = threading.Semaphore(0), threading.Event()
    read = console.files._judge

    def judge(path: Path) -> Judgement:
        reads.release()
        another.wait(0.3)
        return read(path)

    monkeypatch.setattr(console.files, "_judge", judge)
    told: list[Judgement] = []
    threads = [threading.Thread(target=lambda: told.append(console.files.judge(signed_clip))) for _ in range(4)]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [one.signature for one in told] == ["valid"] * 4
    assert reads.acquire(blocking=False)
    assert not reads.acquire(blocking=False), "it was read once"


@pytest.mark.parametrize(
    ("asked", "status", "length"),
    [
        (None, 200, 10_240), ("bytes=0-9", 206, 10), ("bytes=-10", 206, 10), ("bytes=10000-", 206, 240),
        ("bytes=10240-", 416, None), ("bytes=20-10", 416, None), ("bytes=99999-100000", 416, None),
    ],
)  # fmt: skip
def test_video_is_served_by_ranges(
    console: Console, signed_clip: Path, asked: str | None, status: int, length: int | None
) -> None:
    answer = console.client.get("/api/v1/clips/1/video.mp4", headers={"range": asked} if asked else {})  # fmt: skip

    assert answer.status_code in (status, 400 if status == 416 else status)
    if length is not None:
        assert len(answer.content) == length
        assert answer.headers["content-type"] == "video/mp4"


@pytest.mark.parametrize("name", ["../console.sqlite", "..", "/etc/passwd.mp4", "a/b.mp4", "x.mp4\0", "link.mp4", ".hidden.mp4", "console.sqlite"])  # fmt: skip
def test_only_a_clip_is_served_whatever_the_broker_says_its_path_is(console: Console, name: str) -> None:  # fmt: skip
    (console.folder / "secret.mp4").write_bytes(b"secret")
    (console.folder / "clips" / "link.mp4").symlink_to(console.folder / "secret.mp4")
    console.write(lambda rows: video.clip(rows, clip_state(NORTH, path=name)))

    assert console.refused("/api/v1/clips/1/video.mp4")[0] == 404
    assert console.refused("/api/v1/clips/1/manifest.json")[0] == 404
    assert console.get("/api/v1/clips/1")["size_bytes"] is None


def test_evidence_is_had_by_the_detectors_name_or_the_alerts(any_console: Console) -> None:
    any_console.alert(1)
    any_console.alert(2, camera=SOUTH)
    any_console.write(lambda rows: video.evidence(rows, evidence()))

    for name in ("d-1", "4097-1"):
        answer = any_console.client.get(f"/api/v1/evidence/{name}.jpg")
        assert (answer.status_code, answer.content) == (200, b"\xff\xd8\xff\xe0picture")
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert any_console.refused("/api/v1/evidence/4097-2.jpg")[0] == 404


def seen(ts: float, *tracks_seen: int) -> Detections:
    objects = [{"track_id": one, "label": "car", "score": 0.5, "box": [1, 2, 3, 4], "speed_mps": 10} for one in tracks_seen]  # fmt: skip
    return Detections.parse({"camera": NORTH, "ts": ts, "frame_id": 1, "width": 640, "height": 360, "objects": objects, "model": "m", "inference_ms": 1.0})  # fmt: skip


def counted(console: Console) -> None:
    window, block = Window(int(NOW)), Block(int(NOW))
    for second in range(120):
        window.add(seen(NOW + second, second // 40))
    for at in range(10):
        block.add(seen(NOW + at, at))
    result = window.result()
    console.write(lambda rows: segment(rows, (NORTH, int(NOW)), result, before=None, now=NOW))
    console.write(lambda rows: tracks(rows, NORTH, block))


def test_statistics_count_by_minutes_and_by_hours_alike(any_console: Console) -> None:
    counted(any_console)
    any_console.alert(1)

    minutes = any_console.get(f"/api/v1/stats/north?from={NOW}&to={NOW + 180}&bucket=60")["buckets"]
    hour = any_console.get(f"/api/live-monitoring/stats/north?from={NOW}&to={NOW + 3600}")

    assert [one["counts"] for one in minutes] == [{"car": 2}, {"car": 1}, {}]
    assert [one["coverage"] for one in minutes] == [1.0, 1.0, 0.0]
    (one,) = hour["buckets"]
    assert (one["counts"], one["incidents"], one["speed_p85_mps"]) == ({"car": 3}, 1, 10.25)
    assert hour["dispositions"] == {"unconfirmed": 1}
    assert hour["events"] == {"alert": 1}


@pytest.mark.parametrize("query", ["bucket=59", "bucket=61", "from=5&to=4", f"from=0&to={NOW}", "bucket=60&from=0&to=2000000"])  # fmt: skip
def test_statistics_of_no_sensible_time_are_refused(console: Console, query: str) -> None:
    assert console.refused(f"/api/v1/stats/north?{query}")[0] == 400


def test_a_window_is_one_row_whoever_has_looked(any_console: Console) -> None:
    counted(any_console)
    other = {"end": int(NOW) + 600, "safety_score": 55.0, "incident_count": 2, "analysis_result": '{"text":"x"}', "updated_at": NOW}  # fmt: skip
    from console.store.tables import SegmentAnalysis

    any_console.write(lambda rows: rows.put(SegmentAnalysis, {"camera": NORTH, "start": int(NOW), "provider": "analyst"}, other))  # fmt: skip
    for start in (600, 1200):
        any_console.write(lambda rows, start=start: rows.put(SegmentAnalysis, {"camera": NORTH, "start": int(NOW) + start, "provider": "detections"}, other))  # fmt: skip

    found = walked(any_console, "/api/v1/segment-analyses/north", "segment_analyses", limit=2)

    assert [one["start"] - NOW for one in found] == [1200, 600, 0]
    assert (found[2]["safety_score"], found[2]["incident_count"], found[2]["providers"]) == (55.0, 2, ["analyst", "detections"])  # fmt: skip
    assert found[2]["analysis_result"]["detections"]["coverage_s"] == 120


def test_tracks_are_told_as_they_were_detected(any_console: Console) -> None:
    counted(any_console)

    told = any_console.get(f"/api/v1/tracks/north?from={NOW + 2}&to={NOW + 4}")["detections"]

    assert [one["ts"] - NOW for one in told] == [2.0, 3.0]
    assert told[0]["objects"] == [{"track_id": 2, "label": "car", "score": 0.5, "box": [1.0, 2.0, 3.0, 4.0], "speed_mps": 10}]  # fmt: skip
    assert any_console.refused("/api/v1/tracks/north?from=0&to=901")[0] == 400
    assert any_console.refused("/api/v1/tracks/north?from=0")[0] == 400


def test_the_newest_event_of_a_camera_is_cheap_to_ask_for(console: Console) -> None:
    path = "/api/live-monitoring/events/north/latest"
    assert console.client.get(path).status_code == 204
    console.add(1)
    console.add(2, camera=SOUTH)
    first = console.client.get(path)
    assert first.json()["event_id"] == "4097-1"
    assert console.client.get(path, headers={"if-none-match": first.headers["etag"]}).status_code == 304  # fmt: skip
    assert [one["event_id"] for one in console.get("/api/live-monitoring/events/north")["events"]] == ["4097-1"]  # fmt: skip


def streamed(console: Console, **headers: str) -> tuple[int, list[str]]:
    """The first events of a stream that ends when the viewer's right does."""
    left = [Viewer("kim", Role.VIEWER, None)] * 3  # whose share it is, the door, the first look
    viewer_of = lambda _connection: left.pop() if left else None  # noqa: E731
    object.__setattr__(console.guard, "viewer_of", viewer_of)
    answer = console.client.get("/api/v1/events/stream", headers=headers)
    return answer.status_code, [line for line in answer.text.splitlines() if line.startswith("id:")]


def test_a_stream_goes_on_after_the_last_event_and_ends_with_the_right_to_look(console: Console) -> None:  # fmt: skip
    for number in range(4):
        console.add(number)

    assert streamed(console, **{"last-event-id": "2"}) == (200, ["id: 3", "id: 4"])
    assert streamed(console, **{"last-event-id": "x"})[0] == 400


def test_a_database_that_cannot_be_asked_is_a_problem_of_the_servers(tmp_path: Path, clock: ManualClock, opened: Callable[..., Store]) -> None:  # fmt: skip
    (tmp_path / "broken.sqlite").write_bytes(b"no database" * 500)
    console = Console(opened(f"sqlite:///{tmp_path / 'broken.sqlite'}"), tmp_path, clock)

    for path in ("events", "alerts", "pending", "clips", "journal", "report", "stats/north", "events.csv"):  # fmt: skip
        status, problem = console.refused(f"/api/v1/{path}")
        assert (status, problem["status"]) == (503, 503), path
        assert "broken.sqlite" not in json.dumps(problem)
