"""The console's event store with a million events: pages, filters and statistics by HTTP, and inserts.

Beside it the bare limit of the same run: the same rows asked of SQLite by hand, in this process. 20 readers
ask once a second each (open loop); the same 20 in a closed loop, each as soon as it is answered, are told beside.
"""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from console.api import routes
from console.api.clip_files import ClipFiles
from console.doors.accounts import Book
from console.doors.guard import FreeView, Guard
from console.doors.sessions import Sessions
from console.http.app import application
from console.http.server import HttpServer
from console.store.events import NewEvent
from console.store.store import Store

from benchmarks.harness import Figure, percentile
from hazardcast.machine.clock import SystemClock
from hazardcast.service.metrics import Health

EVENTS = 1_000_000
CAMERAS = 16
READERS = 20
OPEN_S = 15.0
CLOSED_S = 8.0
WARM_UP_S = 3.0
READY_S = 2.0
DEEP_PAGE = 10_000
PAGE = 50
T0 = 1_790_000_000.0
STEP_S = 2.6
KINDS = ("camera", "incident", "clip", "service", "alert")
AIM_MS = 50.0
COLUMNS = (
    "dedup, ts, site, source, category, level, kind, camera, event_id, revision, type, severity, status, confidence, "
    "lat, lon, summary, body"
)  # fmt: skip
NOTHING: Callable[[Any], None] = lambda _: None  # noqa: E731


def row(number: int) -> tuple[Any, ...]:
    kind = KINDS[number * 7919 % len(KINDS)]
    camera = f"camera-{number * 31 % CAMERAS}"
    body = json.dumps({"event_id": f"4097-{number}", "detail": "x" * 180, "n": number})
    return (
        f"bench|{number:07d}", T0 + number * STEP_S, "bench", "alerter", "safety", "danger" if kind == "alert" else "info", kind,
        camera, f"4097-{number // 4}", number % 4, "collision", "high", "new", 0.9, 37.1, 127.1, f"word {number}", body,
    )  # fmt: skip


def fill(file: Path) -> None:
    """A million rows at once: by the writer, which looks each up, it would take half an hour."""
    marks = ",".join("?" * len(row(0)))
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA synchronous=OFF")
        database.execute("PRAGMA cache_size=-400000")
        indexes = database.execute(
            "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'realtime_event' AND type = 'index' AND sql IS NOT NULL"
        ).fetchall()  # fmt: skip
        for name, _ in indexes:
            database.execute(f"DROP INDEX {name}")
        with database:
            database.executemany(
                f"INSERT INTO realtime_event ({COLUMNS}) VALUES ({marks})",
                (row(n) for n in range(EVENTS)),
            )
        for _, made in indexes:
            database.execute(made)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def served(store: Store, folder: Path) -> HttpServer:
    clock = SystemClock()
    guard = Guard(FreeView(published_locally=True, allowed=True), lambda: Book({}, {}), Sessions(clock, [], NOTHING), clock)  # fmt: skip
    cameras = frozenset(f"camera-{n}" for n in range(CAMERAS))
    rooms = routes.routers(store, ClipFiles(folder, folder / "none"), clock, cameras=cameras)
    return HttpServer(application(guard, Health(), rooms), host="127.0.0.1", port=0)


def asked(chance: random.Random) -> str:
    """What a page asks for."""
    camera = f"camera-{chance.randrange(CAMERAS)}"
    start = T0 + chance.random() * EVENTS * STEP_S
    return chance.choice((
        f"api/v1/events?limit={PAGE}",
        f"api/v1/events?limit={PAGE}&camera={camera}",
        f"api/v1/events?limit={PAGE}&camera={camera}&kind=alert",
        f"api/v1/events?limit={PAGE}&kind=clip&to={start}",
        f"api/v1/events?limit={PAGE}&from={start}&to={start + 86_400}",
        f"api/live-monitoring/events/{camera}/latest",
    ))  # fmt: skip


def read(base: str, *, period_s: float, lasts_s: float, number: int, out: list[float]) -> None:
    chance = random.Random(number)
    with httpx.Client(base_url=base, timeout=30, verify=False) as client:
        time.sleep(READY_S)  # to make a client takes longer than to ask
        until = time.monotonic() + lasts_s
        due = time.monotonic() + chance.random() * period_s
        while due < until:
            time.sleep(max(0.0, due - time.monotonic()))
            began = due if period_s else time.monotonic()
            answer = client.get(asked(chance))
            out.append((time.monotonic() - began) * 1000)
            assert answer.status_code == 200, answer.text
            due = due + period_s if period_s else time.monotonic()


