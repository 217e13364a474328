"""The folder whose files are a camera: what lies there, and where finished ones go."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import stat
from pathlib import Path

from camera.file_queue import MOST_FILES, Look, takes

DONE = "done"


def looks(folder: Path) -> dict[str, Look]:
    """The plain files that may be played.

    Raises:
        OSError: the folder cannot be read.
    """
    found: dict[str, Look] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if len(found) >= MOST_FILES:
                break
            if takes(entry.name) and (look := _look(entry)):
                found[entry.name] = look
    return found


def _look(entry: os.DirEntry[str]) -> Look | None:
    with contextlib.suppress(OSError):  # gone since
        about = entry.stat()
        if stat.S_ISREG(about.st_mode):
            return Look(about.st_size, about.st_mtime_ns, about.st_ino)
    return None


def is_being_written(path: Path) -> bool:
    """Whether any process has it open for writing; False where this system cannot tell.

    The kernel gives a read lease only on a file that nobody writes (fcntl(2), F_SETLEASE), and only
    to its owner. Whoever opens the file for writing in just that moment makes it send a signal: one
    that does nothing.
    """
    with contextlib.suppress(OSError, AttributeError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False


def move_to_done(folder: Path, name: str) -> Path:
    """Put a finished file into `done/`; one that lies there under its name is kept.

    Raises:
        OSError: it cannot be moved.
    """
    target = folder / DONE
    target.mkdir(exist_ok=True)
    path, stem, ending = target / name, Path(name).stem, Path(name).suffix
    number = 1
    while path.exists():
        number += 1
        path = target / f"{stem}-{number}{ending}"
    (folder / name).rename(path)
    return path
