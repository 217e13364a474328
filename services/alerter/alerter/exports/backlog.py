"""What a subscriber has still to be told: bounded, and the least gives way, not the newest."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Sequence
from typing import NamedTuple

from hazardcast.contract.incident_types import Severity
from hazardcast.contract.messages import Alert

SEVERITIES = tuple(Severity)


class Due(NamedTuple):
    """A version to tell, and the monotonic clock at which it is no longer worth telling."""

    alert: Alert
    until: float


class Backlog:
    """A queue of versions; any thread may put, one takes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._due: deque[Due] = deque()
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._due)

    def put(self, due: Due, *, told: Collection[str]) -> int:
        """Take a version; returns how many gave way (a tenth at once, so that it is rare)."""
        with self._changed:
            self._due.append(due)
            self._changed.notify()
            if len(self._due) <= self._most:
                return 0
            kept = without_least(self._due, max(1, self._most // 10), told=told)
            gone = len(self._due) - len(kept)
            self._due = deque(kept)
            return gone

    def take(self, timeout_s: float) -> Due | None:
        """The oldest version, None if there is none within `timeout_s`."""
        with self._changed:
            if not self._due:
                self._changed.wait(timeout_s)
            return self._due.popleft() if self._due else None

    def let_others_first(self, due: Due) -> bool:
        """Put a version behind what others wait for; False when nobody waits.

        Where a later version of its event waits, that is told in its stead.
        """
        with self._changed:
            if not self._due:
                return False
            if all(one.alert.event_id != due.alert.event_id for one in self._due):
                self._due.append(due)
            return True


def without_least(waiting: Sequence[Due], count: int, *, told: Collection[str]) -> list[Due]:
    """What stays, in order, when `count` must go.

    First versions that a later one outdates, then the end of what was never told, then the slight
    before the grave, the oldest first.

    Args:
        waiting: oldest first.
        count: how many must go.
        told: the ids of the events that the subscriber knows.
    """
    newest = {due.alert.event_id: place for place, due in enumerate(waiting)}

    def weight(place: int) -> tuple[bool, bool, int]:
        alert = waiting[place].alert
        current = newest[alert.event_id] == place
        wanted = not alert.terminated or alert.event_id in told
        return current, wanted, SEVERITIES.index(alert.severity)

    gone = set(sorted(range(len(waiting)), key=weight)[:count])
    return [due for place, due in enumerate(waiting) if place not in gone]
