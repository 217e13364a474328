"""paho waits with poll(2): its select(2) fails on descriptors from FD_SETSIZE, 1024, on.

A console with a thousand viewers would lose its broker and, without a word, never have it again:
paho takes the ValueError for a lost connection. select(2), NOTES, advises poll(2) instead.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

_ENDED = select.POLLHUP | select.POLLERR | select.POLLNVAL


def wait_ready(
    readers: Sequence[Any], writers: Sequence[Any], _exceptional: Sequence[Any], timeout_s: float
) -> tuple[list[Any], list[Any], list[Any]]:
    """As `select.select`: which of them can be read, which written, or have ended.

    Raises:
        TypeError: one of them is no file.
        ValueError: one of them is closed.
    """
    asked: dict[int, int] = {}
    for files, event in ((readers, select.POLLIN), (writers, select.POLLOUT)):
        for one in files:
            descriptor = _descriptor(one)
            asked[descriptor] = asked.get(descriptor, 0) | event
    poll = select.poll()
    for descriptor, events in asked.items():
        poll.register(descriptor, events)
    found = dict(poll.poll(timeout_s * 1000))
    return _those(readers, found, select.POLLIN), _those(writers, found, select.POLLOUT), []


def _descriptor(file: Any) -> int:
    if file is None:
        raise TypeError("no file")
    descriptor = int(file.fileno())
    if descriptor < 0:
        raise ValueError("a closed file")
    return descriptor


def _those(files: Sequence[Any], found: dict[int, int], event: int) -> list[Any]:
    return [one for one in files if found.get(one.fileno(), 0) & (event | _ENDED)]


INSTEAD_OF_SELECT = SimpleNamespace(select=wait_ready)
"""What paho takes for the module `select`."""
