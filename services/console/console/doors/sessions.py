"""Sessions: who signed in, from when until when; of what the browser holds only a hash is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from console.doors import bearer
from hazardcast.machine.clock import Clock

LASTS_S = 12 * 3600.0
KIOSK_LASTS_S = 90 * 86_400.0
"""A wall has nobody who types."""
PRESENT_S = 30.0
"""Whoever asked something that recently has the page open; its socket asks every few seconds."""
MOST_OF_ONE = 50
"""Sessions of one account; the oldest ends when one more begins."""


@dataclass(frozen=True)
class Session:
    """One login."""

    secret: str
    """The hash of what the browser holds."""
    account: str
    began: float
    until: float


class Sessions:
    """Every session; may be asked by any thread.

    Args:
        clock: by which they end.
        kept: those of an earlier start.
        keep: hears all of them after each change.
    """

    def __init__(
        self, clock: Clock, kept: Iterable[Session], keep: Callable[[list[Session]], None]
    ) -> None:
        self._clock = clock
        self._keep = keep
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        """Apart, so that nobody who asks waits for a disk."""
        self._held = {one.secret: one for one in kept if one.until > clock.now()}
        self._seen: dict[str, float] = {}

    def begin(self, account: str, lasts_s: float = LASTS_S, *, since: float = 0.0) -> str:
        """Begin a session; returns what the browser is to hold.

        Args:
            account: whose.
            lasts_s: how long.
            since: it began no earlier, whatever a clock says that was set back meanwhile.
        """
        secret, now = bearer.new(), self._clock.now()
        session = Session(bearer.kept(secret), account, began=max(now, since), until=now + lasts_s)
        with self._lock:
            own = sorted((one for one in self._alive() if one.account == account), key=_age)
            for one in own[: max(0, len(own) + 1 - MOST_OF_ONE)]:
                del self._held[one.secret]
            self._held[session.secret] = session
        self._save()
        return secret

    def find(self, secret: str) -> Session | None:
        """The session whose secret a browser shows, if it still lasts."""
        if len(secret) > bearer.LONGEST:
            return None
        with self._lock:
            session = self._held.get(bearer.kept(secret))
            if session is None or session.until <= self._clock.now():
                return None
            self._seen[session.secret] = self._clock.monotonic()
            return session

    def end(self, secret: str) -> None:
        """End the session that a browser holds, if it is one."""
        with self._lock:
            known = self._held.pop(bearer.kept(secret), None)
        if known:
            self._save()

    def end_all_of(self, account: str) -> None:
        """End every session of an account: its password or its role is another now."""
        with self._lock:
            self._held = {key: one for key, one in self._held.items() if one.account != account}
        self._save()

    def present(self) -> list[Session]:
        """Those whose page is open."""
        since = self._clock.monotonic() - PRESENT_S
        with self._lock:
            return [one for one in self._alive() if self._seen.get(one.secret, since) > since]

    def _alive(self) -> list[Session]:
        now = self._clock.now()
        return [one for one in self._held.values() if one.until > now]

    def _save(self) -> None:
        with self._saving:
            with self._lock:
                self._held = {one.secret: one for one in self._alive()}
                self._seen = {key: at for key, at in self._seen.items() if key in self._held}
                held = list(self._held.values())
            self._keep(held)


def _age(session: Session) -> float:
    return session.began
