"""What the kernel tells about a running ffmpeg: its processor time, and whether it uses UDP.

Source: proc_pid_stat(5), proc_pid_fd(5). Where there is no /proc nothing is told.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
_PARENT, _USER, _SYSTEM = 1, 11, 12
"""Columns of `stat` after the name, which may hold anything and ends with `)`."""
_INODE = 9


def working_in(folder: Path) -> int | None:
    """The child of this process that works in `folder`."""
    own = str(os.getpid())
    for stat in PROC.glob("[0-9]*/stat"):
        try:
            is_child = _columns(stat)[_PARENT] == own
            if is_child and stat.with_name("cwd").readlink() == folder:
                return int(stat.parent.name)
        except (OSError, IndexError):
            continue  # gone meanwhile, or another user's
    return None


def cpu_s(pid: int) -> float | None:
    """Processor time of `pid` so far, s; None when it is gone."""
    try:
        columns = _columns(PROC / str(pid) / "stat")
        return (int(columns[_USER]) + int(columns[_SYSTEM])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return None


def uses_udp(pid: int) -> bool | None:
    """Whether `pid` has a UDP socket open; None when it is gone."""
    try:
        links = [link.readlink().name for link in (PROC / str(pid) / "fd").iterdir()]
    except OSError:
        return None
    inodes = {link.removeprefix("socket:[")[:-1] for link in links if link.startswith("socket:")}
    return not inodes.isdisjoint(_udp_inodes(pid))


def _udp_inodes(pid: int) -> Iterator[str]:
    for name in ("udp", "udp6"):
        try:
            lines = (PROC / str(pid) / "net" / name).read_text("ascii", "replace").splitlines()
        except OSError:
            continue
        yield from (columns[_INODE] for line in lines[1:] if len(columns := line.split()) > _INODE)


def _columns(stat: Path) -> list[str]:
    return stat.read_text("utf-8", "replace").rpartition(")")[2].split()
