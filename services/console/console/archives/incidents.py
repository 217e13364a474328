"""What happened before a camera in a stretch of time, for marks on its line."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import select

from console.store.database import StoreUnavailableError
from console.store.store import Store
from console.store.tables import AlertState

log = logging.getLogger(__name__)
MOST = 500


class StoredIncidents:
    """Asks the store; a line without marks is better than none."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, camera: str, start: float, end: float) -> list[dict[str, Any]]:
        """The alerts of a camera that were detected in [start, end], oldest first."""
        row = AlertState
        columns = (row.event_id, row.type, row.severity, row.state, row.detected_at, row.ended_at)
        statement = (
            select(*columns)
            .where(row.site == self._store.site, row.camera == camera)
            .where(row.detected_at.between(start, end))
            .order_by(row.detected_at)
            .limit(MOST)
        )
        try:
            with self._store.reading() as connection:
                return [dict(found) for found in connection.execute(statement).mappings()]
        except StoreUnavailableError as error:
            log.warning("no marks on the line: %s", error)
            return []
