"""Flames and smoke of one camera, each looked for at its own pace."""

from __future__ import annotations

from detector.flames import Flame, FlameWatch
from detector.frame import Frame
from detector.image import Image
from detector.smoke import SmokeWatch


class FireWatch:
    """What burns or smokes in one camera's frames."""

    def __init__(self) -> None:
        self._watches = FlameWatch(), SmokeWatch()

    def reset(self) -> None:
        """Forget, as after a cut."""
        for watch in self._watches:
            watch.reset()

    def update(self, frame: Frame, ignored: Image | None = None) -> list[Flame]:
        """The regions that burn or smoke now; `ignored` is a mask like the frame, 255 = skip."""
        return [found for watch in self._watches for found in watch.update(frame, ignored)]
