"""What must outlive the process, in `state/alerter/`: epoch, sequence and the events held.

`station.json` is replaced atomically and synced before what it promises is used. `events-N.jsonl`
are parts of a journal: one line per change, the last line of an event counts. A new part begins
with everything that is held, so that the older ones can go once it is on disk. A written line
survives `kill -9`; `sync`, off the hot path, makes it survive power loss. What a full disk does not
take is kept in memory and offered again until it does.
"""

from __future__ import annotations

import json
import logging
import math
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from alerter import metrics
from alerter.lifecycle import crowding
from alerter.lifecycle.events import Event, Word
from alerter.lifecycle.line_file import LineFile
from alerter.lifecycle.noted import Notes, Reckoning
from hazardcast.contract.errors import ConfigError, DecodeError
from hazardcast.contract.messages import Alert
from hazardcast.machine import durable
from hazardcast.machine.clock import Clock
from hazardcast.machine.refusals import in_words
from hazardcast.machine.state_version import VERSION, Format, as_it_is, version_of
from hazardcast.machine.steady import Steady

log = logging.getLogger(__name__)
COMPACT_FROM_LINES = 2000
COMPACT_AGAIN_S = 1.0
EARLY_S = 5.0
"""A report may be dated so far ahead: no event begins later than that."""
LOCK_WITHIN_S = 10.0
STATION, JOURNAL = Format((as_it_is,)), Format((as_it_is,))
HEADER = json.dumps(JOURNAL.stamped({}))
"""The first line of each part; a part of before has none."""


