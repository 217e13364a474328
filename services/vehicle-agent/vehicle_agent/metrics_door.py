"""`/metrics` and `/healthz`, as soon as their port is free: no vehicle is deaf for want of one."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hazardcast.machine.clock import Clock
from hazardcast.service.metrics import MetricsServer
from vehicle_agent.fault import Fault

RETRY_S = 5.0


class MetricsDoor:
    """Opens the server on a thread of its own, as looking up its address may take long too."""

    def __init__(
        self, open_server: Callable[[], MetricsServer], stop: threading.Event, clock: Clock
    ) -> None:
        self._open = open_server
        self._stop = stop
        self._clock = clock
        self._fault = Fault("metrics", clock)
        self._server: MetricsServer | None = None
        self._thread = threading.Thread(target=self._run, name="metrics-door", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._server = self._fault.guard(self._open)
            if self._server:
                return
            self._clock.wait(self._stop, RETRY_S)

    def close(self) -> None:
        """Stop answering."""
        self._thread.join(1.0)
        if self._server:
            self._server.close()
