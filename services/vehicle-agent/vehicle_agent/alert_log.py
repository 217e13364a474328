"""`alerts.csv`: every announced alert with all its times, rotated by size."""

from __future__ import annotations

import csv
import errno
import io
import logging
import os
import unicodedata
from collections import deque
from io import RawIOBase
from pathlib import Path

from hazardcast.machine.refusals import in_words
from vehicle_agent.announcement import Announcement

log = logging.getLogger(__name__)
FILE = "alerts.csv"
MAX_BYTES = 10_000_000
KEPT = 5
MOST_OWED = 1000
"""Rows that wait for a disk; of more the oldest are lost."""
_FORMULA = frozenset("=+-@")
COLUMNS = (
    "event_id", "word", "status", "revision", "type", "severity", "road", "test",
    "station", "epoch", "seq", "copy", "copies", "path",
    "t0_confirmed", "t1_version", "t2_sent", "t3_received", "t4_verified", "t5_displayed",
    "clock_error_s",
)  # fmt: skip
"""Times are epoch seconds: t0 to t2 by the station's clock, t3 to t5 by the vehicle's."""


class AlertLog:
    """Appends rows; `alerts.1.csv` is the file before, up to `KEPT` of them."""

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES, kept: int = KEPT) -> None:
        self._folder = folder
        self._path = folder / FILE
        self._max_bytes = max_bytes
        self._kept = kept
        self._stuck = False
        self._owed: deque[bytes] = deque(maxlen=MOST_OWED)

    @property
    def owes(self) -> bool:
        """Whether rows wait for the disk to take them."""
        return bool(self._owed)

    def append(self, announcement: Announcement, displayed_at: float | None) -> None:
        """Add a row; without `displayed_at` where the console has not shown it.

        Raises:
            OSError: the disk does not take it now; `catch_up` adds it, of the last `MOST_OWED`.
        """
        self._owed.append(_text(_row(announcement, displayed_at)).encode("utf-8", "replace"))
        self.catch_up()

    def catch_up(self) -> None:
        """Add the rows that the disk did not take before.

        Raises:
            OSError: nor does it now; no part of a row is left in the file.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        while self._owed:
            self._rotate_when_due()
            self._add(self._owed[0])
            self._owed.popleft()

    def _add(self, row: bytes) -> None:
        with self._path.open("ab", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            try:
                _write_all(file, (b"" if size else _text(COLUMNS).encode()) + row)
            except OSError:
                file.truncate(size)  # half a row would spoil the next one
                raise

    def _rotate_when_due(self) -> None:
        """Where files cannot be renamed the rows go on in the present one: none is lost for it."""
        try:
            if self._path.stat().st_size >= self._max_bytes:
                self._rotate()
        except FileNotFoundError:
            return
        except OSError as error:
            if not self._stuck:
                log.error("alerts.csv cannot be rotated", extra={"reason": in_words(error)})
            self._stuck = True
        else:
            self._stuck = False

    def _rotate(self) -> None:
        for number in range(self._kept - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        self._path.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self._path.with_suffix(f".{number}.csv")


def _text(cells: tuple[object, ...]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(_harmless(cell) for cell in cells)
    return buffer.getvalue()


def _harmless(cell: object) -> object:
    """A text that a spreadsheet would take for a formula is marked as text.

    Where East Asian letters are typed, also by a full-width sign (OWASP, CSV Injection).
    """
    if isinstance(cell, str) and unicodedata.normalize("NFKC", cell.lstrip()[:1]) in _FORMULA:
        return "'" + cell
    return "" if cell is None else cell


def _write_all(file: RawIOBase, data: bytes) -> None:
    left = memoryview(data)
    while left:
        written = file.write(left)
        if not written:
            raise OSError(errno.ENOSPC, "nothing more is taken")
        left = left[written:]


def _row(announcement: Announcement, displayed_at: float | None) -> tuple[object, ...]:
    alert, sighting = announcement.alert, announcement.sighting
    what = (
        alert.event_id, announcement.word.value, alert.status, alert.revision, alert.type.value,
        alert.severity.value, alert.road, int(alert.test),
    )  # fmt: skip
    if sighting is None:
        versions = (_time(alert.confirmed_at), _time(alert.reference_time))
        return (*what, *[None] * 6, *versions, *[None] * 3, _time(displayed_at), None)
    datagram = sighting.datagram
    return (
        *what, datagram.station, datagram.epoch, datagram.seq, *datagram.copy_, sighting.path,
        _time(alert.confirmed_at), _time(alert.reference_time), _time(datagram.tx),
        _time(sighting.received_at), _time(sighting.verified_at), _time(displayed_at),
        sighting.clock_error_s,
    )  # fmt: skip


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:.6f}"