class Store:
    """The files of one station; one process at a time may hold them.

    Args:
        folder: where they are.
        clock: the machine's clocks, for what outlives the process is dated by the wall clock.
        steady: the station's time, in which events are held.
    """

    def __init__(self, folder: Path, clock: Clock, steady: Steady | None = None) -> None:
        self._folder = folder
        self._steady = steady or Steady(clock)
        self._clock = clock
        self._notes = Notes(clock, self._steady)
        self._station = folder / "station.json"
        folder.mkdir(parents=True, exist_ok=True)
        self._lock_file = _hold(folder / "lock", clock)
        self._kept = self._read_station(clock)
        self._journal: LineFile | None = None
        self._part = 0
        self._outdated: list[Path] = []
        self._lines = 0
        self._dirty = False
        self._refusing = False
        self._compact_from = float("-inf")
        self._guard = threading.Lock()

    @property
    def next_number(self) -> int:
        """The first event number that was surely never given."""
        return int(self._kept["next_number"])

    def reserve_number(self, end: int) -> None:
        """Promise that numbers below `end` may be in use; on disk when it returns."""
        self._keep(next_number=end)

    def next_epoch(self, now: float) -> int:
        """An epoch higher than any before (clock lost or state lost), on disk if that takes it.

        If it does not, the epoch goes there with the next numbers; until then the clock vouches.
        """
        epoch = max(int(now), int(self._kept["epoch"]) + 1)
        self.keep_epoch(epoch)
        return epoch

    def keep_epoch(self, epoch: int) -> None:
        """Note the epoch that is in use, if the disk takes it."""
        try:
            self._keep(epoch=epoch)
        except OSError as error:
            self._refused(error)

    def load(self) -> list[Event]:
        """The events as they were; lines that cannot be read are logged and left out.

        A disk that takes nothing holds up no start: the old parts stay until it has the new one.

        Raises:
            ConfigError: a part is of a newer version.
        """
        events: dict[str, Event] = {}
        there = sorted(filter(_part_number, self._folder.glob("events-*.jsonl")), key=_part_number)
        self._outdated = [path for path in there if self._replay_part(path, events)]
        self._part = 1 + max(map(_part_number, there), default=0)
        self._journal = LineFile(self._folder / f"events-{self._part}.jsonl")
        self._append(HEADER)
        for event in events.values():
            self.put(event)
        self._lines, self._dirty = 0, True
        self.sync()
        return list(events.values())

    def put(self, event: Event) -> None:
        """Note an event's newest state."""
        self._append(self._event_line(event))

    def remove(self, event_id: str) -> None:
        """Forget an event."""
        self._append(json.dumps({"gone": event_id}))

    def also(self, work: Callable[[], None]) -> bool:
        """Have something else written, at once."""
        work()
        return True

    def settle(self) -> None:
        """What was noted is written already."""

    def sync(self) -> None:
        """Bring what was noted to the disk, if there is anything new, and drop outdated parts.

        What the disk refuses is offered again by the next call.
        """
        if not self._dirty or self._journal is None:
            return
        self._dirty = False
        try:
            with self._guard:
                self._journal.offer()
                journal, outdated = self._journal, list(self._outdated)
            journal.sync()
            durable.flush_folder(self._folder)
            for path in outdated:
                path.unlink(missing_ok=True)
                self._outdated.remove(path)
        except OSError as error:
            self._dirty = True
            self._refused(error)
        else:
            self._taken()

    def keep_short(self, events: Iterable[Event]) -> None:
        """Begin a new part once the journal is long or lacks something; to be called often.

        A disk that refuses keeps the old part, and is asked again after `COMPACT_AGAIN_S`.
        """
        now = self._clock.monotonic()
        lacks = self._journal is not None and self._journal.incomplete
        if not (self.long or lacks) or now < self._compact_from:
            return
        try:
            self.compact(events)
        except OSError as error:
            self._compact_from = now + COMPACT_AGAIN_S
            self._refused(error)

    @property
    def long(self) -> bool:
        """Whether the journal has grown long enough to be written anew."""
        return self._lines >= COMPACT_FROM_LINES

    def compact(self, events: Iterable[Event]) -> None:
        """Begin a new part of the journal with `events`; waits for no disk.

        To be called by the thread that calls `put` and `remove`.

        Raises:
            OSError: the disk does not take it; the journal goes on as it was.
        """
        lines = [HEADER, *(self._event_line(event) for event in events)]
        with self._guard:
            self._part += 1
            journal = LineFile(self._folder / f"events-{self._part}.jsonl")
            try:
                journal.append(lines)
            except OSError:
                journal.close()
                journal.path.unlink(missing_ok=True)
                raise
            if self._journal:
                self._journal.close()
                self._outdated.append(self._journal.path)
            self._journal = journal
            self._lines = 0
            self._dirty = True

    def close(self) -> None:
        """Let another process have the files."""
        self.sync()
        with self._guard:
            if self._journal:  # it may never have been loaded
                self._journal.close()
            os.close(self._lock_file)

    def _append(self, line: str) -> None:
        """Hand a line to the kernel; a full disk costs at most the resumption, never the alert."""
        assert self._journal
        try:
            with self._guard:
                self._journal.append((line,))
        except OSError as error:
            self._refused(error)
        self._lines += 1
        self._dirty = True

    def _refused(self, error: OSError) -> None:
        """Count it, and say so once until the disk takes everything again."""
        metrics.STATE_ERRORS.inc()
        if not self._refusing:
            self._refusing = True
            log.error("state not kept, will be tried again", extra={"reason": in_words(error)})

    def _taken(self) -> None:
        if self._refusing:
            self._refusing = False
            log.info("state is kept again")

    def _event_line(self, event: Event) -> str:
        """An event as a line: dated by the wall clock, with the moment on both clocks."""
        set_by_s = self._steady.moment().set_by_s
        about = {
            "evidence_ts": event.evidence_at + set_by_s,
            "began_at": event.began_at + set_by_s,
            "life_s": event.life_s,
            "source": event.source,
            "clip_camera": event.clip_camera,
            "first_ts": event.first_ts,
            "owner": event.owner,
            "aliases": list(event.aliases),
            "open_reports": sorted(event.open_reports),
            "words": {
                name: (word.at + set_by_s, word.source, word.open, _finite(word.claimed_ts))
                for name, word in event.words.items()
            },
            "noted": self._notes.note(),
        }
        return f'{{"alert":{event.alert.encode()},"about":{json.dumps(about)}}}'

    def _replay_part(self, path: Path, events: dict[str, Event]) -> bool:
        """Whether a part could be read; one that may not be read holds up no start."""
        try:
            lines = path.read_bytes().splitlines()
        except OSError as error:
            metrics.STATE_ERRORS.inc()
            log.error("part of the journal left out", extra={"reason": in_words(error)})
            return False
        for number, line in enumerate(lines, start=1):
            self._replay(line, events, path, number)
        return True

    def _replay(self, line: bytes, events: dict[str, Event], path: Path, number: int) -> None:
        reckoning = self._notes.reckoning()
        try:
            data = json.loads(line)
            if VERSION in data:
                JOURNAL.check(version_of(data), path)
            elif "gone" in data:
                events.pop(data["gone"], None)
            else:
                event = _event(data, reckoning)
                events[event.alert.event_id] = event
        except (ValueError, KeyError, TypeError, AttributeError, DecodeError) as error:
            facts = {"line": f"{path.name}:{number}", "reason": str(error)}
            log.warning("line of the journal left out", extra=facts)

    def _read_station(self, clock: Clock) -> dict[str, int]:
        fresh = {"epoch": 0, "next_number": 1}
        try:
            kept = STATION.read(json.loads(self._station.read_bytes()), self._station)
            return {name: int(kept[name]) for name in fresh}
        except FileNotFoundError:
            return fresh
        except (OSError, ValueError, KeyError, TypeError) as error:
            why = in_words(error) if isinstance(error, OSError) else error
            log.error("state is unreadable, numbers go on from the clock: %s", why)
            return {"epoch": 0, "next_number": int(clock.now())}

    def _keep(self, **changes: int) -> None:
        self._kept = self._kept | changes
        durable.write(self._station, json.dumps(STATION.stamped(self._kept)) + "\n")


