"""A database is brought to its layout once, after a copy, and never from a newer one."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from console.store import database, migrate
from console.store.store import Store
from console.store.tables import Base
from sqlalchemy import text

from hazardcast.contract.errors import ConfigError
from hazardcast.machine.clock import SystemClock

NEWEST = "0002"


def test_the_steps_lead_to_what_the_code_expects(new_database_url: str) -> None:
    engine = database.connect(database.address(new_database_url))
    migrate.to_newest(engine, SystemClock())

    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)

    assert differences == []
    engine.dispose()


def test_a_start_that_was_killed_half_way_is_made_good(new_database_url: str) -> None:
    engine = database.connect(database.address(new_database_url))
    if engine.dialect.name == "mysql":  # elsewhere what is half made is undone
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE realtime_event (id INT)"))

    migrate.to_newest(engine, SystemClock())
    migrate.to_newest(engine, SystemClock())

    with engine.connect() as connection:
        assert migrate.current(connection) == NEWEST
    engine.dispose()


def test_a_newer_layout_is_refused_by_name(database_url: str, opened: Callable[..., Store]) -> None:
    opened(database_url).close()
    engine = database.connect(database.address(database_url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        with pytest.raises(ConfigError, match="9999 is newer than this version knows"):
            opened(database_url)
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE alembic_version SET version_num = '{NEWEST}'"))
        engine.dispose()


def test_a_file_is_copied_before_it_is_changed(tmp_path: Path) -> None:
    file = tmp_path / "console.sqlite"
    engine = database.connect(database.address(f"sqlite:///{file}"))
    migrate.to_newest(engine, SystemClock())
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO last_word VALUES ('s', 'k', '1', 1.0)"))

    migrate._copy(engine, "0001")

    with sqlite3.connect(tmp_path / "console.sqlite.before-0001") as copy:
        assert copy.execute("SELECT value FROM last_word").fetchall() == [("1",)]
    engine.dispose()


def test_two_processes_that_start_at_once_change_it_once(new_database_url: str) -> None:
    url = database.address(new_database_url)
    errors: list[BaseException] = []

    def start() -> None:
        engine = database.connect(url)
        try:
            migrate.to_newest(engine, SystemClock())
        except BaseException as error:  # noqa: BLE001
            errors.append(error)
        engine.dispose()

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []


def test_a_file_that_is_no_database_stops_nothing_and_is_told(tmp_path: Path, opened: Callable[..., Store]) -> None:  # fmt: skip
    file = tmp_path / "console.sqlite"
    file.write_bytes(b"not a database at all" * 1000)

    store = opened(f"sqlite:///{file}")

    assert store.problem
    assert "not a database" in store.problem
    assert file.read_bytes().startswith(b"not a database")
