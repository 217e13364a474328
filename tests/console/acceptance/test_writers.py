"""Fifty who decide, two hundred events a second and twenty who read, at once, on one file."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from console.store import database, migrate
from console.store.paging import Place
from console.store.tables import RealtimeEvent
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import Connection, func, insert, select

from benchmarks.harness import percentile
from hazardcast.machine.clock import SystemClock
from hazardcast.testing import eventually
from tests.conftest import RealBroker
from tests.console.acceptance.stand import PASSWORD, Stand

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(900)]
EVENTS_PER_S = 200
PAGE = 50


@dataclass
class Person:
    """A connection of one's own that keeps how long each answer took."""

    port: int
    cookie: str = ""
    took_s: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    line: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """One request; the connection is kept."""
        line = self.line = self.line or http.client.HTTPConnection(
            "localhost", self.port, timeout=30
        )
        sent = {"Cookie": self.cookie, "Content-Type": "application/json", **headers}
        began = time.monotonic()
        line.request(method, path, None if body is None else json.dumps(body), sent)
        answer = line.getresponse()
        data = answer.read()
        self.took_s.append(time.monotonic() - began)
        self.statuses.append(answer.status)
        return answer.status, json.loads(data) if data else None

    def decide(self, number: int, stop: threading.Event) -> None:
        """Raise an incident, and confirm it once a second."""
        place = {"lat": 30.0 + number * 0.1, "lon": 120.0}
        _, raised = self.ask("POST", "/api/v1/incidents", {"type": "blockage", **place})
        event, revision = raised["event_id"], 0
        while event and not stop.wait(1.0):
            path = f"/api/v1/alerts/{event}/decision"
            status, told = self.ask("POST", path, {"action": "confirm"}, **{"If-Match": f'"{revision}"'})  # fmt: skip
            if status < 300 and told.get("revision") is not None:
                revision = told["revision"]
            elif status == 412:
                _, alert = self.ask("GET", f"/api/v1/alerts/{event}")
                revision = alert["revision"]

    def read(self, number: int, stop: threading.Event) -> None:
        """A page of events once a second."""
        while not stop.wait(1.0):
            self.ask("GET", f"/api/v1/events?limit={PAGE}&camera=camera-{number % 3 + 1}")


def together(work: list[Callable[[threading.Event], None]], seconds: float) -> None:
    """All at once for so long."""
    stop = threading.Event()
    threads = [threading.Thread(target=one, args=(stop,)) for one in work]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()


class Observers:
    """Says 200 events a second, and how many it said."""

    def __init__(self, port: int) -> None:
        self.said = 0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def run(self, stop: threading.Event) -> None:
        """Until told to stop."""
        began = time.monotonic()
        while not stop.wait(max(0.0, began + self.said / EVENTS_PER_S - time.monotonic())):
            self.said += 1
            camera = f"camera-{self.said % 3 + 1}"
            event = {"ts": time.time(), "at_iso": "2025-01-27T07:20:00.456+09:00", "seq": self.said, "site": "s",
                     "source": "bench", "category": "development", "level": "info", "kind": "observation",
                     "camera": camera, "summary": f"seen {self.said}", "body": {"n": self.said}}  # fmt: skip
            self._client.publish(f"v2x/observation/{camera}", json.dumps(event), qos=1)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def fill(url: str, count: int) -> None:
    """A database with so many events, one each minute until now."""
    engine = database.connect(database.address(url))
    migrate.to_newest(engine, SystemClock())
    now = time.time()
    with engine.begin() as connection:
        for first in range(0, count, 10_000):
            rows = [_row(number, now - (count - number) * 5.0) for number in range(first, min(count, first + 10_000))]  # fmt: skip
            connection.execute(insert(RealtimeEvent), rows)
    engine.dispose()


def _row(number: int, ts: float) -> dict[str, Any]:
    return {"dedup": f"4097|filled|{number}", "ts": ts, "site": "4097", "source": "bench", "category": "development",
            "level": "info", "kind": "observation", "camera": f"camera-{number % 3 + 1}", "summary": f"filled {number}",
            "body": "{}"}  # fmt: skip


