"""The way to the database: SQLite in a file, or a PostgreSQL or MySQL server."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from hazardcast.contract.errors import ConfigError, HazardcastError

BUSY_MS = 5_000
CONNECT_WITHIN_S = 5
READERS = 16
DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}
WRITES = "hazardcast_writes"
SETTING = "HAZARDCAST_DATABASE_URL"


class StoreUnavailableError(HazardcastError):
    """The database cannot be asked now; what is to be stored waits."""


def address(text: str) -> URL:
    """The database that a URL names, with the driver that is installed.

    Raises:
        ConfigError: it names none that is known.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise ConfigError(
            f"{SETTING}: not a URL such as sqlite:///file or postgresql://…"
        ) from None
    driver = DRIVERS.get(url.get_backend_name())
    if driver is None:
        known = ", ".join(name for name in DRIVERS if name != "postgres")
        raise ConfigError(f"{SETTING}: {url.get_backend_name()} is none of {known}")
    if driver == "sqlite" and url.database in (None, "", ":memory:"):
        raise ConfigError(f"{SETTING}: names no file; what is in memory is gone with the process")
    return url.set(drivername=driver)


def shown(url: URL) -> str:
    """The address as it may be told: without the password."""
    return url.set(query={}).render_as_string(hide_password=True)


def connect(url: URL, *, at_once: int = READERS) -> Engine:
    """An engine that holds so many connections; connects when it is first used."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, at_once)
    options: dict[str, Any] = {"pool_pre_ping": True, "pool_recycle": 1800, "pool_size": at_once}
    if url.get_backend_name() == "mysql":
        options |= {"isolation_level": "READ COMMITTED"}
        url = url.update_query_dict({"charset": "utf8mb4"})
    return create_engine(url, connect_args={"connect_timeout": CONNECT_WITHIN_S}, **options)


def _sqlite(url: URL, at_once: int) -> Engine:
    engine = create_engine(
        url,
        pool_size=at_once,
        connect_args={"timeout": BUSY_MS / 1000, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    """As https://www.sqlite.org/wal.html advises for one writer and many readers."""
    connection.isolation_level = None  # transactions are begun below, as what they are
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":  # kept in the file; to change it one must be alone with it
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL").close()
        connection.execute("PRAGMA journal_mode=WAL").close()
    connection.execute("PRAGMA synchronous=NORMAL").close()


def _begin(connection: Connection) -> None:
    """A transaction that finds out later that it writes fails at once, whatever the time-out."""
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def writing(engine: Engine) -> Engine:
    """The same engine, for transactions that write."""
    return engine.execution_options(**{WRITES: True})


def is_trouble(error: BaseException) -> bool:
    """Whether the database is at fault (away, locked, full, broken) and not a row."""
    if isinstance(error, PoolTimeoutError | sqlite3.OperationalError):
        return True  # no connection is free, or a bare pragma was not taken
    return isinstance(error, DBAPIError) and not isinstance(error, DataError | IntegrityError)


def reason(error: BaseException) -> str:
    """Why the database cannot be asked, in one short line without values."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    lines = str(cause).strip().splitlines()
    return f"{type(cause).__name__}: {lines[0][:160] if lines else 'no reason given'}"
