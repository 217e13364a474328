"""What the camera service says of itself, and when it says it again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import hazardcast
from hazardcast.messages import CameraStatus, ServiceStatus

SERVICE = "camera"
CHANGED_S, UNCHANGED_S = 5.0, 30.0


def status(
    instance: str,
    state: Literal["online", "offline", "stopped"],
    now: float,
    cameras: Iterable[CameraStatus] = (),
) -> ServiceStatus:
    """The message for `v2x/status/camera/{instance}`."""
    return ServiceStatus(
        service=SERVICE,
        instance=instance,
        state=state,
        version=hazardcast.__version__,
        ts=now,
        cameras=tuple(cameras),
    )


@dataclass
class Diary:
    """Remembers what was said last: a changed state is said at once, freshness every 5 s."""

    said_at: float = float("-inf")
    said: tuple[CameraStatus, ...] = ()

    def due(self, cameras: tuple[CameraStatus, ...], now: float) -> bool:
        """Whether to say it now; `now` is monotonic."""
        if _states(cameras) != _states(self.said):
            return True
        waited_s = now - self.said_at
        return waited_s >= (CHANGED_S if cameras != self.said else UNCHANGED_S)

    def note(self, cameras: tuple[CameraStatus, ...], now: float) -> None:
        """It was said."""
        self.said_at, self.said = now, cameras


def _states(cameras: tuple[CameraStatus, ...]) -> list[tuple[str, str]]:
    return [(camera.camera, camera.state) for camera in cameras]
