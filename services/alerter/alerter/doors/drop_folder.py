"""The third door: incidents dropped as files into `events/`."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from alerter import metrics
from alerter.doors.answers import Answer, Door
from alerter.doors.drop_watch import DropWatch, Seen, is_candidate
from alerter.ingest.refusal import Reason, Refusal
from hazardcast.contract.errors import DecodeError
from hazardcast.contract.messages import MAX_MESSAGE_BYTES
from hazardcast.machine.clock import Clock
from hazardcast.machine.refusals import in_words, shown

log = logging.getLogger(__name__)
POLL_S = 0.2
MAX_NAMES = 1000
Accept = Callable[[bytes, Door], Answer]


class _Place(NamedTuple):
    """Where a file that was taken belongs, and what is to be said of it there."""

    child: str
    note: str
    lines: tuple[str, ...]


class DropFolder:
    """Takes finished files, one incident each; good ones end in `done/`, others in `rejected/`."""

    def __init__(self, folder: Path, accept: Accept, clock: Clock) -> None:
        self._folder = folder
        self._accept = accept
        self._clock = clock
        self._watch = DropWatch()
        self._here_before: set[str] | None = None
        """What lay here at the first look and has lain here since."""
        self._stays: dict[Seen, _Place] = {}
        """What was taken and could not be put away yet."""
        self.problem: str | None = None
        """Why files cannot be looked for or put away, in words; all else goes on."""
        with contextlib.suppress(OSError):  # told at the first look
            self._make_folders()

    def run(self, stop: threading.Event) -> None:
        """Look again and again until `stop`."""
        while not stop.is_set():
            try:
                self._make_folders()
                problem = None
            except OSError as error:
                problem = in_words(error)
            try:
                self.look()
            except OSError as error:
                problem = problem or in_words(error)
            self._tell(problem)
            self._clock.wait(stop, POLL_S)

    def _make_folders(self) -> None:
        for child in ("done", "rejected"):
            (self._folder / child).mkdir(parents=True, exist_ok=True)

    def _tell(self, problem: str | None) -> None:
        """Once for each problem."""
        if problem and problem != self.problem:
            log.error("dropped files are not taken, or not put away", extra={"reason": problem})
        elif self.problem and not problem:
            log.info("dropped files are taken and put away again")
        self.problem = problem

    def look(self) -> None:
        """Take every file that is complete by now.

        Raises:
            OSError: the system does not let us look.
        """
        listing = self._listing()
        names = {seen.name for seen in listing}
        self._here_before = names if self._here_before is None else self._here_before & names
        taken = {}
        for seen in self._watch.settled(listing, self._clock.monotonic()):
            self._watch.done(seen)
            taken[seen] = self._take(self._folder / seen.name)
            self._here_before.discard(seen.name)
        self._tidy_up(taken, {seen: self._stays[seen] for seen in listing if seen in self._stays})

    def _tidy_up(self, taken: dict[Seen, _Place], owed: dict[Seen, _Place]) -> None:
        """Put away what is taken now, and what was taken before and could not be put away.

        It is tried at every look, so that a later start does not find the file and tell it anew.
        """
        self._stays = {}
        for seen, place in (owed | taken).items():
            try:
                target = self._move(seen.name, place.child)
            except OSError as error:
                self._stays[seen] = place
                if seen in taken:
                    log.error("dropped file cannot be moved", extra={"reason": in_words(error)})
            else:
                _note_beside(target, place)

    def _move(self, name: str, child: str) -> Path:
        target = _free_name(self._folder / child / name)
        (self._folder / name).rename(target)
        return target

    def _listing(self) -> list[Seen]:
        with os.scandir(self._folder) as entries:
            looks = [_look_at(entry) for entry in entries if is_candidate(entry.name)]
        return [seen for seen in looks if seen]

    def _take(self, path: Path) -> _Place:
        name = shown(Path(path.name))
        try:
            content, waited_s = _content(path), self._waited_s(path)
            answer = self._accept(content, Door("file", name, waited_s))
        except (OSError, DecodeError) as error:
            metrics.REJECTED.labels(reason=Reason.SCHEMA).inc()
            reason = in_words(error) if isinstance(error, OSError) else str(error)
            log.warning("dropped file refused", extra={"file": name, "reason": reason})
            return _Place("rejected", "reason", (reason,))
        except Exception:
            # It is not known how far it came: told again and again would be worse than asking.
            log.exception("dropped file broke its reader", extra={"file": name})
            return _Place("rejected", "reason", ("an error of this program, see its log",))
        warnings = tuple(str(warning) for warning in answer.warnings)
        if isinstance(answer.outcome, Refusal):
            return _Place("rejected", "reason", (str(answer.outcome), *warnings))
        return _Place("done", "warnings", warnings)

    def _waited_s(self, path: Path) -> float:
        """How long a file lay here before anybody looked; by ctime, which a move renews.

        Of one that came while we looked that is known better than a file server's clock tells it.
        """
        if path.name not in (self._here_before or ()):
            return 0.0
        return max(0.0, self._clock.now() - path.stat().st_ctime)


def _note_beside(target: Path, place: _Place) -> None:
    """Say what there is to say about a file in one that lies beside it."""
    if not place.lines:
        return
    try:
        beside = target.with_name(f"{target.name}.{place.note}.txt")
        beside.write_text("\n".join([*place.lines, ""]), "utf-8")
    except OSError as error:
        log.error("a dropped file has no note beside it", extra={"reason": in_words(error)})


def _look_at(entry: os.DirEntry[str]) -> Seen | None:
    """What an entry is now; None for a folder or one that is gone already."""
    try:
        about = entry.stat(follow_symlinks=False)
    except OSError:
        return None
    if stat.S_ISDIR(about.st_mode):
        return None
    return Seen(entry.name, about.st_size, about.st_mtime_ns, about.st_ino)


def _content(path: Path) -> bytes:
    """The bytes of a plain file; a link or a pipe could lead anywhere or never end."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise DecodeError(f"not a plain file that can be read: {in_words(error)}") from None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise DecodeError("not a plain file")
        return file.read(MAX_MESSAGE_BYTES + 1)


def _free_name(wanted: Path) -> Path:
    """`wanted`, or the like with a number, so that nothing is overwritten."""
    for number in range(MAX_NAMES):
        candidate = wanted if number == 0 else wanted.with_stem(f"{wanted.stem}-{number}")
        if not candidate.exists():
            return candidate
    raise FileExistsError(f"{wanted}: there are {MAX_NAMES} of this name")
