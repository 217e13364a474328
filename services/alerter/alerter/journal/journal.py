"""The alerter's journal: every version of an alert, and what was decided; only ever added to.

An entry gets its number when it comes about, under the alerter's lock, and is written by the thread
that keeps the state, in turn with it: before `v2x/active` says it, and after the datagram. What the
disk does not take waits in memory, up to a bound; what is lost beyond it is marked as a hole.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from alerter import metrics
from alerter.journal import files, holes
from alerter.lifecycle.line_file import LineFile
from hazardcast.contract.messages import Alert, Decided, JournalEntry, Pending, Verdict
from hazardcast.machine.clock import Clock
from hazardcast.machine.refusals import in_words
from hazardcast.machine.state_version import Format, as_it_is

log = logging.getLogger(__name__)
FORMAT = Format((as_it_is,))
HEADER = json.dumps(FORMAT.stamped({}))
PART_BYTES = 4_000_000
MOST_WAITING_BYTES = 2_000_000
"""Less than a `LineFile` bears, so that what is given up is given up here, where it is marked."""
PRUNE_EVERY_S = 600.0
Kind = Literal["alert", "pending", "decided", "verdict"]


class InTurn(Protocol):
    """Whoever does work in turn with what is kept, off the thread that alerts."""

    def also(self, work: Callable[[], None]) -> bool:
        """Have it done in turn; False: there is too much to do, and it will not be."""
        ...


class Settled(NamedTuple):
    """What is known of the entries of an epoch that still runs."""

    last: int
    lost: tuple[tuple[int, int], ...]
    """Ranges at the end that no disk took and no line marks yet."""


class Journal:
    """The journal of one run of the station.

    Args:
        folder: where the files are; made when needed.
        station: whose.
        epoch: of this run; higher than those before.
        turn: by whom it is written.
        clock: the machine's.
        say: tells an entry to whoever listens, if there is a way to now.
        most_bytes: how much is kept, all files together.
        most_age_s: how long.
    """

    def __init__(
        self,
        folder: Path,
        *,
        station: int,
        epoch: int,
        turn: InTurn,
        clock: Clock,
        say: Callable[[JournalEntry], None],
        most_bytes: float,
        most_age_s: float,
    ) -> None:
        self.folder, self.station, self.epoch = folder, station, epoch
        self._turn, self._clock, self._say = turn, clock, say
        self._most_bytes, self._most_age_s = most_bytes, most_age_s
        self._sequence = 0
        self._handed = self._written = 0
        """The newest entry that was handed to the file, and that the kernel has taken with all
        before it."""
        self._unsaid: list[JournalEntry] = []
        self._file: LineFile | None = None
        self._file_bytes = 0
        self._outgoing: list[LineFile] = []
        self._lost: list[tuple[int, int]] = []
        self._dirty = False
        self._refusing = False
        self._prune_at = float("-inf")
        self._guard = threading.Lock()

    @property
    def newest(self) -> int:
        """The sequence given last; 0: none yet."""
        return self._sequence

    def settled(self) -> Settled:
        """Up to where it is known what became of every entry; what is not yet written is not."""
        with self._guard:
            last, lost = self._written, []
            for first, end in self._lost:
                if first == last + 1:
                    lost.append((first, end))
                    last = end
            return Settled(last, tuple(lost))

    def alert(self, alert: Alert, *, confidence: float | None, reporter: str | None) -> None:
        """Note a version that was broadcast."""
        self._add("alert", alert=alert, confidence=confidence, reporter=reporter)

    def pending(self, pending: Pending) -> None:
        """Note an incident that is not broadcast, or not yet."""
        self._add("pending", pending=pending)

    def decided(self, decided: Decided) -> None:
        """Note what became of a decision, or of what waited for one."""
        self._add("decided", decided=decided)

    def verdict(self, verdict: Verdict) -> None:
        """Note a person's word."""
        self._add("verdict", verdict=verdict)

    def _add(self, kind: Kind, **facts: Any) -> None:
        self._sequence += 1
        entry = JournalEntry.model_construct(  # of what was validated: nothing to look at again
            station=self.station,
            epoch=self.epoch,
            sequence=self._sequence,
            kind=kind,
            ts=round(self._clock.now(), 3),
            **facts,
        )
        if self._turn.also(lambda: self._write(entry)):
            self._unsaid.append(entry)
        else:
            self._lose(entry.sequence)

    def tell(self) -> None:
        """Have what was noted since the last call told, once everything noted so far is written."""
        if self._unsaid:
            unsaid, self._unsaid = self._unsaid, []
            self._turn.also(lambda: self._tell(unsaid))

    def _tell(self, unsaid: list[JournalEntry]) -> None:
        for entry in unsaid:
            self._say(entry)

    def _write(self, entry: JournalEntry) -> None:
        with self._guard:
            if self._file and self._file.pending_bytes > MOST_WAITING_BYTES:
                self._lose(entry.sequence)
                return
            self._offer([*self._marked(entry.sequence), entry.encode()], entry.sequence)

    def _marked(self, before: int) -> list[str]:
        """The lines that say what is missing before an entry."""
        due = [lost for lost in self._lost if lost[1] < before]
        self._lost = [lost for lost in self._lost if lost[1] >= before]
        now = round(self._clock.now(), 3)
        return [
            holes.hole(self.station, self.epoch, first, last, cause="disk", now=now).encode()
            for first, last in due
        ]

    def _lose(self, sequence: int) -> None:
        metrics.JOURNAL_LOST.inc()
        if self._lost and self._lost[-1][1] == sequence - 1:
            self._lost[-1] = (self._lost[-1][0], sequence)
        else:
            self._lost.append((sequence, sequence))

    def _offer(self, lines: list[str], sequence: int) -> None:
        if self._file is None or (self._file_bytes >= PART_BYTES and not self._file.pending):
            lines = [HEADER, *lines]
            self._begin(sequence)
        assert self._file
        self._dirty = True
        self._file_bytes += sum(map(len, lines))
        self._handed = sequence
        try:
            self._file.append(lines)
            self._written = sequence
        except OSError as error:
            self._refused(error)

    def _begin(self, sequence: int) -> None:
        """A new file; the one before is synced and closed where nobody waits for it."""
        if self._file:
            self._outgoing.append(self._file)
        self._make_folder()
        path = files.part_path(self.folder, epoch=self.epoch, first=sequence)
        self._file, self._file_bytes = LineFile(path), 0

    def _make_folder(self) -> None:
        """If the disk refuses, what is written says so, and it is tried again."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)

    def sync(self) -> None:
        """Bring what was written to the disk, and remove what is too old; from time to time."""
        try:
            if self._dirty:
                self._dirty = False
                self._sync()
                self._taken()
            self._prune()
        except OSError as error:
            self._dirty = True
            self._refused(error)

    def _sync(self) -> None:
        """Entries may be added meanwhile: no fsync under the guard."""
        with self._guard:
            self._make_folder()
            current, outgoing = self._file, list(self._outgoing)
            if current:
                current.offer()
                self._written = self._handed
        for file in outgoing:
            file.sync()
            file.close()
            self._outgoing.remove(file)
        if current:
            current.sync()

    def _taken(self) -> None:
        if self._refusing:
            self._refusing = False
            log.info("the journal is kept again")

    def _prune(self) -> None:
        now = self._clock.monotonic()
        if now < self._prune_at:
            return
        self._prune_at = now + PRUNE_EVERY_S
        going = files.removable(
            files.parts(self.folder),
            now=self._clock.now(),
            most_bytes=self._most_bytes,
            most_age_s=self._most_age_s,
        )
        for part in going:
            part.path.unlink(missing_ok=True)

    def _refused(self, error: OSError) -> None:
        metrics.STATE_ERRORS.inc()
        if not self._refusing:
            self._refusing = True
            log.error("journal not kept, will be tried again", extra={"reason": in_words(error)})

    def close(self) -> None:
        """Add no more."""
        self.sync()
        with self._guard:
            if self._file:
                self._file.close()
                self._file = None
