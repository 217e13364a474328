"""The recordings of one camera on disk: open files, closed segments, what survives a crash."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hazardcast.machine import durable, passed_over
from hazardcast.media import mpegts, segments
from hazardcast.media.segments import Segment
from recorder import adoption, pictures
from recorder.adoption import TimeNote
from recorder.retention import Stored

log = logging.getLogger(__name__)
OPEN = ".open"
LIVE = "live.m3u8"
NOTE_SUFFIX = ".json"


@dataclass(frozen=True)
class Orphan:
    """A file that nobody closed."""

    path: Path
    note: TimeNote | None
    written_at: float


class Shelf:
    """One camera's place in the recordings directory."""

    def __init__(self, recordings_dir: Path, camera: str) -> None:
        self.camera = camera
        self.recordings_dir = recordings_dir
        self.folder = recordings_dir / camera
        self.open_folder = self.folder / OPEN
        self._lock_fd: int | None = None
        self.left: set[Path] = set()
        """What lies open and cannot be taken in."""

    def claim(self) -> bool:
        """Make this camera's directories and take them for this process; False if another has."""
        self.open_folder.mkdir(parents=True, exist_ok=True)
        if self._lock_fd is not None:
            if self._holds(self.open_folder / "lock"):
                return True
            self.release()  # the folder was taken away, and this is another
        try:
            self._lock_fd = durable.lock(self.open_folder / "lock")
        except BlockingIOError:
            return False
        return True

    def _holds(self, path: Path) -> bool:
        assert self._lock_fd is not None
        return path.exists() and os.path.samestat(os.fstat(self._lock_fd), path.stat())

    def try_out(self) -> None:
        """Write and remove a file where ffmpeg will write.

        Raises:
            OSError: the system refuses it; what it says is not taken for the camera's fault.
        """
        probe = self.open_folder / "probe"
        probe.touch()
        probe.unlink()

    def release(self) -> None:
        """Let another process have it."""
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def stored(self) -> list[Stored]:
        """Every closed segment, oldest first; one scan of the directories."""
        found = []
        for segment in segments.list_stored(self.recordings_dir, self.camera):
            with contextlib.suppress(OSError):
                found.append(Stored(segment, segment.path.stat().st_size))
        return found

    def keep(self, path: Path, start_ms: int, end_ms: int) -> Stored:
        """Close a file for good: on the disk before it has its name, named in one step.

        An existing recording is never overwritten; the new end is moved by a millisecond instead.

        Raises:
            OSError: the disk is full or broken; the file stays where it was.
        """
        size = _whole(path)
        hour = segments.segment_path(self.recordings_dir, self.camera, start_ms, end_ms).parent
        hour.mkdir(exist_ok=True)
        taken = {
            there.end_ms
            for name in hour.glob(f"{start_ms}-*.ts")
            if (there := segments.parse_segment(name))
        }
        target = hour / f"{start_ms}-{adoption.free_name(start_ms, end_ms, taken)}.ts"
        durable.put(path, target)
        durable.flush_folder(self.folder)  # the hour may be a new one
        segment = segments.parse_segment(target)
        assert segment
        return Stored(segment, size)

    def head(self, path: Path, most: int = pictures.HEAD_BYTES) -> bytes:
        """The beginning of a file."""
        with path.open("rb") as file:
            return file.read(most)

    def change(self, path: Path, changes: Iterable[tuple[int, bytes]]) -> None:
        """Write over some bytes of an open file: (where, what)."""
        with path.open("rb+") as file:
            for at, what in changes:
                file.seek(at)
                file.write(what)

    def cut(self, path: Path, size: int) -> None:
        """Leave out what lies behind `size` bytes of an open file."""
        if size < path.stat().st_size:
            os.truncate(path, size)

    def note(self, run: str, note: TimeNote) -> None:
        """Write down how the open files of `run` map to the wall clock."""
        durable.write(self.open_folder / f"{run}{NOTE_SUFFIX}", note.encode())

    def orphans(self) -> Iterator[Orphan]:
        """Open files, oldest first. Only for those whose run is over."""
        for path in sorted(self.open_folder.glob("*.ts")):
            try:
                yield Orphan(path, self._note_of(path), path.stat().st_mtime)
            except OSError as error:
                self.leave(path, error)

    def _note_of(self, path: Path) -> TimeNote | None:
        try:
            return adoption.read_note(self._note_path(path).read_text("utf-8", "replace"))
        except FileNotFoundError:
            return None

    def _note_path(self, path: Path) -> Path:
        return self.open_folder / f"{adoption.run_of(path.stem)}{NOTE_SUFFIX}"

    def leave(self, path: Path, error: OSError) -> None:
        """Keep an open file and its note as they are: they can be taken in once they may be."""
        passed_over.tell(path, error)
        self.left |= {path, self._note_path(path)}

    def clear(self) -> None:
        """Remove what runs leave beside their files."""
        for path in self.open_folder.iterdir():
            if path.name == "lock" or path in self.left:
                continue
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                self.leave(path, error)

    def read_playlist(self) -> str:
        """The live playlist as it is, empty if there is none."""
        try:
            return (self.folder / LIVE).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    def write_playlist(self, text: str) -> None:
        """Replace the live playlist in one step."""
        durable.write(self.folder / LIVE, text)


def remove(stored: Stored) -> int:
    """Remove a segment and its hour if that is empty now.

    Returns:
        The bytes that became free: none while a clip still holds the file by a hard link.
    """
    path = stored.segment.path
    with contextlib.suppress(FileNotFoundError):
        links = path.stat().st_nlink
        path.unlink()
        with contextlib.suppress(OSError):
            path.parent.rmdir()
        return stored.size if links == 1 else 0
    return 0


def is_linked(stored: Stored) -> bool:
    """Whether removing it would free nothing, since a clip holds it too."""
    try:
        return stored.segment.path.stat().st_nlink > 1
    except OSError:
        return False


def free_bytes(folder: Path) -> int:
    """Bytes free for this process on the volume of `folder`."""
    return shutil.disk_usage(folder).free


def lacking_files(folder: Path, wanted: int) -> int:
    """How many files fewer than `wanted` can be made on the volume of `folder`.

    At most a twentieth of all that it bears is wanted; where files are not counted none lacks.
    """
    volume = os.statvfs(folder)
    return max(0, min(wanted, volume.f_files // 20) - volume.f_favail) if volume.f_files else 0


def is_full(error: OSError) -> bool:
    """Whether an error means that the volume or quota is used up."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def relative(segment: Segment) -> str:
    """The segment as the live playlist names it."""
    return f"{segment.path.parent.name}/{segment.path.name}"


def _whole(path: Path) -> int:
    """Cut off a packet that was not finished; returns the size."""
    with path.open("rb+") as file:
        size = mpegts.whole_packets(file.seek(0, os.SEEK_END))
        file.truncate(size)
    return size
