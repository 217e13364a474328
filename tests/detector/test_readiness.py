from __future__ import annotations

from dataclasses import dataclass

from detector.service import DetectorService

from hazardcast.config.site import Camera
from hazardcast.contract.messages import CameraStatus
from hazardcast.testing import ManualClock, MemoryBroker


@dataclass
class IdleWorker:
    """A camera's worker that has nothing to analyse until told so."""

    name: str
    idle_s: float = float("inf")

    def start(self) -> None: ...
    def ask_to_stop(self) -> None: ...
    def close(self) -> None: ...

    def status(self) -> CameraStatus:
        return CameraStatus(camera=self.name, state="live")


def detector(clock: ManualClock, broker: MemoryBroker, *names: str) -> tuple[DetectorService, dict[str, IdleWorker]]:  # fmt: skip
    workers: dict[str, IdleWorker] = {}

    def open_worker(name: str, _camera: Camera) -> IdleWorker:
        return workers.setdefault(name, IdleWorker(name))

    service = DetectorService(
        {name: Camera(url="demo://normal") for name in names},
        open_worker=open_worker,  # type: ignore[arg-type]
        bus=broker.bus(clock), clock=clock, instance="one", pinned=True, model="background",
    )  # fmt: skip
    service.look()
    return service, workers


def test_a_detector_is_ready_while_frames_are_analysed(
    clock: ManualClock, broker: MemoryBroker
) -> None:
    service, workers = detector(clock, broker, "north", "south")
    assert service.ready() == (False, "nothing analysed of north, south")

    workers["north"].idle_s = 0.1

    assert service.ready() == (True, "nothing analysed of south")


def test_a_detector_whose_frames_stopped_is_not_ready(
    clock: ManualClock, broker: MemoryBroker
) -> None:
    service, workers = detector(clock, broker, "north")
    workers["north"].idle_s = 11.0

    assert not service.ready()[0]


def test_a_detector_in_reserve_is_ready(clock: ManualClock, broker: MemoryBroker) -> None:
    assert detector(clock, broker)[0].ready()[0]
