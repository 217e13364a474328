"""Noticing that another process goes by our name.

Two processes of one service and instance share a topic of `v2x/status`: their words are taken for
one's, and the last will of either hides the other; two with one persistent session throw each other
out for ever. So each signs its status with a nonce of its own, `boot`, and hears its own topic.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from hazardcast.contract.messages import Message, Receipt, ServiceStatus
from hazardcast.machine.clock import Clock
from hazardcast.service import metrics

log = logging.getLogger(__name__)
M = TypeVar("M", bound=Message)
SETTLED_S = 5.0
"""What is heard sooner after a connection may have waited at the broker."""
PROOF_WITHIN_S = 90.0
"""Two words prove a twin: one may come of a restart, or of a broker that was put back."""
TOLD_AGAIN_S = 300.0
REMEMBERED_S = 120.0
"""Four statuses missed: nobody can say that there still are two."""
BOOT, TWICE = "boot", "name_given_twice"
"""Fields of a status's detail; a receipt has the first too."""


class NameGuard:
    """Watches over the name of one process; called by one thread."""

    def __init__(self, will: ServiceStatus, boot: str, clock: Clock) -> None:
        self.boot = boot
        self._name = (will.service, will.instance)
        self._clock = clock
        self._connected_at = float("-inf")
        self._echoed = False
        self._suspect = ("", float("-inf"))
        self._twin_at = float("-inf")
        self._told_at = float("-inf")
        self._said: ServiceStatus | None = None

    def signed(self, message: M) -> M:
        """A status or receipt of our own with `boot`, and any twin; all else as it is."""
        if isinstance(message, Receipt):
            return message.model_copy(update={BOOT: self.boot})
        if not isinstance(message, ServiceStatus):
            return message
        if (message.service, message.instance) != self._name:
            return message
        mark: dict[str, object] = {BOOT: self.boot}
        if self._clock.monotonic() - self._twin_at < REMEMBERED_S:
            mark[TWICE] = True
        own = message.model_copy(update={"detail": message.detail.model_copy(update=mark)})
        self._said = own
        return own

    def connected(self) -> None:
        """The broker has let us in."""
        self._connected_at = self._clock.monotonic()

    def hear(
        self, word: ServiceStatus, *, retained: bool, say: Callable[[ServiceStatus], object]
    ) -> str | None:
        """Judge a word on our own topic; the `boot` of a twin if it proves one.

        Whatever hides that we are online is covered by our own word again.
        """
        other = word.detail.boot
        self._echoed |= other == self.boot
        if not word.online and self._said and self._said.online:
            say(self._said.model_copy(update={"ts": self._clock.now()}))
        if other is None or other == self.boot or not self._is_alive(word, retained):
            return None
        now = self._clock.monotonic()
        before, self._suspect = self._suspect, (other, now)
        if before[0] != other or now - before[1] > PROOF_WITHIN_S:
            return None
        self._tell_of_twin()
        return other

    def _is_alive(self, word: ServiceStatus, retained: bool) -> bool:
        """Whether a word of another process was said while we lived.

        Before ours has reached the broker the retained word is of whoever had the name before;
        later it should be ours, so that anybody else's was said while we lived. What comes live
        soon after a connection may have waited for us.
        """
        if retained:
            return self._echoed
        settled = self._clock.monotonic() - self._connected_at >= SETTLED_S
        return settled and word.online

    def _tell_of_twin(self) -> None:
        self._twin_at = self._clock.monotonic()
        metrics.NAME_CONFLICTS.inc()
        if self._twin_at - self._told_at < TOLD_AGAIN_S:
            return
        self._told_at = self._twin_at
        service, instance = self._name
        variable = "HAZARDCAST_VEHICLE" if service == "vehicle-agent" else "HAZARDCAST_INSTANCE"
        log.error(
            "the name %s is given twice: another %s at this broker has it too",
            instance, service, extra={"change": variable},
        )  # fmt: skip
