"""Puts the room of live pictures together."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from console.live.hls import Hls
from console.live.leases import Leases
from console.live.live import Live
from console.live.routes import LiveRoom, WhyDown
from hazardcast.config.site import Camera
from hazardcast.machine.clock import Clock
from hazardcast.service import lifecycle

STOPS_WITHIN_S = 2.0


def open_live(
    recordings_dir: Path, cameras: Mapping[str, Camera], *, why_down: WhyDown, clock: Clock,
    stack: ExitStack,
) -> LiveRoom:  # fmt: skip
    """The room, with its reading thread running until `stack` is left."""
    live = Live(
        recordings_dir, {name: camera.segment_s for name, camera in cameras.items()}, clock=clock
    )
    stop = threading.Event()

    def follow() -> None:
        lifecycle.repeat(
            lambda: live.run(stop), what="following recordings", stop=stop, clock=clock
        )

    thread = threading.Thread(target=follow, name="live", daemon=True)
    thread.start()
    stack.callback(thread.join, STOPS_WITHIN_S)
    stack.callback(stop.set)
    hls = Hls(live, recordings_dir, clock=clock)
    return LiveRoom(live, hls, Leases(), cameras, why_down, clock)
