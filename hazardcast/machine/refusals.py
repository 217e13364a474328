"""An operating system's refusal in words: where, why, and what to do about it.

`OSError` says `[Errno 13] Permission denied: '/data/broker'`. Whose folder it is, who asks, whether
it is space or inodes that are gone, what stands in the way: that has to be looked up. All that is
read here is read after the refusal, so it tells how things are now.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import resource
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

LONGEST_SHOWN = 200
LONGEST_PATH_BYTES = 4095
NO_THREAD = "can't start new thread"
"""What Python's RuntimeError says when the system gives no thread."""

NamedBy = Callable[[Path], str | None]
"""The setting that leads to a path, if one does."""


class Refusal(NamedTuple):
    """Why, and what to do."""

    why: str
    advice: str = ""


def in_words(error: OSError, named_by: NamedBy = lambda _: None) -> str:
    """One line: the setting, the path, why it was refused, what to do."""
    place = _place(error)
    if place is None:
        return why(error)
    setting = named_by(place)
    head, or_set = (f"{setting}: ", f", or set {setting}") if setting else ("", "")
    return f"{head}{shown(place)}: {why(error)}{or_set}"


def why(error: OSError) -> str:
    """The same without setting and path."""
    place = _place(error)
    said = _at(error, place) if place else _without_place(error)
    if said is None:
        return str(error.strerror or error)
    return f"{said.why}; {said.advice}" if said.advice else said.why


def no_thread() -> str:
    """What to say where the system gives no further thread or process."""
    return "no further thread or process is given; raise `ulimit -u` or the container's pids limit"


def shown(path: Path) -> str:
    """A path for people: bytes that are no UTF-8 as their codes, the middle of a long one cut."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    half = LONGEST_SHOWN // 2
    return text if len(text) <= LONGEST_SHOWN else f"{text[:half]}…{text[-half:]}"


def is_utf8(path: Path) -> bool:
    """Whether a name can stand in a message."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _place(error: OSError) -> Path | None:
    name = error.filename
    if error.errno in _OF_THE_PROCESS or not isinstance(name, str | bytes) or not name:
        return None
    return Path(os.fsdecode(name))


def _without_place(error: OSError) -> Refusal | None:
    number = error.errno
    if number == errno.EMFILE:
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        why = f"too many open files: this process may have {most}"
        return Refusal(why, "raise `ulimit -n`, or LimitNOFILE= of its systemd unit")
    if number == errno.ENFILE:
        return Refusal("too many open files in the whole system", "raise sysctl fs.file-max")
    if number == errno.EAGAIN:
        return Refusal(no_thread())
    return _PLAIN.get(number or 0)


def _at(error: OSError, place: Path) -> Refusal:
    number = error.errno or 0
    if look := _LOOKS.get(number):
        return look(place)
    words = error.strerror or str(error)
    return _PLAIN.get(number) or Refusal(words[:1].lower() + words[1:])


def _denied(place: Path) -> Refusal:
    """Who may not do what: the nearest thing to the root that stands in the way."""
    for folder in reversed(place.absolute().parents):
        if _exists(folder) and not _may(folder, os.X_OK):
            return _others(folder, "entered")
    if not _exists(place):
        return _others(place.absolute().parent, "written")
    if not _may(place, os.R_OK):
        return _others(place, "read")
    if not _may(place, os.W_OK):
        return _others(place, "written")
    return _others(place.absolute().parent, "written")


def _others(place: Path, verb: str) -> Refusal:
    try:
        owner = _name_of(place.stat().st_uid)
    except OSError:
        owner = "somebody else"
    me = _name_of(os.geteuid())
    why = f"permission denied: {shown(place)} cannot be {verb}, it belongs to {owner}"
    return Refusal(f"{why} and this runs as {me}", f"give it to {me} (chown, chmod)")


def _protected(_: Path) -> Refusal:
    return Refusal(
        f"not permitted to {_name_of(os.geteuid())}: another's, locked against change (chattr), "
        "or its volume cannot do it",
        "look at its owner and its volume",
    )


