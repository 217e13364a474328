from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from camera.push.door import PushServer
from camera.push.pushed import PushedCamera
from camera.push.tokens import Tokens
from camera.server import CameraServer
from camera.service import CameraService

from hazardcast.machine.clock import SystemClock
from hazardcast.testing import MemoryBroker
from tests.camera.house import OTHER, TOKEN, House


@pytest.fixture(scope="module")
def house(ffmpeg: str) -> Iterator[House]:
    clock, stop = SystemClock(), threading.Event()
    cameras = {name: PushedCamera(name, clock, ffmpeg) for name in ("gate", "bridge")}
    streams = CameraServer("127.0.0.1", 0, cameras)
    door = PushServer("127.0.0.1", 0, cameras, Tokens({"gate": TOKEN, "bridge": OTHER}))
    broker = MemoryBroker()
    service = CameraService(streams, broker.bus(), clock=clock, instance="here")
    thread = threading.Thread(target=service.run, args=(stop,))
    thread.start()
    yield House(cameras, door.port, streams.port, broker)
    stop.set()
    door.close()
    thread.join(10)
    assert not thread.is_alive()