def readers(base: str, *, period_s: float, lasts_s: float) -> list[float]:
    taken: list[float] = []
    options = {"period_s": period_s, "lasts_s": lasts_s, "out": taken}
    threads = [threading.Thread(target=read, args=(base,), kwargs=options | {"number": n}) for n in range(READERS)]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def medians(pages: list[Callable[[], object]], times: int = 40) -> list[float]:
    """Each page's median, taken in turn so that the machine's noise falls on all alike."""
    taken: list[list[float]] = [[] for _ in pages]
    for _ in range(times):
        for at, page in enumerate(pages):
            began = time.perf_counter()
            page()
            taken[at].append((time.perf_counter() - began) * 1000)
    return [percentile(one, 50) for one in taken]


def bare_page(database: sqlite3.Connection, before: float) -> Callable[[], object]:
    statement = f"SELECT id, {COLUMNS} FROM realtime_event WHERE site = 'bench' AND ts < ? ORDER BY ts DESC, id DESC LIMIT {PAGE}"
    return lambda: database.execute(statement, (before,)).fetchall()


def inserts(store: Store) -> float:
    """Events a second by the writer, none of them known."""
    began, count = time.monotonic(), 10_000
    for n in range(count):
        store.add(NewEvent(dedup=f"new|{n}", ts=T0 + n, kind="camera", summary="x", source="bench", body={"n": n}))  # fmt: skip
    while store.waiting:
        time.sleep(0.02)
    return count / (time.monotonic() - began)


def bare_inserts(file: Path) -> float:
    """The same rows by hand, 500 a transaction."""
    database = sqlite3.connect(file, isolation_level=None)
    marks, began, count = ",".join("?" * len(row(0))), time.monotonic(), 10_000
    for at in range(0, count, 500):
        database.execute("BEGIN IMMEDIATE")
        rows = [(f"bare|{n}", *row(n)[1:]) for n in range(at, at + 500)]
        database.executemany(f"INSERT INTO realtime_event ({COLUMNS}) VALUES ({marks})", rows)
        database.execute("COMMIT")
    database.close()
    return count / (time.monotonic() - began)


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "console.sqlite"
        store = Store(f"sqlite:///{file}", site="bench")
        store.open()
        fill(file)
        server = served(store, folder)
        base = f"http://127.0.0.1:{server.port}/"
        try:
            return figures(store, file, base)
        finally:
            server.close()
            store.close()


def figures(store: Store, file: Path, base: str) -> list[Figure]:
    deep = T0 + (EVENTS - DEEP_PAGE * PAGE) * STEP_S
    newest = T0 + EVENTS * STEP_S
    bare = sqlite3.connect(file)
    with httpx.Client(base_url=base, timeout=30) as client:
        cursor = client.get("api/v1/events", params={"limit": 1, "to": deep}).json()["next"]
        first_ms, deep_ms, bare_first_ms, bare_deep_ms = medians([
            lambda: client.get("api/v1/events", params={"limit": PAGE}),
            lambda: client.get("api/v1/events", params={"limit": PAGE, "cursor": cursor}),
            bare_page(bare, newest),
            bare_page(bare, deep),
        ])  # fmt: skip
    bare.close()
    readers(base, period_s=1.0, lasts_s=WARM_UP_S)
    opened = readers(base, period_s=1.0, lasts_s=OPEN_S)
    closed = readers(base, period_s=0.0, lasts_s=CLOSED_S)
    ours, by_hand = inserts(store), bare_inserts(file)
    p99, ratio = percentile(opened, 99), deep_ms / first_ms
    loop = {"p50_ms": percentile(opened, 50), "requests": float(len(opened)), "closed_p50_ms": percentile(closed, 50), "closed_p99_ms": percentile(closed, 99), "closed_per_s": len(closed) / CLOSED_S}  # fmt: skip
    depth = {"first_ms": first_ms, "bare_first_ms": bare_first_ms}
    return [
        Figure(
            f"console, a million events: page {DEEP_PAGE:,} beside page 1, median",
            "ms",
            deep_ms,
            bare_deep_ms,
            "<= 1.2 of page 1",
            ratio <= 1.2,
            depth,
        ),
        Figure(
            "console, a million events: 20 readers, one request a second each, p99",
            "ms",
            p99,
            None,
            f"<= {AIM_MS:g} ms",
            p99 <= AIM_MS,
            loop,
        ),
        Figure(
            "console: events stored, each looked up first",
            "1/s",
            ours,
            by_hand,
            ">= 400 1/s",
            ours >= 400,
        ),
    ]
