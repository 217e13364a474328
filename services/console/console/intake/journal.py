"""What is missing of a station's journal, and when to ask for it again. Pure.

An alerter numbers what it keeps 1, 2, 3 … within an epoch, and its status tells the newest number.
What is whole up to a number is known for good (it is stored with the entries); what came beyond a
gap is heard again after a restart, which does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hazardcast.contract.messages import JournalEntry, ReplayRequest

MOST_ASKED = 10_000
AT_ONCE = 8
"""Requests: an alerter keeps 16 waiting."""
ASK_AGAIN_S = 10.0
TRIES = 6
"""Then the rest is taken for lost: the alerter knows no more."""
MISSED_EPOCHS = 50
"""Restarts of an alerter that nobody heard of: as many are asked for, in case."""
Epoch = tuple[int, int]
"""Station and epoch."""


@dataclass
class _Heard:
    through: int = 0
    """Everything up to this number is there."""
    newest: int = 0
    """There are entries up to this number."""
    beyond: dict[int, int] = field(default_factory=dict)
    """Stretches that came too early, first → last."""
    asked_at: float | None = None
    tries: int = 0

    def add(self, first: int, last: int) -> bool:
        """Take note of a stretch; whether what is whole has grown."""
        self.newest = max(self.newest, last)
        if first > self.through + 1:
            self.beyond[first] = max(last, self.beyond.get(first, last))
            return False
        before, self.through = self.through, max(self.through, last)
        for start in sorted(self.beyond):
            if start <= self.through + 1:
                self.through = max(self.through, self.beyond.pop(start))
        return self.through > before

    @property
    def gap(self) -> tuple[int, int] | None:
        """The first stretch that is missing."""
        last = min(self.beyond) - 1 if self.beyond else self.newest
        return (self.through + 1, last) if last > self.through else None


class Journals:
    """Every station's journal, as far as it was heard; for one thread at a time."""

    def __init__(self) -> None:
        self._heard: dict[Epoch, _Heard] = {}

    def known(self, station: int, epoch: int, through: int) -> None:
        """What an earlier process stored."""
        if through:
            self._of(station, epoch).add(1, through)

    def hear(self, entry: JournalEntry) -> int:
        """Take note of an entry (or of a hole, which is nothing more to wait for).

        Returns:
            Up to which number everything is there.
        """
        heard = self._of(entry.station, entry.epoch)
        last = entry.to if entry.kind == "hole" and entry.to else entry.sequence
        if heard.add(entry.sequence, last):
            heard.tries, heard.asked_at = 0, None
        return heard.through

    def lost(self, entry: JournalEntry) -> None:
        """An entry was heard, but there was no room to keep it: it is asked for again."""
        heard = self._of(entry.station, entry.epoch)
        heard.through = min(heard.through, entry.sequence - 1)
        heard.asked_at, heard.tries = None, 0

    def stands_at(self, station: int, epoch: int, sequence: int) -> None:
        """A station tells how far its journal is; what it kept in epochs before may be missing."""
        if (station, epoch) not in self._heard:
            self._end_epochs_before(station, epoch)
        heard = self._of(station, epoch)
        heard.newest = max(heard.newest, sequence)

    def _end_epochs_before(self, station: int, epoch: int) -> None:
        """Nobody told how these ended, so all is asked for that there could be."""
        known = [before for one, before in self._heard if one == station and before < epoch]
        if known and epoch - max(known) <= MISSED_EPOCHS:
            for before in range(max(known), epoch):
                heard = self._of(station, before)
                heard.newest = heard.through + MOST_ASKED

    def _of(self, station: int, epoch: int) -> _Heard:
        return self._heard.setdefault((station, epoch), _Heard())

    def due(self, now: float) -> list[ReplayRequest]:
        """What to ask for now.

        Args:
            now: monotonic seconds.
        """
        asked: list[ReplayRequest] = []
        for key in sorted(self._heard, reverse=True):
            if len(asked) < AT_ONCE and (one := self._due(key, now)):
                asked.append(one)
        return asked

    def _due(self, key: Epoch, now: float) -> ReplayRequest | None:
        heard = self._heard[key]
        gap = heard.gap
        if gap is None or (heard.asked_at is not None and now - heard.asked_at < ASK_AGAIN_S):
            return None
        if heard.tries >= TRIES:
            heard.add(*gap)
            heard.tries, heard.asked_at = 0, None
            return None
        heard.tries, heard.asked_at = heard.tries + 1, now
        first, last = gap[0], min(gap[1], gap[0] + MOST_ASKED - 1)
        return ReplayRequest(station=key[0], epoch=key[1], from_=first, to=last, asked_by="console")
