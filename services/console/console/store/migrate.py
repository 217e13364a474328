"""Brings a database to the newest layout: one process at a time, a file after a copy of it."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from console.store import database
from console.store.tables import Base
from hazardcast.contract.errors import ConfigError
from hazardcast.machine import durable
from hazardcast.machine.clock import Clock

log = logging.getLogger(__name__)
logging.getLogger("alembic").setLevel(logging.WARNING)
LOCK_NUMBER = 4_827_331
LOCK_NAME = "hazardcast console"
"""Any, the same in every console."""
LOCK_WITHIN_S = 60
COPIES = 3


def to_newest(engine: Engine, clock: Clock) -> None:
    """Run the steps that this database has not had.

    Raises:
        ConfigError: it has had steps that this version does not know, or another process is at it.
        DBAPIError: the database cannot be asked.
    """
    steps = _steps()
    with _alone(engine, clock):
        with engine.connect() as connection:
            at = current(connection)
        newest = steps.get_current_head()
        if at == newest:
            return
        if at is not None and at not in {one.revision for one in steps.walk_revisions()}:
            raise ConfigError(
                f"{database.shown(engine.url)}: layout {at} is newer than this version knows "
                f"({newest}); start the version that made it, or put back a copy"
            )
        if at is not None:
            _copy(engine, at)
        _run(engine, steps, fresh=at is None)
        log.info("database brought to its newest layout", extra={"from": at, "to": newest})


def current(connection: Connection) -> str | None:
    """The newest step that a database has had; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def _steps() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def _run(engine: Engine, steps: ScriptDirectory, *, fresh: bool) -> None:
    def upgrade(revision: Any, _context: Any) -> Any:
        return steps._upgrade_revs("head", revision)  # noqa: SLF001 - as Alembic's own commands do

    with (
        database.writing(engine).begin() as connection,
        EnvironmentContext(Config(), steps, fn=upgrade) as environment,
    ):
        if fresh and connection.dialect.name == "mysql":
            # Its DDL is not undone: what a start that was killed had made holds nothing yet.
            Base.metadata.drop_all(connection)
        environment.configure(connection=connection, render_as_batch=True)
        environment.run_migrations()


@contextlib.contextmanager
def _alone(engine: Engine, clock: Clock) -> Iterator[None]:
    """Wait until no other process is at it."""
    if engine.dialect.name == "sqlite":
        with _file_lock(engine, clock):
            yield
        return
    with engine.connect() as connection:
        take, give = _LOCKS[engine.dialect.name]
        if connection.execute(text(take)).scalar() == 0:
            raise ConfigError(f"{database.shown(engine.url)}: another process changes its layout")
        connection.commit()
        try:
            yield
        finally:
            connection.execute(text(give))
            connection.commit()


_LOCKS = {
    "postgresql": (
        f"SELECT pg_advisory_lock({LOCK_NUMBER})",
        f"SELECT pg_advisory_unlock({LOCK_NUMBER})",
    ),
    "mysql": (
        f"SELECT GET_LOCK('{LOCK_NAME}', {LOCK_WITHIN_S})",
        f"SELECT RELEASE_LOCK('{LOCK_NAME}')",
    ),
}


@contextlib.contextmanager
def _file_lock(engine: Engine, clock: Clock) -> Iterator[None]:
    file = _file(engine)
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = durable.lock(file.with_suffix(".lock"), within_s=LOCK_WITHIN_S, clock=clock)
    except BlockingIOError:
        raise ConfigError(f"{file}: another process changes its layout") from None
    try:
        yield
    finally:
        os.close(held)


def _file(engine: Engine) -> Path:
    assert engine.url.database
    return Path(engine.url.database)


def _copy(engine: Engine, at: str) -> None:
    """Keep the file as it is before the step; a few of these, the oldest go."""
    if engine.dialect.name != "sqlite":
        log.warning("a server's database is changed without a copy: back it up before an upgrade")
        return
    file = _file(engine)
    draft = file.with_name(f"{file.name}.copying")
    kept = file.with_name(f"{file.name}.before-{at}")
    draft.unlink(missing_ok=True)
    with (
        contextlib.closing(sqlite3.connect(file)) as source,
        contextlib.closing(sqlite3.connect(draft)) as target,
    ):
        source.backup(target)
    durable.put(draft, kept)
    copies = sorted(file.parent.glob(f"{file.name}.before-*"), key=lambda one: one.stat().st_mtime)
    for old in copies[:-COPIES]:
        old.unlink()