def deep_cursor(url: str, page: int) -> str:
    """Where this page begins."""
    engine = database.connect(database.address(url))
    with engine.connect() as connection:
        row = _nth(connection, page * PAGE)
    engine.dispose()
    return Place(float(row[0]), int(row[1])).cursor()


def _nth(connection: Connection, number: int) -> Any:
    newest = select(RealtimeEvent.ts, RealtimeEvent.id).order_by(RealtimeEvent.ts.desc(), RealtimeEvent.id.desc())  # fmt: skip
    return connection.execute(newest.offset(number).limit(1)).one()


def page_s(person: Person, cursor: str = "") -> float:
    """How long a page takes in the middle of many tries, s."""
    for _ in range(15):
        person.ask("GET", f"/api/v1/events?limit={PAGE}{cursor and f'&cursor={cursor}'}")
    return percentile(person.took_s[-15:], 50)


def test_many_writers_and_readers_at_once_are_all_answered_and_soon(
    broker: RealBroker, tmp_path: Path, figure: Callable[..., None], slack: float, full_length: bool
) -> None:
    events, writers, readers, seconds, deep = (1_000_000, 50, 20, 90.0, 10_000) if full_length else (20_000, 8, 4, 5.0, 300)  # fmt: skip
    url = f"sqlite:///{tmp_path / 'filled.sqlite'}"
    fill(url, events)
    stand = Stand(tmp_path, broker, run=("alerter", "console"), cameras=3, database_url=url)
    try:
        stand.start()
        eventually(lambda: ready(stand), within_s=30)
        cookie = signed_in(stand)
        people = [Person(stand.console_port, cookie) for _ in range(writers)]
        lookers = [Person(stand.console_port, cookie) for _ in range(readers)]
        observers = Observers(broker.port)
        work = [lambda stop, n=n, one=one: one.decide(n, stop) for n, one in enumerate(people)]
        work += [lambda stop, n=n, one=one: one.read(n, stop) for n, one in enumerate(lookers)]
        together([*work, observers.run], seconds)
        observers.close()
        eventually(lambda: stored(url, "seen %") == observers.said, within_s=30, what=f"{observers.said} are stored")  # fmt: skip
        one = Person(stand.console_port, cookie)
        first_s, deep_s = page_s(one), page_s(one, deep_cursor(url, deep))
    finally:
        stand.close()

    wrote = [took for one in people for took in one.took_s]
    looked = [took for one in lookers for took in one.took_s]
    statuses = {status for one in (*people, *lookers) for status in one.statuses}
    figure(f"{writers} writers, {EVENTS_PER_S} events/s, {readers} readers, {events} events: actions p99 of {len(wrote)} (p50 {percentile(wrote, 50) * 1000:.0f} ms)", percentile(wrote, 99) * 1000, "ms", "≤ 250 ms")  # fmt: skip
    figure(f"the same: pages p99 of {len(looked)} (p50 {percentile(looked, 50) * 1000:.0f} ms)", percentile(looked, 99) * 1000, "ms", "≤ 250 ms")  # fmt: skip
    figure(
        f"page {deep} beside the first ({first_s * 1000:.1f} ms)", deep_s * 1000, "ms", "as quick"
    )
    assert not [status for status in statuses if status >= 500]
    assert len(wrote) >= writers * seconds / 2
    assert percentile(wrote, 99) <= 0.25 * slack
    assert percentile(looked, 99) <= 0.25 * slack
    assert deep_s <= 2 * first_s + 0.005


def ready(stand: Stand) -> bool:
    """Whether the console hears the alerter."""
    told = stand.get("api/v1/health") or {}
    return "alerter" in json.dumps(told)


def signed_in(stand: Stand) -> str:
    """The cookie of the admin."""
    person = Person(stand.console_port)
    line = http.client.HTTPConnection("localhost", person.port, timeout=30)
    typed = json.dumps({"name": "admin", "password": PASSWORD})
    line.request("POST", "/api/v1/login", typed, {"Content-Type": "application/json"})
    return line.getresponse().headers["set-cookie"].partition(";")[0]


def stored(url: str, summary: str) -> int:
    """How many events of such a summary there are."""
    engine = database.connect(database.address(url))
    with engine.connect() as connection:
        counted = select(func.count()).where(RealtimeEvent.summary.like(summary))
        number = int(connection.execute(counted).scalar_one())
    engine.dispose()
    return number
