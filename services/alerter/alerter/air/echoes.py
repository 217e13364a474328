"""What the station says to itself to know that it is heard: by the broker, and on the group. Pure.

A connection that stands and a `send` that the kernel takes prove little: a thread may hang, an
access list may forbid, a datagram may leave by the wrong interface. What comes back has been there.
"""

from __future__ import annotations

from collections.abc import Iterable

from alerter.air.transmitter import Heard

BROKER_WITHIN_S = 5.0
"""As incidents wait in line with it, a nonce that takes longer means alerts that come late."""
SAY_EVERY_S = 5.0
AIR_WITHIN_S = 1.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 4.0


class BrokerEcho:
    """A nonce is said every 5 s and must come back within 5 s."""

    def __init__(self) -> None:
        self._said_at = float("-inf")
        self._nonce: str | None = None
        """Not back yet."""
        self.problem: str | None = "nothing has come back through the broker yet"

    def is_due(self, now: float) -> bool:
        """Whether it is time to say one; one that does not come back is not said again at once."""
        return now - self._said_at >= SAY_EVERY_S

    def said(self, nonce: str, now: float) -> None:
        """A nonce was handed to the broker."""
        self._nonce, self._said_at = nonce, now

    def heard(self, nonce: str) -> None:
        """A nonce came back, ours or that of a process before us."""
        if nonce == self._nonce:
            self._nonce, self.problem = None, None

    def look(self, now: float) -> None:
        """Notice that a nonce is missing."""
        if self._nonce and now - self._said_at >= BROKER_WITHIN_S:
            self.problem = (
                f"what is said to the broker does not come back within {BROKER_WITHIN_S:g} s"
            )

    def begin_anew(self) -> None:
        """The connection is new: it has yet to prove itself."""
        self._nonce, self._said_at = None, float("-inf")
        self.problem = "nothing has come back through the broker yet"


class AirEcho:
    """Every heartbeat must be heard on the group; two in a row that are not mean that none is."""

    def __init__(self) -> None:
        self._heard_at = float("-inf")
        """When the newest heartbeat that was heard had been sent."""
        self._tried_at = float("-inf")
        self._pause_s = FIRST_PAUSE_S
        self.problem: str | None = "no heartbeat of ours was heard on the group yet"

    def heard(self, data: bytes, sent: Iterable[Heard]) -> bool:
        """Something was heard; whether it is one of those that we sent."""
        for beat in sent:
            if beat.data == data:
                self._heard_at = max(self._heard_at, beat.at)
                self._pause_s, self.problem = FIRST_PAUSE_S, None
                return True
        return False

    def look(self, sent: Iterable[Heard], now: float) -> bool:
        """Judge by what was sent lately; True when a heartbeat should be tried right now."""
        missing = [beat.at for beat in sent if beat.at > self._heard_at]
        if not missing or now - missing[-1] < AIR_WITHIN_S:
            return False
        if len(missing) > 1:
            self.problem = "our own heartbeats are not heard on the group (a firewall here?)"
        if now - self._tried_at < self._pause_s:
            return False
        self._tried_at = now
        self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s)
        return True
