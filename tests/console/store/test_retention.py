"""What is old goes, the least first; alerts and decisions outlast the noise."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from console.store import retention
from console.store.decisions import Decision
from console.store.events import NewEvent
from console.store.retention import Keep
from console.store.store import Store
from console.store.tables import AlertState, OperatorDecision, TrackBlock
from sqlalchemy import select

NOW = 1_800_000_000.0
DAY_S = 86_400


def swept(store: Store, keep: Keep) -> int:
    gone = store.ask("test", lambda rows: retention.sweep(rows, keep, NOW))
    assert isinstance(gone, int)
    return gone


def event(kind: Any, days: float, number: int = 0) -> NewEvent:
    return NewEvent(
        dedup=f"{kind}|{days}|{number}", ts=NOW - days * DAY_S, kind=kind, summary="x", source="x", body={}
    )  # fmt: skip


def test_noise_goes_before_alerts_and_decisions_stay(store: Store) -> None:
    for kind in ("camera", "incident", "clip", "alert"):
        for days in (1, 100, 2000):
            store.add(event(kind, days))
    store.decide(Decision(id="1", ts=NOW - 3000 * DAY_S, by="kim", action="note"))
    swept(store, Keep())

    left = [(one["kind"], round((NOW - one["ts"]) / DAY_S)) for one in store.events(0, 100)]
    assert left == [("camera", 1), ("incident", 1), ("clip", 1), ("alert", 1), ("alert", 100)]
    with store.reading() as connection:
        assert connection.execute(select(OperatorDecision.by)).scalars().all() == ["kim"]


def test_tracks_go_after_a_week_and_open_alerts_never(store: Store) -> None:
    def write(rows: Any) -> None:
        for days in (1, 8):
            key = {"camera": "north", "start": int(NOW - days * DAY_S)}
            rows.put(TrackBlock, key, {"frames": b"x"})
        for name, state in (("a", "open"), ("b", "ended")):
            rows.put(
                AlertState,
                {"event_id": name},
                {
                    "revision": 0, "type": "fire", "severity": "high", "status": "new", "state": state, "body": "{}",
                    "disposition": "x", "detected_at": 0.0, "updated_at": 0.0, "valid_until": 0.0, "test": 0,
                },
            )  # fmt: skip

    store.ask("test", write)
    swept(store, Keep())

    with store.reading() as connection:
        assert connection.execute(select(TrackBlock.start)).scalars().all() == [NOW - DAY_S]
        assert connection.execute(select(AlertState.event_id)).scalars().all() == ["a"]


def test_a_sweep_takes_a_bounded_number_the_oldest_first(store: Store, settled: Callable[[], None], monkeypatch: Any) -> None:  # fmt: skip
    monkeypatch.setattr(retention, "MOST_ROWS", 3)
    for number in range(5):
        store.add(event("camera", 200 - number, number))
    settled()

    assert [swept(store, Keep()) for _ in range(3)] == [3, 2, 0]


def test_what_is_freed_is_given_back_to_the_disk(sqlite_url: str, opened: Callable[..., Store]) -> None:  # fmt: skip
    store = opened(sqlite_url)
    old = int(NOW - 8 * DAY_S)

    def write(rows: Any) -> None:
        for number in range(40):
            frames = os.urandom(20_000)
            rows.put(TrackBlock, {"camera": "north", "start": old + number}, {"frames": frames})

    store.ask("test", write)
    assert swept(store, Keep()) == 40

    with store.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA freelist_count").scalar() == 0
