"""Keeps what waits on a disk that may hang, be full or refuse for a while; nobody waits for it.

Three threads: whoever changes something says so (`put`, `remove`); in turn with the alerts' lines a
draft is handed to the kernel, before the reporter is answered; and one that may wait for the disk
brings it there (`sync`), and tries again what was refused.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from alerter import metrics
from alerter.deciding import waiting_files
from alerter.deciding.waiting import Waiting
from alerter.deciding.waiting_files import DRAFT, KEPT
from hazardcast.machine import durable
from hazardcast.machine.refusals import in_words
from hazardcast.machine.steady import Moment

log = logging.getLogger(__name__)


class InTurn(Protocol):
    """Whoever does work in turn with what is kept, off the thread that alerts."""

    def also(self, work: Callable[[], None]) -> bool:
        """Have it done in turn; False: it will not be."""
        ...


@dataclass(frozen=True)
class Kept:
    """One incident as it is at a moment; written down by whoever writes it."""

    item: Waiting
    moment: Moment
    noted: dict[str, Any]

    def text(self) -> str:
        """The content of its file."""
        return waiting_files.text(self.item, self.moment, self.noted)


class WaitingFolder:
    """The folder, and what of it the disk has still to take: of each incident the newest.

    Args:
        folder: made when needed.
        turn: by whom drafts are written.
    """

    def __init__(self, folder: Path, turn: InTurn) -> None:
        self.path, self._turn = folder, turn
        self._due: dict[str, Kept | None] = {}
        self._drafts = {path.stem for path in folder.glob(f"*{DRAFT}")}
        self._refusing = False
        self._guard = threading.Lock()

    def put(self, kept: Kept) -> None:
        """Keep one, or its newest state."""
        event_id = kept.item.event_id
        with self._guard:
            self._due[event_id] = kept
        self._turn.also(partial(self._draft, event_id, kept))

    def remove(self, event_id: str) -> None:
        """Forget one; what was noted in turn before, such as its alert, is on the disk first."""
        with self._guard:
            self._due[event_id] = None
        self._turn.also(partial(self._discard, event_id))

    def _draft(self, event_id: str, kept: Kept) -> None:
        if self._due.get(event_id) is not kept:  # changed since, or on the disk by now
            return
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._drafts.add(event_id)
            self._file(event_id, DRAFT).write_text(kept.text(), encoding="utf-8")
        except OSError as error:
            self._refused(error)

    def _discard(self, event_id: str) -> None:
        """Remove a draft that says nothing that is not on the disk too."""
        if self._due.get(event_id):
            return
        try:
            self._file(event_id, DRAFT).unlink(missing_ok=True)
            self._drafts.discard(event_id)
        except OSError as error:
            self._refused(error)

    def sync(self) -> None:
        """Bring to the disk what is due there; what it refuses is offered by the next call.

        To be called after the alerts' state is on the disk: what became an alert goes last.
        """
        with self._guard:
            due = sorted(self._due.items(), key=lambda one: one[1] is not None)  # makes room first
        try:
            for event_id, kept in due:
                self._bring(event_id, kept)
        except OSError as error:
            self._refused(error)
            return
        if due and self._refusing:
            self._refusing = False
            log.info("what waits is kept again")
        for event_id in tuple(self._drafts):
            self._turn.also(partial(self._discard, event_id))

    def _bring(self, event_id: str, kept: Kept | None) -> None:
        path = self._file(event_id, KEPT)
        if kept:
            self.path.mkdir(parents=True, exist_ok=True)
            durable.write(path, kept.text())
        elif path.exists():
            path.unlink(missing_ok=True)
            durable.flush_folder(self.path)
        with self._guard:
            if self._due.get(event_id) is kept:
                self._due.pop(event_id, None)

    def _file(self, event_id: str, suffix: str) -> Path:
        return self.path / f"{event_id}{suffix}"

    def _refused(self, error: OSError) -> None:
        """Count it, and say so once until the disk takes everything again."""
        metrics.STATE_ERRORS.inc()
        if not self._refusing:
            self._refusing = True
            reason = in_words(error)
            log.error("what waits is not kept, will be tried again", extra={"reason": reason})
