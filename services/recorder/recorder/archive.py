"""What happens to one camera's closed files: they are named, listed, counted, told to players."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from hazardcast.contract.vocabulary import RunCause
from hazardcast.machine import refusals
from hazardcast.media import segments
from recorder import beginning, disk, metrics, pictures, runs
from recorder.adoption import TimeNote, place
from recorder.beginning import FIRST_FILE
from recorder.disk import Orphan, Shelf
from recorder.index import RecordingIndex
from recorder.playlist import Entry, following, render
from recorder.retention import Stored
from recorder.runs import RunLog
from recorder.timeline import NamedSegment

log = logging.getLogger(__name__)
MOST_RUNS = 2000
LEAP_S = 1.0
"""A picture shown later than this after a file's last one by name has a wild stamp."""
T = TypeVar("T")
MakeRoom = Callable[[], None]


class Archive:
    """One camera's recordings, as its recording thread sees them."""

    def __init__(self, shelf: Shelf, index: RecordingIndex, make_room: MakeRoom) -> None:
        self.shelf = shelf
        self._index = index
        self._make_room = make_room
        self._camera = shelf.camera
        self._runs = RunLog(shelf.recordings_dir, shelf.camera)
        self._format: bytes | None = None
        self.lacks_sets = False
        """Whether a file of this run cannot be read without the one before: the camera told the
        parameter sets of its pictures only once."""
        self._playlist = following("")

    def open(self) -> bool:
        """Take the camera's directory and what a crash left in it; False if another has it."""
        if not self.shelf.claim():
            return False
        self._index.fill(self._camera, self.shelf.stored())
        self._playlist = following(self.shelf.read_playlist())
        self._aside(self._bound_runs)
        self._adopt_after_crash()
        return True

    @property
    def next_number(self) -> int:
        """The number that players will know the next closed file by."""
        return self._playlist.sequence + len(self._playlist.entries)

    def try_out(self) -> None:
        """Raises OSError where nothing can be recorded, whatever the camera sends."""
        self._with_room(self.shelf.try_out)

    def close(self) -> None:
        """Let another process have the directory."""
        self.shelf.release()

    def keep(self, named: NamedSegment, codec: str | None, *, cut_short: bool = False) -> None:
        """Take a file that has been closed.

        Args:
            named: its name and times, as ffmpeg told them.
            codec: of its pictures.
            cut_short: True when ffmpeg may not have written all that it told, as on a full disk.
        """
        path = self.shelf.open_folder / named.name
        if not path.exists():
            self._count_discarded("missing", "ffmpeg could not write it", 0)
            return
        if cut_short:
            data = path.read_bytes()
            size = pictures.before_leap(data, most_s=named.end - named.start + LEAP_S)
            times = pictures.times(data[:size])
            if times is None:
                self._discard(path, "no_video", "no frame in it")
                return
            self.shelf.cut(path, size)
            held_until = named.start + times.last_s - times.first_s
            named = replace(named, end=min(named.end, held_until))
        if named.name.endswith(FIRST_FILE):
            named = self._from_its_first_picture(path, named)
        self._end_run_if_changed(path, named)
        begins_run = not self._runs.is_open
        stored = self._put_away(path, named)
        segment = stored.segment
        self._index.add(self._camera, stored)
        self._count(stored, named)
        self._aside(
            lambda: self._runs.segment(
                segment.start, segment.end, codec=codec, error_s=named.error_s
            )
        )
        self._aside(lambda: self._tell_players(stored, named, begins_run=begins_run))

    def end_run(self, cause: RunCause) -> None:
        """Recording has ended; what follows is a new run."""
        self._aside(lambda: self._runs.end(cause))
        self._format, self.lacks_sets = None, False
        self._aside(self.shelf.clear)

    def note(self, run: str, note: TimeNote) -> None:
        """Write down how the open files of `run` map to the wall clock."""
        self._aside(lambda: self.shelf.note(run, note))

    def adopt(self, note: TimeNote) -> None:
        """Keep what is left of a run whose ffmpeg could not finish it."""
        for orphan in self.shelf.orphans():
            if orphan.path not in self.shelf.left:
                self._adopt(orphan, note)

    def _adopt_after_crash(self) -> None:
        newest = self._newest_end()
        self._aside(lambda: self._runs.resume(newest))
        self.shelf.left.clear()
        for orphan in self.shelf.orphans():
            self._adopt_if_possible(orphan)
        self.end_run(RunCause.RECORDER_KILLED)

    def _adopt_if_possible(self, orphan: Orphan) -> None:
        """One that cannot be read or put away keeps no other from it, nor the camera from going on.

        On a full disk all wait until there is room.
        """
        try:
            self._adopt(orphan, orphan.note)
        except OSError as error:
            if disk.is_full(error):
                raise
            self.shelf.leave(orphan.path, error)

    def _adopt(self, orphan: Orphan, note: TimeNote | None) -> None:
        if not orphan.path.stat().st_size:
            orphan.path.unlink()  # opened, but no key frame came
            return
        if note is None:
            self._discard(orphan.path, "no_time", "nothing tells when it was recorded")
            return
        times = place(orphan.path.read_bytes(), note, written_at=orphan.written_at)
        if times is None:
            self._discard(orphan.path, "no_video", "no frame in it")
            return
        start, end, size = times
        self.shelf.cut(orphan.path, size)
        named = NamedSegment(orphan.path.name, start, end, end - start, False, note.error_s)
        self.keep(named, note.codec)
        log.info(
            "adopted a file that nobody closed",
            extra={"camera": self._camera, "duration_s": round(end - start, 3)},
        )

    def _discard(self, path: Path, reason: str, why: str) -> None:
        size = path.stat().st_size
        path.unlink()
        self._count_discarded(reason, why, size)

    def _count_discarded(self, reason: str, why: str, size: int) -> None:
        metrics.DISCARDED.labels(camera=self._camera, reason=reason).inc()
        log.warning("file discarded: %s", why, extra={"camera": self._camera, "bytes": size})

    def _end_run_if_changed(self, path: Path, named: NamedSegment) -> None:
        picture_format = pictures.picture_format(self.shelf.head(path))
        if named.begins_run:
            self._aside(lambda: self._runs.end(RunCause.CLOCK_STEPPED))
        elif self._format and picture_format and picture_format != self._format:
            self._aside(lambda: self._runs.end(RunCause.FORMAT_CHANGED))
        self.lacks_sets |= self._format is not None and picture_format is None
        self._format = picture_format or self._format

    def _from_its_first_picture(self, path: Path, named: NamedSegment) -> NamedSegment:
        """Set right what ffmpeg could not know of a connection's first pictures."""
        found = beginning.mended(self.shelf.head(path, beginning.HEAD_BYTES))
        if found is None:
            return named
        self.shelf.change(path, found.changes)
        start = min(named.start + found.later_s, named.end)
        return replace(named, start=start, duration_s=max(0.0, named.duration_s - found.later_s))

    def _put_away(self, path: Path, named: NamedSegment) -> Stored:
        start_ms, end_ms = round(named.start * 1000), round(named.end * 1000)
        return self._with_room(lambda: self.shelf.keep(path, start_ms, end_ms))

    def _with_room(self, write: Callable[[], T]) -> T:
        """Do what writes; on a full disk, once more after the oldest recordings are gone."""
        try:
            return write()
        except OSError as error:
            if not disk.is_full(error):
                raise
            self._make_room()
            return write()

    def _aside(self, write: Callable[[], None]) -> None:
        """Write what helps later, but is not worth a frame of recording when it fails."""
        try:
            self._with_room(write)
        except OSError as error:
            facts = {"camera": self._camera, "why": refusals.in_words(error)}
            log.warning("not written down", extra=facts)

    def _count(self, stored: Stored, named: NamedSegment) -> None:
        metrics.SEGMENTS.labels(camera=self._camera).inc()
        metrics.BYTES.labels(camera=self._camera).inc(stored.size)
        metrics.CLOCK_ERROR.labels(camera=self._camera).set(named.error_s)
        log.debug(
            "segment closed",
            extra={"camera": self._camera, "file": stored.segment.path.name, "bytes": stored.size},
        )

    def _tell_players(self, stored: Stored, named: NamedSegment, *, begins_run: bool) -> None:
        segment = stored.segment
        known = bool(self._playlist.sequence or self._playlist.entries)
        entry = Entry(
            disk.relative(segment), segment.start, named.duration_s, begins_run=begins_run and known
        )
        self._playlist = self._playlist.with_entry(entry)
        self.shelf.write_playlist(render(self._playlist))

    def _newest_end(self) -> float | None:
        return max((item.segment.end for item in self._index.of(self._camera)), default=None)

    def _bound_runs(self) -> None:
        told = segments.read_runs(self.shelf.recordings_dir, self._camera)
        stored = self._index.of(self._camera)
        oldest = stored[0].segment.start if stored else None
        kept = runs.bounded(told, oldest_start=oldest, most=MOST_RUNS)
        if len(kept) < len(told):
            segments.replace_runs(self.shelf.recordings_dir, self._camera, kept)