def _hold(path: Path, clock: Clock) -> int:
    """Lock a file until this process ends, however it ends."""
    try:
        return durable.lock(path, within_s=LOCK_WITHIN_S, clock=clock)
    except BlockingIOError:
        raise ConfigError(f"{path.parent}: another alerter is using this state") from None


def _part_number(path: Path) -> int:
    """The N of `events-N.jsonl`; 0 for a file that is none of ours."""
    number = path.stem.removeprefix("events-")
    return int(number) if number.isdecimal() else 0


def _event(data: dict[str, Any], reckoning: Reckoning) -> Event:
    about, alert = data["about"], Alert.parse(data["alert"])
    evidence_at = float(about["evidence_ts"])
    shift_s = _shift_s(about.get("noted"), evidence_at, reckoning)
    latest = reckoning.now + EARLY_S
    began_at = min(float(about.get("began_at", alert.detection_time)) + shift_s, latest)
    owner = about["owner"]
    source = crowding.CAMERA + alert.camera if alert.camera else crowding.PRODUCER + (owner or "")
    return Event(
        alert=alert,
        began_at=began_at,
        life_s=int(about.get("life_s", alert.validity_duration_s)),
        evidence_at=evidence_at + shift_s,
        source=str(about.get("source", source)),
        clip_camera=about["clip_camera"],
        first_ts=about.get("first_ts"),
        owner=owner,
        words=_words(about, source, shift_s),
    )


def _shift_s(noted: dict[str, Any] | None, evidence_at: float, reckoning: Reckoning) -> float:
    """A state of an earlier version tells no more than when the newest report was."""
    if noted is None:
        return min(0.0, reckoning.now - evidence_at)
    return reckoning.shift_s(noted)


def _words(about: dict[str, Any], source: str, shift_s: float) -> dict[str, Word]:
    """Who said what; an older state only tells whose reports are open."""
    if "words" in about:
        return {name: _word(entry, shift_s) for name, entry in about["words"].items()}
    at = float(about["evidence_ts"]) + shift_s
    return {name: Word(at, source, name in about["open_reports"]) for name in about["aliases"]}


def _word(entry: list[Any], shift_s: float) -> Word:
    """One reporter's; an older state does not tell what time it claimed."""
    at, said_by, is_open, *claimed = entry
    word = Word(float(at) + shift_s, str(said_by), bool(is_open))
    return replace(word, claimed_ts=float(claimed[0])) if claimed and claimed[0] else word


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
