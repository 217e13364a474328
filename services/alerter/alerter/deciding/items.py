"""What waits, and what of it was decided lately: a bounded memory, kept on disk in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from alerter.deciding import waiting, waiting_files
from alerter.deciding.waiting import Waiting
from alerter.ingest.placing import Place
from alerter.ingest.report_times import Report
from hazardcast.machine.steady import Steady

MOST, MOST_OF_CAMERA = 200, 20


class InTurn(Protocol):
    """Whoever does work in turn with what is kept, off the thread that alerts."""

    def also(self, work: Callable[[], None]) -> bool:
        """Have it done in turn; False: it will not be."""
        ...


class Items:
    """The incidents that are not broadcast, by event id.

    Args:
        folder: where they are kept.
        turn: by whom they are written.
        steady: the station's time.
        held: what was kept before a restart.
    """

    def __init__(
        self, folder: Path, turn: InTurn, steady: Steady, held: Iterable[Waiting] = ()
    ) -> None:
        self._folder, self._turn, self._steady = folder, turn, steady
        self._items = {item.event_id: item for item in held}

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Waiting]:
        return iter(tuple(self._items.values()))

    @property
    def open(self) -> list[Waiting]:
        """Those that are not decided, oldest first."""
        return [item for item in self._items.values() if item.closed is None]

    def find(self, event_id: str) -> Waiting | None:
        """The one of this id."""
        return self._items.get(event_id)

    def put(self, item: Waiting, *, keep: bool = True) -> None:
        """Hold it, or its newest state; `keep`: on disk too."""
        self._items[item.event_id] = item
        if not keep:
            return
        folder, content = self._folder, waiting_files.text(item, self._steady.moment())
        self._turn.also(lambda: waiting_files.put(folder, item.event_id, content))

    def remove(self, item: Waiting) -> None:
        """Forget it."""
        del self._items[item.event_id]
        folder = self._folder
        self._turn.also(lambda: waiting_files.remove(folder, item.event_id))

    def of_camera(self, report: Report, place: Place, now: float) -> Waiting | None:
        """What the report's own camera has said before of the same."""
        camera = report.incident.camera
        mine = [item for item in self._items.values() if item.camera == camera]
        named = (item for item in mine if waiting.named_by(item, report))
        same = (item for item in mine if waiting.may_be_same(item, report, place, now))
        return next(named, None) or next(same, None)

    def seconded(self, report: Report, place: Place, now: float) -> list[Waiting]:
        """What waits for a person and is seen by this reporter too, who is another."""
        incident = report.incident
        return [
            item
            for item in self._items.values()
            if item.closed is None
            and item.mode == "confirm"
            and item.camera != incident.camera
            and (
                incident.event_id == item.event_id or waiting.may_be_same(item, report, place, now)
            )
        ]

    def crowding(self, camera: str) -> Waiting | None:
        """What has to give way before one more of this camera can be held."""
        mine = [item for item in self._items.values() if item.camera == camera]
        if len(mine) >= MOST_OF_CAMERA:
            return _first(mine)
        return _first(self._items.values()) if len(self._items) >= MOST else None


def _first(items: Iterable[Waiting]) -> Waiting:
    """One that is decided, else the oldest."""
    return min(items, key=lambda item: (item.closed is None, item.since))
