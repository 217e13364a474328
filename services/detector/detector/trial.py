"""`python -m detector.trial`: reads the cameras for some seconds as the detector does.

What came of each is told as a line of JSON (`hazardcast.contract.trials`).
"""

from __future__ import annotations

import sys
import threading

from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.config.site import Camera
from hazardcast.contract.trials import WatchingTrial
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.service import lifecycle, logs
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.sources import LiveFrames

BURST_S = 1.0
"""What OpenCV held back while it looked at the stream comes first, all at once."""
WATCHED_S = 3.0
LONGEST_TRIAL_S = 180.0
LOOK_S = 0.1
_WORDS = {
    "connecting": "no picture has come",
    "unreachable": "OpenCV cannot open it",
    "stalled": "it ended or went silent before a picture could be shown",
}


class CameraTrial:
    """Reads one camera until enough of its pictures came."""

    def __init__(self, name: str, camera: Camera, settings: Settings, clock: Clock) -> None:
        server = settings.camera_server
        self._name, self._clock = name, clock
        self._frames = LiveFrames(
            lambda: site.stream_url(name, camera, camera_server=server, detect=True),
            camera=name, fps=camera.detect_fps, clock=clock, transport=camera.rtsp_transport,
            captured=self._count,
        )  # fmt: skip
        self._began_s = clock.monotonic()
        self._came_s: list[float] = []
        self._size: str | None = None
        self.result: WatchingTrial | None = None
        self._frames.start()

    def look(self, *, last: bool = False) -> WatchingTrial | None:
        """The result, once there is one; `last`: the trial ends here."""
        now_s = self._clock.monotonic()
        if frame := self._frames.take(0):
            self._size = f"{frame.width}x{frame.height}"
        enough = self._size and now_s - self._came_s[0] >= BURST_S + WATCHED_S
        if enough or last or now_s - self._began_s > LONGEST_TRIAL_S:
            self.result = self._result()
        return self.result

    def _count(self) -> None:
        self._came_s.append(self._clock.monotonic())

    def _result(self) -> WatchingTrial:
        if self._size is None:
            state = self._frames.state
            detail = self._frames.trouble or _WORDS.get(state, state)
            return WatchingTrial(camera=self._name, watched=False, detail=detail)
        steady = [one for one in self._came_s if one - self._came_s[0] >= BURST_S]
        length_s = steady[-1] - steady[0] if steady else 0.0
        return WatchingTrial(
            camera=self._name,
            watched=True,
            size=self._size,
            fps=(len(steady) - 1) / length_s if length_s > 0 else None,
            waited_s=self._came_s[0] - self._began_s,
        )


def serve(settings: Settings, stop: threading.Event) -> None:
    """Try every chosen camera, side by side, until each is judged.

    Raises:
        ConfigError: the configuration is wrong.
    """
    logs.configure("CRITICAL", "text")  # what is to be told is told in the results
    image.single_threaded()
    clock = SystemClock()
    chosen = site.load(settings.config).chosen(settings.camera_ids)
    trials = [CameraTrial(name, camera, settings, clock) for name, camera in chosen.items()]
    while open_ones := [trial for trial in trials if trial.result is None]:
        is_last = clock.wait(stop, LOOK_S)
        for trial in open_ones:
            if result := trial.look(last=is_last):
                sys.stdout.write(result.model_dump_json() + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    lifecycle.run_service(serve)
