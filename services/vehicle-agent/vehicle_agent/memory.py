"""What a vehicle keeps on disk across restarts: how far it heard each station, what it showed.

A vehicle that was put back to an older version must go on hearing alerts, so it does not end where
it finds a file of a newer one. It puts that aside under another name, says so, and goes on:

- Marks are taken over wherever an entry still reads as one: they only refuse, and what they refuse
  was heard. Were they dropped, a recording younger than `MAX_AGE_S` could be believed once more,
  and an older one shown (never acted upon) while the clock is in doubt. A later format must
  therefore give `epoch` and `seq` other names should they ever mean something else. A number that
  cannot be one of today's is passed over, as it would deafen the vehicle to its station.
- What was shown is not taken over: alerts in force are shown once more. What had ended stays so,
  as the marks refuse its datagrams.
"""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any, TypeGuard

from hazardcast.machine import durable
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.machine.refusals import in_words
from hazardcast.machine.state_version import Format, NewerStateError, as_it_is
from vehicle_agent import metrics
from vehicle_agent.fault import Fault

log = logging.getLogger(__name__)
EPOCHS_FILE = "epochs.json"
ALERTS_FILE = "alerts.json"
Marks = dict[int, tuple[int, int]]
EPOCHS = Format((as_it_is,))
ALERTS = Format((lambda entries: {"alerts": entries},))
"""Once it was the list alone."""
EPOCH_BELOW, SEQ_BELOW = 2**33, 2**40
"""Epochs count seconds, numbers datagrams: what a newer version keeps beyond these is neither."""


class Memory:
    """Two small files, each written in one step; without a disk the agent works on, forgetful."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self._folder = folder
        self._fault = Fault("state", clock or SystemClock())
        self._lock = threading.Lock()
        self._to_put_aside: dict[str, tuple[str, str]] = {}
        """File of a newer version → the name it is to have, and its text, until it has."""
        self._marks = _marks(self._read(EPOCHS_FILE, EPOCHS))
        self._written = dict(self._marks)

    @property
    def marks(self) -> Marks:
        """Station → (epoch, highest sequence number) as last kept."""
        return dict(self._marks)

    def load(self) -> dict[int, int]:
        """Station → highest epoch."""
        return {station: epoch for station, (epoch, _) in self._marks.items()}

    def save(self, epochs: dict[int, int]) -> None:
        """Note the epochs: a lower one is never believed again. `flush` puts them on disk."""
        with self._lock:
            for station, epoch in epochs.items():
                if self._marks.get(station, (-1, 0))[0] < epoch:
                    self._marks[station] = (epoch, 0)

    def note(self, marks: Marks) -> None:
        """Note how far each station was heard; a station not named keeps its mark."""
        with self._lock:
            self._marks.update(marks)

    def flush(self) -> bool:
        """Put on disk what was noted. Kept off the receive path, as disks may take their time.

        False when the disk does not take it: it is tried again at the next call.
        """
        with self._lock:
            marks = dict(self._marks)
        if marks == self._written:
            return True
        named = {
            str(station): {"epoch": epoch, "seq": seq} for station, (epoch, seq) in marks.items()
        }
        if not self._write(EPOCHS_FILE, EPOCHS.stamped(named)):
            return False
        self._written = marks
        return True

    def alerts(self) -> list[dict[str, Any]]:
        """What `save_alerts` kept."""
        data = self._read(ALERTS_FILE, ALERTS)
        entries = data.get("alerts") if isinstance(data, dict) else None
        entries = entries if isinstance(entries, list) else []
        return [entry for entry in entries if isinstance(entry, dict)]

    def save_alerts(self, alerts: list[dict[str, Any]]) -> bool:
        """Keep which versions are known and shown; False when the disk does not take it."""
        return self._write(ALERTS_FILE, ALERTS.stamped({"alerts": alerts}))

    def _read(self, name: str, form: Format) -> object:
        path = self._folder / name
        text = ""
        try:
            text = path.read_text(encoding="utf-8")
            return form.read(json.loads(text), path)
        except NewerStateError as error:
            return self._of_newer(name, text, error)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            reason = in_words(error) if isinstance(error, OSError) else str(error)
            facts = {"path": str(path), "reason": reason}
            log.error("kept state is unreadable, starting without it", extra=facts)
            return None

    def _of_newer(self, name: str, text: str, error: NewerStateError) -> object:
        """What of a newer version's file is safe to use, once it will not be lost."""
        aside = f"{name}.version-{error.version}"
        self._to_put_aside[name] = (aside, text)
        metrics.PART_FAILURES["state"].inc()
        usable = _plausible(json.loads(text)) if name == EPOCHS_FILE else None
        facts = {
            "reason": str(error), "kept_as": str(self._folder / aside),
            "stations": len(_marks(usable)),
        }  # fmt: skip
        log.error("state of a newer version is put aside, going on without it", extra=facts)
        self._fault.guard(self._put_aside)
        return usable

    def _put_aside(self) -> None:
        """A copy: until the file itself is written over, whole, a crash finds what was there."""
        for name, (aside, text) in tuple(self._to_put_aside.items()):
            durable.write(self._folder / aside, text, mode=0o600)
            del self._to_put_aside[name]

    def _write(self, name: str, data: object) -> bool:
        def write() -> bool:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._put_aside()
            durable.write(self._folder / name, json.dumps(data), mode=0o600)
            return True

        return self._fault.guard(write) is not None


def _plausible(data: dict[str, Any]) -> dict[str, Any]:
    """The entries whose numbers can be an epoch and a sequence number of today."""
    return {
        station: mark
        for station, mark in data.items()
        if isinstance(mark, dict)
        and _is_number(mark.get("epoch"), EPOCH_BELOW)
        and _is_number(mark.get("seq"), SEQ_BELOW)
    }


def _marks(data: object) -> Marks:
    """Whatever of the file makes sense: a mark that cannot be read is as good as none."""
    marks: Marks = {}
    for station, mark in data.items() if isinstance(data, dict) else ():
        if isinstance(mark, dict):
            epoch, seq = mark.get("epoch"), mark.get("seq")
            if str(station).isdecimal() and _is_number(epoch) and _is_number(seq):
                marks[int(station)] = (epoch, seq)
    return marks


def _is_number(value: object, below: int = 2**63) -> TypeGuard[int]:
    """One that a datagram can bear: a greater epoch would deafen the vehicle to its station."""
    return type(value) is int and 0 <= value < below
