"""What is handed to the store is there once, in order, on every database."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import pytest
from console.store import database, decisions
from console.store.database import StoreUnavailableError
from console.store.decisions import Decision
from console.store.events import NewEvent
from console.store.paging import CursorError, Order, place, read
from console.store.store import Store
from console.store.tables import HourCount, OperatorDecision, RealtimeEvent
from console.store.transaction import Transaction
from sqlalchemy import select
from sqlalchemy.event import listen
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from hazardcast.contract.errors import ConfigError
from hazardcast.testing import eventually
from tests.console.store.chain import first_break

Settled = Callable[[], None]
ORDER = Order(RealtimeEvent.ts, RealtimeEvent.id)


def event(number: int = 1, **changes: Any) -> NewEvent:
    fields: dict[str, Any] = {
        "dedup": f"alert|4097-{number}|0", "ts": 1_800_000_000.123456 + number, "kind": "alert",
        "summary": "collision", "source": "alerter", "level": "danger", "body": {"n": number},
        "camera": "junction-north", "event_id": f"4097-{number}", "revision": 0, "type": "collision",
    }  # fmt: skip
    return NewEvent(**(fields | changes))


def test_an_event_comes_back_as_it_was_handed_in(store: Store, settled: Settled) -> None:
    store.add(event(confidence=0.1 + 0.2, lat=37.12345678901, lon=-127.5))
    settled()

    (told,) = store.events(0, 10)

    assert told["seq"] > 0
    assert told["at_iso"] == "2027-01-15T08:00:01.123Z"
    assert told["ts"] == 1_800_000_001.123456
    assert (told["confidence"], told["lat"], told["lon"]) == (0.1 + 0.2, 37.12345678901, -127.5)
    assert (told["site"], told["category"], told["level"]) == ("junction-12", "safety", "danger")
    assert told["body"] == {"n": 1}


def test_an_event_that_is_handed_in_twice_is_there_once(store: Store, settled: Settled) -> None:
    heard: list[dict[str, Any]] = []
    store.listen(heard.extend)
    for _ in range(3):
        store.add(event(1))
    settled()
    store.add(event(1))
    store.add(event(2))
    settled()

    assert [one["event_id"] for one in store.events(0, 10)] == ["4097-1", "4097-2"]
    assert [one["event_id"] for one in heard] == ["4097-1", "4097-2"]


def test_what_has_no_time_of_its_own_is_one_word_only_for_a_while(store: Store, settled: Settled) -> None:  # fmt: skip
    for at in (0.0, 10.0, 900.0):
        store.add(event(ts=1_800_000_000.0 + at, dedup=f"incident|abc_%|{at}", unless_within_s=60))
    settled()

    assert [one["ts"] for one in store.events(0, 10)] == [1_800_000_000.0, 1_800_000_900.0]


def test_names_that_differ_by_case_are_two(store: Store, settled: Settled) -> None:
    store.add(event(dedup="alert|A|0", event_id="A"))
    store.add(event(dedup="alert|a|0", event_id="a"))
    settled()

    assert [one["event_id"] for one in store.events(0, 10)] == ["A", "a"]


@pytest.mark.parametrize(
    "odd", ["\0", "\ud800", "🚗" * 2000, "<script>", "\u202e", "x" * 70_000], ids=ascii
)
def test_odd_text_is_kept_as_far_as_it_can_be_and_stops_nothing(store: Store, settled: Settled, odd: str) -> None:  # fmt: skip
    store.add(event(1, summary=odd, type=odd, event_id=odd, dedup=odd, body={"text": odd}))
    store.add(event(2))
    settled()

    first, second = store.events(0, 10)
    assert first["body"] == {"text": odd}
    assert second["event_id"] == "4097-2"


def test_a_row_that_cannot_be_written_stops_no_other(store: Store, settled: Settled) -> None:
    def fails(_transaction: Transaction) -> None:
        raise ValueError("no such thing")

    store.add(event(1))
    store.put("test", fails)
    store.add(event(2))
    settled()

    assert [one["event_id"] for one in store.events(0, 10)] == ["4097-1", "4097-2"]
    assert store.dropped == 1
    assert store.problem is None


def test_readers_go_on_by_sequence_number_and_see_their_cameras_and_what_is_of_none(store: Store, settled: Settled) -> None:  # fmt: skip
    for number, camera in enumerate(("north", "south", None, "north")):
        store.add(event(number, camera=camera))
    settled()
    everything = store.events(0, 10)

    assert [one["camera"] for one in store.events(0, 10, {"north"})] == ["north", None, "north"]
    assert [one["seq"] for one in store.events(everything[1]["seq"], 1)] == [everything[2]["seq"]]
    assert store.newest_seq() == everything[-1]["seq"]
    assert [one["camera"] for one in store.events(0, 10, set())] == [None]


def test_readers_of_one_site_see_nothing_of_another_in_the_same_database(store: Store, settled: Settled) -> None:  # fmt: skip
    store.put("test", lambda rows: Transaction(rows.connection, "elsewhere").add(event(1)))
    store.add(event(2))
    settled()

    assert [one["event_id"] for one in store.events(0, 10)] == ["4097-2"]


def test_each_site_has_a_chain_of_its_own(store: Store) -> None:
    store.decide(decision(1))
    store.ask("test", lambda rows: Transaction(rows.connection, "elsewhere").decide(decision(2)))
    store.decide(decision(3))
    rows = rows_of_decisions(store)

    assert first_break([row for row in rows if row["site"] == store.site]) is None
    assert first_break([row for row in rows if row["site"] == "elsewhere"]) is None


def test_pages_by_cursor_hold_every_row_once_though_times_are_equal_and_rows_come_meanwhile(store: Store, settled: Settled) -> None:  # fmt: skip
    for number in range(25):
        store.add(event(number, ts=1_800_000_000.5 + number // 10))
    settled()
    seen: list[str] = []
    cursor = None
    with store.reading() as connection:
        while True:
            page = read(
                connection, select(RealtimeEvent.__table__), ORDER, found=[], after=place(cursor), limit=4,
            )  # fmt: skip
            seen += [row["event_id"] for row in page.rows]
            if (cursor := page.next) is None:
                break
    assert seen == [f"4097-{number}" for number in reversed(range(25))]


def test_what_no_index_finds_is_sifted_a_bounded_number_of_rows_a_page(
    store: Store, settled: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.store.paging.LOOKS_AT", 5)
    for number in range(12):
        store.add(event(number, status="rare" if number in (0, 11) else "usual"))
    settled()
    pages = []
    cursor = None
    with store.reading() as connection:
        while True:
            page = read(
                connection, select(RealtimeEvent.__table__), ORDER, found=[],
                sifted=[RealtimeEvent.status == "rare"], after=place(cursor), limit=4,
            )  # fmt: skip
            pages.append([row["event_id"] for row in page.rows])
            if (cursor := page.next) is None:
                break

    assert pages == [["4097-11"], [], ["4097-0"]]


@pytest.mark.parametrize("cursor", ["", "x", "e30", "WzFd", "W251bGwsMV0", "WzEsIngiXQ", "[1,2]", "é", "WzFlOTk5LDFd", "W3RydWUsMV0"])  # fmt: skip
def test_a_cursor_that_was_never_given_is_refused(cursor: str) -> None:
    with pytest.raises(CursorError):
        place(cursor)


def test_hours_are_counted_as_events_are_stored(store: Store, settled: Settled) -> None:
    for number, ts in enumerate((7200.0, 10_799.9, 10_800.0)):
        store.add(event(number, ts=ts))
        store.add(event(number, ts=ts))
    settled()

    with store.reading() as connection:
        rows = connection.execute(select(HourCount.hour, HourCount.events).order_by(HourCount.hour))
        assert [tuple(row) for row in rows] == [(7200, 2), (10_800, 1)]


def test_many_events_are_looked_up_together_and_hours_are_counted_once_a_transaction(sqlite_url: str, opened: Callable[..., Store]) -> None:  # fmt: skip
    store = opened(sqlite_url)
    for number in range(3):
        store.add(event(number, ts=7200.0 + number))
    store.ask("test", lambda _rows: None)
    said: list[str] = []
    listen(store._for_writing, "before_cursor_execute", lambda _c, _cur, text, *_more: said.append(text))  # fmt: skip
    held = threading.Event()
    store.put("test", lambda _rows: held.wait(10), matters=True)
    for number in range(400):
        store.add(event(number % 200, ts=7200.0 + number % 200))
    held.set()
    store.ask("test", lambda _rows: None)

    assert len([one for one in said if one.startswith("INSERT INTO realtime_event")]) == 197
    assert len([one for one in said if one.startswith("SELECT")]) < 20
    with store.reading() as connection:
        assert connection.execute(select(HourCount.hour, HourCount.events)).all() == [(7200, 200)]


def decision(number: int, **changes: Any) -> Decision:
    fields: dict[str, Any] = {
        "id": f"d{number}",
        "ts": 1.5 + number,
        "by": "kim",
        "action": "negate",
    }
    return Decision(**(fields | changes))


def rows_of_decisions(store: Store) -> list[dict[str, Any]]:
    with store.reading() as connection:
        statement = select(OperatorDecision.__table__).order_by(OperatorDecision.id)
        return [dict(row) for row in connection.execute(statement).mappings()]


def test_decisions_are_chained_and_a_changed_or_missing_row_is_found(store: Store) -> None:
    for number in range(5):
        store.decide(decision(number, note="그림자", reason="shadow", body={"x": 1.25}))
    rows = rows_of_decisions(store)

    assert rows[0]["previous"] == decisions.FIRST
    assert first_break(rows) is None
    assert first_break([*rows[:2], rows[2] | {"by": "lee"}, *rows[3:]]) == rows[2]["id"]
    assert first_break([*rows[:2], *rows[3:]]) == rows[3]["id"]


def test_a_decision_that_is_handed_in_again_is_kept_once_and_is_an_event_too(store: Store) -> None:
    first = store.decide(decision(1, event_id="4097-1"))
    again = store.decide(decision(1, event_id="4097-1"))
    store.decide(decision(1, event_id="4097-1", outcome="done"))

    assert first["hash"] == again["hash"]
    assert [row["outcome"] for row in rows_of_decisions(store)] == ["asked", "done"]
    assert [one["kind"] for one in store.events(0, 10)] == ["decision", "decision"]


def test_many_threads_may_ask_at_once(store: Store) -> None:
    def decide(start: int) -> None:
        for number in range(start, start + 10):
            store.decide(decision(number))

    threads = [threading.Thread(target=decide, args=(10 * one,)) for one in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    rows = rows_of_decisions(store)
    assert len(rows) == 80
    assert first_break(rows) is None


def test_a_reopened_store_goes_on_and_gives_no_number_twice(database_url: str, opened: Callable[..., Store]) -> None:  # fmt: skip
    first = opened(database_url)
    for number in range(3):
        first.add(event(number))
    first.close()
    second = opened(database_url)
    second.add(event(1))
    second.add(event(7))
    eventually(lambda: len(second.events(0, 10)) == 4)

    seqs = [one["seq"] for one in second.events(0, 10)]
    assert sorted(set(seqs)) == seqs
    assert second.layout() == "0002"


def test_an_act_is_kept_once_though_the_file_is_locked_when_it_is_done(sqlite_url: str, opened: Callable[..., Store], monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr("console.store.store.ASKED_WITHIN_S", 0.1)
    store = opened(sqlite_url)
    store.ask("test", lambda _rows: None)
    with contextlib.closing(sqlite3.connect(store._url.database or "")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not store.keep(decision(1)), "it is being written, and takes too long"
        assert not store.keep(decision(2)), "it waits behind the other"
        other.rollback()
    eventually(lambda: len(rows_of_decisions(store)) == 2, within_s=20)
    store.ask("test", lambda _rows: None)

    assert sorted(row["dedup"].split("|")[1] for row in rows_of_decisions(store)) == ["d1", "d2"]
    assert store.keep(decision(3))


def test_an_act_waits_while_the_database_is_known_to_be_away(sqlite_url: str, opened: Callable[..., Store]) -> None:  # fmt: skip
    store = opened(sqlite_url)
    store._writer.failing("away")
    assert not store.keep(decision(1))

    eventually(lambda: len(rows_of_decisions(store)) == 1)
    assert store.problem is None


def test_readers_that_hold_every_connection_stop_nothing_that_is_written(sqlite_url: str, opened: Callable[..., Store]) -> None:  # fmt: skip
    store = opened(sqlite_url)
    with contextlib.ExitStack() as readers:
        for _ in range(database.READERS + 10):
            readers.enter_context(store.reading())
        store.decide(decision(1))

    assert len(rows_of_decisions(store)) == 1


def test_that_no_connection_is_free_is_no_fault_of_a_row(sqlite_url: str, opened: Callable[..., Store]) -> None:  # fmt: skip
    store = opened(sqlite_url)
    tried: list[int] = []

    def write(_rows: Transaction) -> None:
        tried.append(1)
        if len(tried) == 1:
            raise PoolTimeoutError("all are taken")

    store.put("test", write)
    eventually(lambda: len(tried) == 2)

    assert store.dropped == 0


@pytest.mark.parametrize("url", ["oracle://x/y", "sqlite://", "nonsense", "sqlite:///:memory:"])
def test_a_database_that_is_not_known_is_refused_by_name(url: str) -> None:
    with pytest.raises(ConfigError, match="HAZARDCAST_DATABASE_URL"):
        Store(url, site="x")


def test_a_server_that_is_away_stops_nothing_and_its_password_is_told_nobody(caplog: pytest.LogCaptureFixture, opened: Callable[..., Store]) -> None:  # fmt: skip
    store = opened("postgresql://hazardcast:secret-word@127.0.0.1:1/x")

    store.add(event())
    with pytest.raises(StoreUnavailableError):
        store.events(0, 1)
    with pytest.raises(StoreUnavailableError):
        store.decide(decision(1))

    assert store.problem
    assert "secret-word" not in store.problem + caplog.text + "".join(str(one.__dict__) for one in caplog.records)  # fmt: skip
