"""What one transaction of the writer does; the statements are such as every database has.

There is one writer, so what was looked up a moment ago still holds when it is acted on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, insert, select, update

from console.store import decisions
from console.store.decisions import Decision
from console.store.events import NewEvent, dump, told
from console.store.tables import Base, HourCount, LastWord, OperatorDecision, RealtimeEvent

HOUR_S = 3600


class Transaction:
    """Rows on their way; nothing is there for readers before the writer commits."""

    def __init__(self, connection: Connection, site: str, zone: tzinfo = UTC) -> None:
        self._connection = connection
        self.site = site
        self._zone = zone
        self.events: list[dict[str, Any]] = []
        """What is new, in order; to be told once it is committed."""
        self._known: dict[str, bool] = {}
        """By key, whether an event is there, as far as that was looked up."""
        self._hours: Counter[tuple[str, int, str, str]] = Counter()

    def expect(self, events: Iterable[NewEvent]) -> None:
        """Look up at once which of many events are there already; that saves a question each."""
        keys = {event.row(self.site)["dedup"] for event in events if event.unless_within_s is None}
        if len(keys) > 1:
            there = select(RealtimeEvent.dedup).where(RealtimeEvent.dedup.in_(keys))
            self._known = dict.fromkeys(keys, False)
            self._known |= dict.fromkeys(self._connection.execute(there).scalars(), True)

    def finish(self) -> None:
        """Write what was only added up; once, before the transaction is committed."""
        for (camera, hour, kind, type_), events in self._hours.items():
            key = {"camera": camera, "hour": hour, "kind": kind, "type": type_}
            held = self.find(HourCount, key)
            self.put(HourCount, key, {"events": events + (held["events"] if held else 0)})

    def add(self, event: NewEvent) -> bool:
        """Remember an event; False when it was already."""
        row = event.row(self.site)
        if self._held(row, event.unless_within_s):
            return False
        self._known[row["dedup"]] = True
        result = self._connection.execute(insert(RealtimeEvent).values(row))
        assert result.inserted_primary_key
        number = int(result.inserted_primary_key[0])
        self.events.append(told(row | {"id": number}, self._zone))
        self._count(row)
        return True

    def _held(self, row: Mapping[str, Any], within_s: float | None) -> bool:
        """Whether the same is there, or the same but for the time at the end of its key."""
        if within_s is None and (known := self._known.get(row["dedup"])) is not None:
            return known
        same = RealtimeEvent.dedup == row["dedup"]
        if within_s is not None:
            stem = str(row["dedup"]).rpartition("|")[0] + "|"
            same = and_(
                RealtimeEvent.site == self.site,
                RealtimeEvent.dedup.startswith(stem, autoescape=True),
                RealtimeEvent.ts >= row["ts"] - within_s,
            )
        found = self._connection.execute(select(RealtimeEvent.id).where(same).limit(1))
        return found.first() is not None

    def _count(self, row: Mapping[str, Any]) -> None:
        hour = int(row["ts"] // HOUR_S) * HOUR_S
        self._hours[row["camera"] or "", hour, row["kind"], row["type"] or ""] += 1

    def find(self, table: type[Base], key: Mapping[str, Any]) -> RowMapping | None:
        """The row of this site under `key`."""
        columns = table.__table__.columns
        wanted = select(table.__table__).where(columns["site"] == self.site)
        for name, value in key.items():
            wanted = wanted.where(columns[name] == value)
        return self._connection.execute(wanted).mappings().first()

    def put(self, table: type[Base], key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Write `values` under `key`, whether or not there is a row."""
        columns = table.__table__.columns
        change = update(table).where(columns["site"] == self.site)
        for name, value in key.items():
            change = change.where(columns[name] == value)
        if self.find(table, key) is None:
            new = {"site": self.site, **key, **values}
            self._connection.execute(insert(table).values(new))
        else:
            self._connection.execute(change.values(dict(values)))

    def remove(self, table: type[Base], key: Mapping[str, Any]) -> None:
        """Take the row of this site under `key` away."""
        columns = table.__table__.columns
        gone = delete(table).where(columns["site"] == self.site)
        for name, value in key.items():
            gone = gone.where(columns[name] == value)
        self._connection.execute(gone)

    def note(self, key: str, value: object, ts: float) -> None:
        """Keep the last word under a key."""
        self.put(LastWord, {"key": key}, {"value": dump(value), "ts": ts})

    def noted(self, key: str) -> Any:
        """The last word under a key; None when there was none."""
        row = self.find(LastWord, {"key": key})
        return json.loads(row["value"]) if row else None

    def decide(self, decision: Decision) -> dict[str, Any]:
        """Add to the site's log of decisions, chained to the one before; also if it was there."""
        held = self.find(OperatorDecision, {"dedup": decision.key(self.site)})
        if held is not None:
            return dict(held)
        last = self._connection.execute(
            select(OperatorDecision.hash)
            .where(OperatorDecision.site == self.site)
            .order_by(OperatorDecision.id.desc())
            .limit(1)
        ).scalar()
        row = decisions.chained(decision.row(self.site), previous=last or decisions.FIRST)
        result = self._connection.execute(insert(OperatorDecision).values(row))
        assert result.inserted_primary_key
        self.add(decision.event())
        return row | {"id": int(result.inserted_primary_key[0])}

    @property
    def connection(self) -> Connection:
        """For statements of a kind of their own."""
        return self._connection
