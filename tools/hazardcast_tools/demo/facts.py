"""What has happened so far, gathered from the bus, the disk and the vehicles' consoles."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from hazardcast.contract.incident_types import CAUSES, IncidentType
from hazardcast.contract.messages import Alert, ClipState, Detections, Incident
from hazardcast_tools.demo.figures import HeardReceipt

RATE_WINDOW_S = 3.0
CONSOLE_MARK = "[RECV]"


@dataclass
class Facts:
    """The demo's memory; filled by one thread, in the order of arrival."""

    vehicles: tuple[str, ...]
    expected_type: str | None
    missing: list[str] = field(default_factory=list)
    camera_live: bool = False
    recorded_s: float = 0.0
    detections: int = 0
    incidents: list[Incident] = field(default_factory=list)
    alert: Alert | None = None
    alerts: dict[str, Alert] = field(default_factory=dict)
    console: dict[str, list[str]] = field(default_factory=dict)
    """Each vehicle's `[RECV]` lines."""
    receipts: list[HeardReceipt] = field(default_factory=list)
    clip: ClipState | None = None
    ended: bool = False
    """The alert was cancelled at the end of the demo."""
    _arrivals: deque[tuple[float, int]] = field(default_factory=deque)
    _first_at: float | None = None

    def saw(self, detections: Detections, at: float) -> None:
        """A frame was analysed (`at` monotonic)."""
        self.detections += 1
        self._first_at = at if self._first_at is None else self._first_at
        self._arrivals.append((at, len(detections.objects)))

    def rate(self, at: float) -> tuple[float, int]:
        """Frames analysed a second, and the objects in the latest, over the last seconds."""
        while self._arrivals and at - self._arrivals[0][0] > RATE_WINDOW_S:
            self._arrivals.popleft()
        if not self._arrivals:
            return 0.0, 0
        return len(self._arrivals) / RATE_WINDOW_S, self._arrivals[-1][1]

    def mean_rate(self, at: float) -> float | None:
        """Frames analysed a second since the first one; None without any."""
        if self._first_at is None or at <= self._first_at:
            return None
        return self.detections / (at - self._first_at)

    def broadcast(self, alert: Alert) -> bool:
        """An alert is on the air; True when it is the one that the demo waits for."""
        known = alert.event_id in self.alerts
        self.alerts[alert.event_id] = alert
        if self.alert is not None:
            if alert.event_id == self.alert.event_id:
                self.ended = self.ended or alert.terminated
            return False
        if known or not self._akin(alert):
            return False
        self.alert = alert
        return True

    def _akin(self, alert: Alert) -> bool:
        """Whether it may be the expected event, if under another name of the same family."""
        if self.expected_type is None:
            return True
        expected = CAUSES[IncidentType(self.expected_type)]
        return CAUSES[alert.type].family == expected.family

    def printed(self, vehicle: str, line: str) -> bool:
        """A vehicle wrote a line; True when it is one of its console."""
        if not line.lstrip().startswith(CONSOLE_MARK):
            return False
        self.console.setdefault(vehicle, []).append(line)
        return True

    def clip_is(self, state: ClipState) -> bool:
        """The clipper says how far it is; True when it speaks of our event and is news."""
        if self.alert is None or state.event_id != self.alert.event_id:
            return False
        news = self.clip is None or self.clip.state != state.state
        self.clip = state
        return news

    @property
    def received_by(self) -> list[str]:
        """Vehicles whose console has shown our event."""
        if self.alert is None:
            return []
        return [
            vehicle
            for vehicle in self.vehicles
            if any(self.alert.event_id in line for line in self.console.get(vehicle, ()))
        ]

    @property
    def clip_done(self) -> bool:
        """The clipper has finished, well or not."""
        return self.clip is not None and self.clip.state.is_final
