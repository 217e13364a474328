"""Flames and smoke of one camera, each looked for at its own pace."""

from __future__ import annotations

from detector.fire.flames import Flame, FlameWatch
from detector.fire.smoke import SmokeWatch
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.image import Image


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
