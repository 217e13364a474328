"""Whether a person is there who may decide, as the consoles say in their status. Pure."""

from __future__ import annotations

from hazardcast.contract.messages import ServiceStatus
from hazardcast.contract.messages.detail import ConsoleDetail

START_S = 10.0
"""So long after a start the consoles are given to be heard: retained words may come late."""
AWAY_S = 10.0
"""A broker that is away for longer keeps any decision from coming."""
MOST_CONSOLES = 64


class Operators:
    """Counts the sessions that may decide; times are the station's steady time.

    Args:
        now: when the process began.
    """

    def __init__(self, now: float) -> None:
        self._sessions: dict[str, int] = {}
        self._known_from = now + START_S
        self._away_since: float | None = now

    def hear(self, status: ServiceStatus) -> None:
        """A console's word: `detail.operators` sessions, none once it is gone."""
        if not isinstance(status.detail, ConsoleDetail):
            return
        sessions = status.detail.operators if status.online else 0
        if sessions and sessions > 0 and len(self._sessions) < MOST_CONSOLES:
            self._sessions[status.instance] = sessions
        else:
            self._sessions.pop(status.instance, None)

    def connection(self, connected: bool, now: float) -> None:
        """Whether the broker can be reached; to be told often."""
        if connected and self._away_since is not None:
            self._known_from = max(self._known_from, now + START_S)
            self._away_since = None
        elif not connected and self._away_since is None:
            self._away_since = now

    def present(self, now: float) -> bool:
        """Whether somebody may decide, as far as is known; in doubt, yes, but not for long."""
        if self._away_since is not None and now - self._away_since > AWAY_S:
            return False
        return bool(self._sessions) or now < self._known_from
