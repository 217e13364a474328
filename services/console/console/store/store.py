"""The store as the rest of the console knows it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, tzinfo
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from console import metrics
from console.store import database, migrate
from console.store.database import StoreUnavailableError
from console.store.decisions import Decision
from console.store.events import NewEvent, told
from console.store.paging import sifted_out
from console.store.tables import RealtimeEvent
from console.store.transaction import Transaction
from console.store.visible import visible
from console.store.writer import Job, Told, Writer
from hazardcast.machine.clock import Clock, SystemClock

log = logging.getLogger(__name__)
ASKED_WITHIN_S = 2.0


class Store:
    """One database: written by one thread, read by whoever asks.

    Args:
        url: `sqlite:///file`, `postgresql://…` or `mysql://…`.
        site: whose rows these are; one database may hold several sites.
        zone: the site's, in which times are written out.
        told: hears each transaction's new events once they are committed, as readers get them.
        clock: of the machine.

    Raises:
        ConfigError: the URL names no database that is known.
    """

    def __init__(
        self,
        url: str,
        *,
        site: str,
        zone: tzinfo = UTC,
        told: Told | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.site = site
        self.zone = zone
        self._clock = clock or SystemClock()
        self._url = database.address(url)
        self._listeners: list[Told] = [told] if told else []
        self._engine = database.connect(self._url)
        # Of its own, or many readers who hold all connections would stop what is written.
        self._for_writing = database.connect(self._url, at_once=1)
        self._writer = Writer(
            self._for_writing,
            site=site,
            zone=zone,
            prepare=self._prepare,
            told=self._tell,
            clock=self._clock,
        )

    def open(self) -> None:
        """Bring the database to its layout and begin to write.

        A database that cannot be asked now does not stop the console: it is tried again and again.

        Raises:
            ConfigError: its layout is newer than this version knows.
        """
        try:
            self._prepare()
        except (DBAPIError, OSError) as error:
            self._writer.failing(database.reason(error))
        else:
            metrics.AVAILABLE.set(1)
        self._writer.start()

    def _prepare(self) -> None:
        migrate.to_newest(self._for_writing, self._clock)

    def close(self) -> None:
        """Write what waits and let go of the database."""
        self._writer.close()
        self._engine.dispose()
        self._for_writing.dispose()

    def listen(self, told: Told) -> None:
        """Hear each transaction's new events, on the writer's thread: never to wait there."""
        self._listeners.append(told)

    def _tell(self, events: list[dict[str, Any]]) -> None:
        for listener in self._listeners:
            listener(events)

    @property
    def problem(self) -> str | None:
        """What an operator should know of the store; None when all is well. For `/readyz`."""
        if self._writer.problem:
            return (
                f"the database takes nothing ({self._writer.problem}), {self._writer.waiting} wait"
            )
        return None

    @property
    def dropped(self) -> int:
        """How many jobs were never written since the start."""
        return self._writer.dropped

    @property
    def waiting(self) -> int:
        """How many jobs wait to be written."""
        return self._writer.waiting

    def put(self, kind: str, write: Callable[[Transaction], Any], *, matters: bool = False) -> bool:
        """Have something written soon; False when there is no room for it. Never waits."""
        return self._writer.put(Job(kind, write, matters))

    def add(self, event: NewEvent, *, matters: bool = False) -> bool:
        """Remember an event, once."""
        job = Job(event.kind, lambda rows: rows.add(event), matters, event=event)
        return self._writer.put(job)

    def ask(self, kind: str, write: Callable[[Transaction], Any]) -> Any:
        """Have something written and wait until it is on the disk.

        Raises:
            StoreUnavailableError: the database does not take it now.
        """
        return self._writer.ask(write, kind=kind, within_s=ASKED_WITHIN_S)

    def decide(self, decision: Decision) -> dict[str, Any]:
        """Keep what a person does, before it is said on the bus.

        Raises:
            StoreUnavailableError: it is not known to be kept.
        """
        row = self.ask("decision", lambda transaction: transaction.decide(decision))
        assert isinstance(row, dict)
        return row

    def keep(self, decision: Decision) -> bool:
        """Keep what a person does, or have it wait until the database takes it again.

        Returns:
            Whether it is on the disk now.
        """
        try:
            self.decide(decision)
        except StoreUnavailableError as error:
            waits = self.put("decision", lambda rows: rows.decide(decision), matters=True)
            about = {"event_id": decision.event_id, "by": decision.by, "action": decision.action}
            said = "an act waits to be kept" if waits else "an act is not kept"
            log.error(said, extra={**about, "reason": str(error)})
            return False
        return True

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to ask, each time at one moment's rows.

        Raises:
            StoreUnavailableError: the database cannot be asked.
        """
        try:
            with self._engine.connect() as connection:
                yield connection
        except (DBAPIError, PoolTimeoutError) as error:
            raise StoreUnavailableError(database.reason(error)) from error

    def events(
        self, after_seq: int, limit: int, cameras: Collection[str] | None = None
    ) -> list[dict[str, Any]]:
        """Events after a sequence number, oldest first, of what a viewer may see.

        Raises:
            StoreUnavailableError: the database cannot be asked.
        """
        statement = (
            select(RealtimeEvent.__table__)
            .where(
                RealtimeEvent.id > after_seq,
                sifted_out(RealtimeEvent.site) == self.site,
                *visible(RealtimeEvent.camera, cameras),
            )
            .order_by(RealtimeEvent.id)
            .limit(limit)
        )
        with self.reading() as connection:
            return [told(dict(row), self.zone) for row in connection.execute(statement).mappings()]

    def newest_seq(self) -> int:
        """The sequence number of the newest event; 0 when there is none."""
        newest = select(RealtimeEvent.id).order_by(RealtimeEvent.id.desc()).limit(1)
        with self.reading() as connection:
            return int(connection.execute(newest).scalar() or 0)

    def layout(self) -> str | None:
        """The newest step that the database has had."""
        with self.reading() as connection:
            return migrate.current(connection)
