"""Whether a person is there who may decide, as the consoles say in their status. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from hazardcast.contract.messages import ServiceStatus
from hazardcast.contract.messages.detail import ConsoleDetail

START_S = 10.0
"""So long after a start the consoles are given to be heard: retained words may come late."""
BACK_S = 20.0
"""So long after an outage: each console finds the broker by itself, some seconds later."""
MOST_CONSOLES = 64
CONSOLE = "console"
SILENT_S = 70.0
"""A console says every 30 s at least how it is; one that missed two words is not there."""


class Operators:
    """Knows the consoles with sessions that may decide; times are the station's steady time.

    Args:
        now: when the process began.
    """

    def __init__(self, now: float) -> None:
        self._heard: dict[str, float] = {}
        """When each console with a session that may decide spoke last."""
        self._known_from = now + START_S
        self._away_since: float | None = now
        self._was_there = False
        """Whether the broker was reached before."""

    def hear(self, status: ServiceStatus, said_on: Mapping[str, str], now: float) -> None:
        """A console's word: `detail.operators` sessions, none once it is gone.

        `said_on`: service and instance of the topic, on which the broker lets a console alone
        speak; what claims to be one elsewhere is none.
        """
        told_by = (said_on.get("service"), said_on.get("instance"))
        if status.service != CONSOLE or told_by != (CONSOLE, status.instance):
            return
        sessions = status.detail.operators if isinstance(status.detail, ConsoleDetail) else None
        self._forget_silent(now)
        if not status.online or not sessions or sessions < 0:
            self._heard.pop(status.instance, None)
        elif status.instance in self._heard or len(self._heard) < MOST_CONSOLES:
            self._heard[status.instance] = now

    def _forget_silent(self, now: float) -> None:
        self._heard = {name: at for name, at in self._heard.items() if now <= at + SILENT_S}

    def connection(self, connected: bool, now: float) -> float:
        """Whether the broker can be reached; to be told often.

        Returns for how long it could not, s, when it can again.
        """
        away_s = self.out_of_reach_s(now)
        if connected and self._away_since is not None:
            grace_s = BACK_S if self._was_there else START_S
            self._known_from = max(self._known_from, now + grace_s)
            self._away_since, self._was_there = None, True
            return away_s
        if not connected and self._away_since is None:
            self._away_since = now
        return 0.0

    def out_of_reach_s(self, now: float) -> float:
        """For how long no decision can come, as the broker is away; 0: it is there."""
        return 0.0 if self._away_since is None else now - self._away_since

    def present(self, now: float) -> bool:
        """Whether somebody may decide, as far as is known; in doubt, yes, but not for long.

        That the broker is away says nothing of the operators: as it was when it was lost.
        """
        if self._away_since is not None:
            now = min(now, self._away_since)
        return now < self._known_from or any(now <= at + SILENT_S for at in self._heard.values())
