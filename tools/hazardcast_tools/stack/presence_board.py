"""Who is there: the services' own words on `v2x/status`, against who is expected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hazardcast.contract.messages import CameraStatus, ServiceStatus


@dataclass(frozen=True)
class Expected:
    """A service, or one instance of it."""

    service: str
    instance: str | None = None

    def is_meant(self, status: ServiceStatus) -> bool:
        """Whether `status` speaks of this one."""
        return status.service == self.service and self.instance in (None, status.instance)

    def __str__(self) -> str:
        return self.instance or self.service


class RollCall:
    """Collects statuses; words from before `since` (of an earlier life) do not count."""

    def __init__(self, expected: Iterable[Expected], *, since: float) -> None:
        self._expected = tuple(expected)
        self._since = since
        self._latest: dict[tuple[str, str], ServiceStatus] = {}

    def hear(self, status: ServiceStatus) -> None:
        """Take one status into account."""
        if status.ts >= self._since or not status.online:
            self._latest[status.service, status.instance] = status

    def _online(self) -> list[ServiceStatus]:
        return [status for status in list(self._latest.values()) if status.online]

    @property
    def missing(self) -> list[str]:
        """Who is expected and not online."""
        online = self._online()
        return [str(one) for one in self._expected if not any(one.is_meant(s) for s in online)]

    def camera(self, service: str, camera: str) -> CameraStatus | None:
        """What `service` last said of one of its cameras."""
        words = [s for s in self._online() if s.service == service]
        return next((c for s in words for c in s.cameras if c.camera == camera), None)
