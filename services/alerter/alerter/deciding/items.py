"""What waits, and what of it was decided lately: a bounded memory, kept on disk in turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from alerter.deciding import waiting, waiting_files
from alerter.deciding.keeping import Kept, WaitingFolder
from alerter.deciding.waiting import Waiting, Withholding
from alerter.deciding.waiting_files import NOTED_EVERY_S
from alerter.ingest.placing import Place
from alerter.ingest.report_times import Report
from alerter.lifecycle import same_event
from alerter.lifecycle.noted import Notes
from hazardcast.config.site import SiteConfig
from hazardcast.machine.clock import Clock
from hazardcast.machine.steady import Steady

MOST, MOST_OF_CAMERA = 200, 20
NOTED_AT_ONCE = 10
"""A report may wait for them."""


class Items:
    """The incidents that are not broadcast, by event id.

    Args:
        folder: where they are kept.
        notes: dates what is kept.
        steady: the station's time.
        held: what was kept before a restart.
    """

    def __init__(
        self, folder: WaitingFolder, notes: Notes, steady: Steady, held: Iterable[Waiting] = ()
    ) -> None:
        self._folder, self._notes, self._steady = folder, notes, steady
        self._items = {item.event_id: item for item in held}
        self._noted_at = dict.fromkeys(self._items, float("-inf"))

    @classmethod
    def kept_in(
        cls,
        folder: WaitingFolder,
        config: SiteConfig,
        clock: Clock,
        steady: Steady,
        *,
        max_age_s: float,
    ) -> Items:
        """Those that the process before held; no news if that was longer ago than `max_age_s`."""
        notes = Notes(clock, steady)
        held = waiting_files.load(folder.path, config, notes.reckoning(), max_age_s)
        return cls(folder, notes, steady, held)

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Waiting]:
        return iter(tuple(self._items.values()))

    @property
    def open(self) -> list[Waiting]:
        """Those that are not decided, oldest first; any thread may ask."""
        return [item for item in self if item.closed is None]

    def find(self, event_id: str) -> Waiting | None:
        """The one of this id."""
        return self._items.get(event_id)

    def put(self, item: Waiting, *, keep: bool = True) -> None:
        """Hold it, or its newest state; `keep`: on disk too."""
        self._items[item.event_id] = item
        if keep:
            self._keep(item)

    def _keep(self, item: Waiting) -> None:
        moment = self._steady.moment()
        self._noted_at[item.event_id] = moment.steady
        self._folder.put(Kept(item, moment, self._notes.note()))

    def note_anew(self, now: float) -> None:
        """Have it on disk when each camera spoke last, and that the station was there."""
        old = (name for name, at in self._noted_at.items() if now - at >= NOTED_EVERY_S)
        for event_id in tuple(islice(old, NOTED_AT_ONCE)):
            self._keep(self._items[event_id])

    def sync(self) -> None:
        """Bring what changed to the disk; may wait for it."""
        self._folder.sync()

    def remove(self, item: Waiting) -> None:
        """Forget it."""
        self.take(item)
        self.erase(item)

    def take(self, item: Waiting) -> None:
        """Forget it, but for its file: what becomes of it is to be kept before that goes."""
        del self._items[item.event_id]
        del self._noted_at[item.event_id]

    def erase(self, item: Waiting) -> None:
        """Have its file removed."""
        self._folder.remove(item.event_id)

    def of_camera(
        self, report: Report, place: Place, now: float, mode: Withholding
    ) -> Waiting | None:
        """What the report's own camera has said before of the same, and is held for the same cause.

        What waits may go by several ids of its camera; what is over goes by its own alone.
        """
        camera = report.incident.camera
        mine = [item for item in self if item.camera == camera and item.mode == mode]
        waits = [item for item in mine if item.closed is None]
        named = (item for item in waits if waiting.named_by(item, report))
        over = (item for item in mine if waiting.goes_on(item, report, now))
        same = (item for item in waits if waiting.may_be_same(item, report, place))
        return next(named, None) or next(over, None) or next(same, None)

    def taken_back(self, report: Report) -> Waiting | None:
        """What a camera's cancel means; what waits before what is over."""
        meant = (item for item in self if waiting.taken_back_by(item, report))
        return min(meant, key=lambda item: item.closed is not None, default=None)

    def over(self, report: Report) -> list[Waiting]:
        """What is over and went by the report's id."""
        return [item for item in self if item.closed and waiting.named_by(item, report)]

    def seconded(self, report: Report, place: Place) -> list[Waiting]:
        """What waits for a person and is seen by this reporter too, who is another."""
        incident = report.incident
        return [
            item
            for item in self
            if item.closed is None
            and item.mode == "confirm"
            and item.camera != incident.camera
            and item.report.incident.test == incident.test
            and (incident.event_id == item.event_id or waiting.may_be_same(item, report, place))
        ]

    def timed_out(self, report: Report, place: Place, now: float) -> Waiting | None:
        """What nobody decided in time, was seen just now, and is seen by another reporter too."""
        late = (
            item
            for item in self
            if item.closed == "dropped"
            and item.mode == "confirm"
            and item.camera != report.incident.camera
            and now <= item.seen_at + same_event.WITHIN_S
            and waiting.may_be_same(item, report, place)
        )
        return max(late, key=lambda item: item.seen_at, default=None)

    def crowding(self, camera: str) -> Waiting | None:
        """What has to give way before one more of this camera can be held."""
        mine = [item for item in self if item.camera == camera]
        if len(mine) >= MOST_OF_CAMERA:
            return _first(mine)
        return _first(self) if len(self._items) >= MOST else None


def _first(items: Iterable[Waiting]) -> Waiting:
    """One that is over, no person's word if it can be helped; else the oldest."""
    return min(items, key=lambda one: (one.closed is None, one.closed == "rejected", one.since))