def _full(place: Path) -> Refusal:
    with contextlib.suppress(OSError):
        volume = os.statvfs(_nearest(place))
        if volume.f_files and not volume.f_favail:
            why = f"no inode is left: its volume bears {volume.f_files} files and folders"
            return Refusal(why, "remove some there")
        if volume.f_bavail * volume.f_frsize >= 1 << 20:
            return Refusal("its volume or a quota takes no more", "free some space there")
    return Refusal("no space is left on its volume", "free some there")


def _not_a_folder(place: Path) -> Refusal:
    for part in (*reversed(place.absolute().parents), place.absolute()):
        if _exists(part) and not _is_folder(part):
            return Refusal(f"{shown(part)} is a file where a folder is expected", "move it away")
    return Refusal("a file where a folder is expected", "move it away")


def _there_already(place: Path) -> Refusal:
    if _leads_nowhere(place):
        return _dangling(place)
    if not _is_folder(place):
        return Refusal("a file where a folder is expected", "move it away")
    return Refusal("is there already", "move it away")


def _missing(place: Path) -> Refusal:
    for part in (*reversed(place.absolute().parents), place.absolute()):
        if _leads_nowhere(part):
            return _dangling(part)
    return Refusal("no such file or folder", "make it")


def _dangling(link: Path) -> Refusal:
    target = shown(link.readlink())
    return Refusal(f"{shown(link)} is a link to {target}, which is not there", "mend the link")


def _too_long(place: Path) -> Refusal:
    longest, most = max(len(os.fsencode(part)) for part in place.parts), 255
    with contextlib.suppress(OSError, ValueError):
        most = os.pathconf(_nearest(place), "PC_NAME_MAX")
    if longest > most:
        return Refusal(f"a name of {longest} bytes, {most} at most", "choose a shorter one")
    length = len(os.fsencode(place.absolute()))
    why = f"a path of {length} bytes, {LONGEST_PATH_BYTES} at most"
    return Refusal(why, "choose a shorter one")


def _nearest(place: Path) -> Path:
    """The place itself or what is there of the way to it."""
    here = place.absolute()
    return next((part for part in (here, *here.parents) if _exists(part)), Path("/"))


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        return False


def _leads_nowhere(path: Path) -> bool:
    try:
        is_link = stat.S_ISLNK(path.lstat().st_mode)
    except OSError:
        return False
    return is_link and not _exists(path)


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _name_of(uid: int) -> str:
    try:
        return f"{pwd.getpwuid(uid).pw_name} ({uid})"
    except KeyError:
        return f"user {uid}"


_OF_THE_PROCESS = frozenset({errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM})
_LOOKS: dict[int, Callable[[Path], Refusal]] = {
    errno.EACCES: _denied,
    errno.EPERM: _protected,
    errno.ENOSPC: _full,
    errno.ENOTDIR: _not_a_folder,
    errno.EEXIST: _there_already,
    errno.ENOENT: _missing,
    errno.ENAMETOOLONG: _too_long,
}
_AGAIN = "mount it again"
_NO_SUPPORT = Refusal("its volume cannot do this", "use a volume of another kind")
_PLAIN = {
    errno.EROFS: Refusal("its volume is mounted for reading only", "mount it for writing"),
    errno.EDQUOT: Refusal("the quota is used up", "free some space there"),
    errno.ENOSPC: Refusal("no space is left", "free some there"),
    errno.EISDIR: Refusal("a folder where a file is expected", "move it away"),
    errno.ELOOP: Refusal("its symbolic links lead in a circle", "mend the link"),
    errno.EIO: Refusal("the disk fails", "look at it (dmesg)"),
    errno.EFBIG: Refusal("larger than a file may be there"),
    errno.EBUSY: Refusal("in use by the system", "look what holds it"),
    errno.ENOEXEC: Refusal("not a program that this machine can run"),
    errno.ENOMEM: Refusal("no memory is left"),
    errno.EINVAL: Refusal("its volume takes no such name, or cannot do this"),
    errno.EPIPE: Refusal("nobody reads what is written there any more"),
    errno.ESTALE: Refusal("its file server does not know it any more", _AGAIN),
    errno.ENOTCONN: Refusal("its volume is not connected any more", _AGAIN),
    errno.ENOLCK: _NO_SUPPORT,
    errno.ENOSYS: _NO_SUPPORT,
    errno.EOPNOTSUPP: _NO_SUPPORT,
}
