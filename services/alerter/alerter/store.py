"""What must outlive the process, in `state/alerter/`: epoch, sequence and the events held.

`station.json` is replaced atomically and synced before what it promises is used. `events.jsonl` is
a journal: one line per change, the last line of an event counts, compacted at start and when long.
A written line survives `kill -9`; `sync`, off the hot path, makes it survive power loss.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alerter import metrics
from alerter.register import Event
from hazardcast.clock import Clock
from hazardcast.errors import ConfigError, DecodeError
from hazardcast.messages import Alert

log = logging.getLogger(__name__)
COMPACT_FROM_LINES = 2000
LOCK_WITHIN_S = 10.0


class Store:
    """The files of one station; one process at a time may hold them."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._station = folder / "station.json"
        self._journal = folder / "events.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        self._lock_file = _hold(folder / "lock", clock)
        self._kept = self._read_station(clock)
        self._fd = -1
        self._lines = 0
        self._dirty = False
        self._guard = threading.Lock()

    @property
    def next_number(self) -> int:
        """The first event number that was surely never given."""
        return int(self._kept["next_number"])

    def reserve_number(self, end: int) -> None:
        """Promise that numbers below `end` may be in use; on disk when it returns."""
        self._keep(next_number=end)

    def next_epoch(self, now: float) -> int:
        """An epoch higher than any before, on disk when it returns (clock lost or state lost)."""
        epoch = max(int(now), int(self._kept["epoch"]) + 1)
        self._keep(epoch=epoch)
        return epoch

    def load(self) -> list[Event]:
        """The events as they were; lines that cannot be read are logged and left out."""
        events: dict[str, Event] = {}
        if self._journal.exists():
            for number, line in enumerate(self._journal.read_bytes().splitlines(), start=1):
                _replay(line, events, number)
        self.compact(events.values())
        return list(events.values())

    def put(self, event: Event) -> None:
        """Note an event's newest state."""
        self._append(_event_line(event))

    def remove(self, event_id: str) -> None:
        """Forget an event."""
        self._append(json.dumps({"gone": event_id}))

    def sync(self) -> None:
        """Bring what was noted to the disk, if there is anything new."""
        if not self._dirty:
            return
        self._dirty = False
        os.fsync(self._fd)

    @property
    def long(self) -> bool:
        """Whether the journal has grown long enough to be written anew."""
        return self._lines >= COMPACT_FROM_LINES

    def compact(self, events: Iterable[Event]) -> None:
        """Write the journal anew with one line for each of `events`."""
        lines = [_event_line(event) for event in events]
        with self._guard:
            _replace(self._journal, "".join(f"{line}\n" for line in lines))
            if self._fd >= 0:
                os.close(self._fd)
            self._fd = os.open(self._journal, os.O_WRONLY | os.O_APPEND)
            self._lines = 0

    def close(self) -> None:
        """Let another process have the files."""
        self.sync()
        with self._guard:
            os.close(self._fd)
            os.close(self._lock_file)

    def _append(self, line: str) -> None:
        """Hand a line to the kernel; a full disk costs the resumption, never the alert."""
        try:
            with self._guard:
                os.write(self._fd, f"{line}\n".encode())
        except OSError as error:
            metrics.STATE_ERRORS.inc()
            log.error("state not kept", extra={"reason": str(error)})
        self._lines += 1
        self._dirty = True

    def _read_station(self, clock: Clock) -> dict[str, int]:
        fresh = {"epoch": 0, "next_number": 1}
        try:
            kept = json.loads(self._station.read_text(encoding="utf-8"))
            return {name: int(kept[name]) for name in fresh}
        except FileNotFoundError:
            return fresh
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error("state is unreadable, numbers go on from the clock: %s", error)
            return {"epoch": 0, "next_number": int(clock.now())}

    def _keep(self, **changes: int) -> None:
        self._kept = self._kept | changes
        _replace(self._station, json.dumps(self._kept) + "\n")


def _hold(path: Path, clock: Clock) -> int:
    """Lock a file until this process ends, however it ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    never = threading.Event()
    deadline = clock.monotonic() + LOCK_WITHIN_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except OSError:
            if clock.monotonic() >= deadline:
                os.close(descriptor)
                raise ConfigError(f"{path.parent}: another alerter is using this state") from None
            clock.wait(never, 0.1)


def _replace(path: Path, text: str) -> None:
    """Replace a file in one step, on disk when it returns."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _event_line(event: Event) -> str:
    about = {
        "evidence_ts": event.evidence_ts,
        "clip_camera": event.clip_camera,
        "owner": event.owner,
        "aliases": list(event.aliases),
        "open_reports": sorted(event.open_reports),
    }
    return f'{{"alert":{event.alert.encode()},"about":{json.dumps(about)}}}'


def _replay(line: bytes, events: dict[str, Event], number: int) -> None:
    try:
        data = json.loads(line)
        if "gone" in data:
            events.pop(data["gone"], None)
        else:
            event = _event(data)
            events[event.alert.event_id] = event
    except (ValueError, KeyError, TypeError, DecodeError) as error:
        log.warning("line of the journal left out", extra={"line": number, "reason": str(error)})


def _event(data: dict[str, Any]) -> Event:
    about = data["about"]
    return Event(
        alert=Alert.parse(data["alert"]),
        evidence_ts=float(about["evidence_ts"]),
        clip_camera=about["clip_camera"],
        owner=about["owner"],
        aliases=tuple(about["aliases"]),
        open_reports=frozenset(about["open_reports"]),
    )
