"""Files that a power cut finds whole, the old one or the new one, and who may write them.

What is written under another name, flushed, renamed, and whose folder is flushed last, is there
after a crash or not there; with any step less an empty file may bear the name
(rename(2), fsync(2)).
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import secrets
import threading
from pathlib import Path

from hazardcast.machine.clock import Clock

log = logging.getLogger(__name__)
LOCK_AGAIN_S = 0.1
_NO_FLUSH = frozenset({
    errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.EACCES,
})  # fmt: skip


def write(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Have `text` at `path`, on the disk when this returns; `path` is never seen half-written.

    Args:
        path: in a folder that exists.
        text: all that shall be in it.
        mode: who may read and write it, less what the umask takes away.

    Raises:
        OSError: the disk does not take it; what was at `path` is still there.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        put(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)  # a full disk is not to be filled with leftovers
        raise


def put(draft: Path, path: Path) -> None:
    """Give a finished file its name, in one step, on the disk when this returns.

    Raises:
        OSError: the disk does not take it; the draft is still there.
    """
    flush_file(draft)
    move(draft, path)


def move(old: Path, new: Path) -> None:
    """Rename within a file system; the new name is on the disk when this returns."""
    old.replace(new)
    flush_folder(new.parent)


def flush(descriptor: int) -> None:
    """Bring the bytes of an open file to the disk."""
    os.fsync(descriptor)


def flush_file(path: Path) -> None:
    """Bring a written file's bytes to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        flush(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(path: Path) -> None:
    """Bring the names in a folder to the disk, where its file system knows how to.

    CIFS and some of FUSE do not; a folder may also be one that nobody may list.
    """
    try:
        flush_file(path)
    except OSError as error:
        if error.errno not in _NO_FLUSH:
            raise


def lock(path: Path, *, within_s: float = 0.0, clock: Clock | None = None) -> int:
    """Hold a lock file until the returned descriptor is closed or the process ends (flock(2)).

    On a disk that takes nothing the file of an earlier start serves too. On a volume that keeps no
    locks the work goes on without: only a second process would be at fault there, and that is said.

    Args:
        path: the lock file, made where there is none.
        within_s: how long another holder is waited for.
        clock: by which; without one nobody is waited for.

    Raises:
        BlockingIOError: another process holds it.
        OSError: it can be neither made nor opened.
    """
    descriptor = _opened(path)
    try:
        _take(descriptor, path, within_s, clock)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _take(descriptor: int, path: Path, within_s: float, clock: Clock | None) -> None:
    never = threading.Event()
    deadline = clock.monotonic() + within_s if clock else 0.0
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if clock is None or clock.monotonic() >= deadline:
                raise
        except (
            PermissionError
        ) as error:  # as fcntl(2) says it, which some file servers are asked by
            raise BlockingIOError(*error.args) from None
        except OSError as error:
            return _tell_lockless(path, error)
        clock.wait(never, LOCK_AGAIN_S)


def _tell_lockless(path: Path, error: OSError) -> None:
    log.warning(
        "this volume keeps no locks: see to it that no second process works here, or use another",
        extra={"path": str(path.parent), "reason": error.strerror},
    )


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        if not path.exists():
            raise
        return os.open(path, os.O_RDONLY)
