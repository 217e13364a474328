"""What an output, or any part the vehicle can do without, does not manage: said once, counted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from hazardcast.machine.clock import Clock
from hazardcast.machine.refusals import in_words
from vehicle_agent import metrics

log = logging.getLogger(__name__)
T = TypeVar("T")
SAID_EVERY_S = 60.0
"""A fault that stays, or comes and goes, is said no more often."""


class Fault:
    """Whether one part fails at present. Logs the first failure, then seldom, and the recovery."""

    def __init__(self, part: metrics.Part, clock: Clock) -> None:
        self._part = part
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._said_at: float | None = None
        self._owes_recovery = False

    @property
    def present(self) -> bool:
        """Whether it failed, and has not worked since."""
        return self._failures > 0

    def failed(self, reason: BaseException | str) -> None:
        """It did not work this time."""
        metrics.PART_FAILURES[self._part].inc()
        metrics.PART_FAILING[self._part].set(1)
        now = self._clock.monotonic()
        with self._lock:
            self._failures += 1
            if self._said_at is not None and now - self._said_at < SAID_EVERY_S:
                return
            self._said_at, self._owes_recovery, failures = now, True, self._failures
        log.error(
            "failing; the rest goes on",
            extra={"part": self._part, "reason": _words(reason), "failures": failures},
        )

    def worked(self) -> None:
        """It worked."""
        if not self._failures:
            return
        with self._lock:
            failures, owes, self._failures, self._owes_recovery = (
                self._failures, self._owes_recovery, 0, False,
            )  # fmt: skip
        metrics.PART_FAILING[self._part].set(0)
        if owes:
            log.info("works again", extra={"part": self._part, "failures": failures})

    def guard(self, work: Callable[[], T]) -> T | None:
        """Do `work`; None when it raised, whatever it raised; False from it says nothing of it."""
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - no part may break another
            self.failed(error)
            return None
        if result is not False:
            self.worked()
        return result


def _words(reason: BaseException | str) -> str:
    if isinstance(reason, OSError):
        return in_words(reason)
    return reason if isinstance(reason, str) else f"{type(reason).__name__}: {reason}"
