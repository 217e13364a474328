"""Log lines of which thousands a second may be due: some are told, and how many were not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

from hazardcast.machine.clock import Clock
from hazardcast.receiving.token_bucket import TokenBucket

LINES_PER_S, LINES_BURST = 20.0, 100.0


class SparingLog:
    """Tells `per_s` lines a second, `burst` at once; what was left out is told by the next one.

    Any thread may call it.
    """

    def __init__(
        self,
        log: logging.Logger,
        clock: Clock,
        *,
        per_s: float = LINES_PER_S,
        burst: float = LINES_BURST,
    ) -> None:
        self._log = log
        self._clock = clock
        self._bucket = TokenBucket(per_s, burst, burst, clock.monotonic())
        self._left_out = 0
        self._lock = threading.Lock()

    def say(
        self,
        level: int,
        message: str,
        *args: object,
        extra: Mapping[str, object],
        exc_info: bool = False,
    ) -> None:
        """Tell a line, or count it as left out."""
        with self._lock:
            if not self._bucket.take(self._clock.monotonic()):
                self._left_out += 1
                return
            left_out, self._left_out = self._left_out, 0
        more = {"left_out": left_out} if left_out else {}
        self._log.log(level, message, *args, extra={**extra, **more}, exc_info=exc_info)
