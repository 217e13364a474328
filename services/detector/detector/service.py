"""The detector: owns its share of the cameras, analyses them, and says how it is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from detector import metrics
from detector.ownership import Replicas, owned
from detector.worker import Worker
from hazardcast.config.site import Camera
from hazardcast.contract.messages import DetectorDetail, ServiceStatus
from hazardcast.contract.topics import STATUS
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus, Delivery
from hazardcast.mqtt.presence import Name, Presence, Word

log = logging.getLogger(__name__)

SERVICE, ALERTER = "detector", "alerter"
SETTLING_S = 2.0
"""At the start the others' retained words arrive first; until then no camera is taken."""
LOOK_EVERY_S = 0.1
"""Often: a dead replica's cameras are unwatched until the others have looked."""
IDLE_S = 10.0
"""A camera of which nothing was analysed for longer is not being watched."""

OpenWorker = Callable[[str, Camera], Worker]


class DetectorService:
    """Keeps a worker for every camera that falls to this replica."""

    def __init__(
        self, cameras: Mapping[str, Camera], *, open_worker: OpenWorker, bus: Bus, clock: Clock,
        instance: str, pinned: bool, model: str,
    ) -> None:  # fmt: skip
        self._cameras, self._open_worker = dict(cameras), open_worker
        self._bus, self._clock = bus, clock
        self._presence = Presence(Name(SERVICE, instance), bus, clock)
        self._instance, self._pinned, self._model = instance, pinned, model
        self._replicas = Replicas()
        self._shared: tuple[frozenset[str] | None, frozenset[str]] = (None, frozenset())
        self._lock = threading.Lock()
        self._workers: dict[str, Worker] = {}
        self._alerters: dict[str, object] = {}
        """Which run of each alerter is known to be there."""

    def listen(self) -> None:
        """Hear the other replicas and the alerter; call before the bus starts."""
        self._bus.subscribe(STATUS, self._hear, cleared=self._cleared)
        self._bus.on_connect(self._connected)

    def run(self, stop: threading.Event) -> None:
        """Analyse until `stop`, then let go of every camera and say so."""
        self._presence.say(self._word())
        if not self._pinned:
            self._clock.wait(stop, SETTLING_S)
        while not stop.is_set():
            self.look()
            self._clock.wait(stop, LOOK_EVERY_S)
        self._keep(frozenset())
        self._presence.stopped(self._word())

    def look(self) -> None:
        """Take and let go of cameras as replicas come and go; say how things are in time."""
        self._keep(self.share())
        self._presence.look(self._word())

    def share(self) -> frozenset[str]:
        """The cameras that fall to this replica now."""
        if self._pinned:
            return frozenset(self._cameras)
        with self._lock:
            alive = self._replicas.alive(self._clock.monotonic())
        if alive != self._shared[0]:
            self._shared = (alive, owned(self._cameras, alive, self._instance))
        return self._shared[1]

    @property
    def cameras(self) -> frozenset[str]:
        """The cameras that are analysed now."""
        return frozenset(self._workers)

    def _word(self) -> Word:
        """How the cameras are that are analysed here, by what, and whether others share them."""
        return Word(
            cameras=tuple(worker.status() for _, worker in sorted(self._workers.items())),
            detail=DetectorDetail(model=self._model, shares=not self._pinned),
        )

    def ready(self) -> tuple[bool, str]:
        """Ready while frames are analysed, or when no camera falls to this replica."""
        workers = list(self._workers.items())
        idle = [name for name, worker in workers if worker.idle_s > IDLE_S]
        detail = f"nothing analysed of {', '.join(idle)}" if idle else f"{len(workers)} cameras"
        return not workers or len(idle) < len(workers), detail

    def _keep(self, cameras: frozenset[str]) -> None:
        gone = [self._workers.pop(name) for name in sorted(self._workers.keys() - cameras)]
        for worker in gone:
            worker.ask_to_stop()
        # Taken before the others are let go of: a stream that hangs takes seconds to close.
        for name in sorted(cameras - self._workers.keys()):
            log.info("camera taken", extra={"camera": name})
            self._workers[name] = self._open_worker(name, self._cameras[name])
            self._workers[name].start()
        for worker in gone:
            worker.close()
        metrics.CAMERAS_OWNED.set(len(self._workers))

    def _connected(self) -> None:
        self._alerters.clear()
        self._say_incidents_again()

    def _say_incidents_again(self) -> None:
        """What was said while nobody took it is refused as too old, or gone with the broker."""
        for worker in list(self._workers.values()):
            worker.say_again()

    def _hear_alerter(self, status: ServiceStatus, delivery: Delivery) -> None:
        """An alerter that comes may have missed what was said; one that goes on has not.

        What the broker retains of one, it knew before we came: then it keeps its messages too.
        """
        if not status.online:
            self._alerters.pop(status.instance, None)
            return
        run = (status.detail.boot,)
        is_new = self._alerters.get(status.instance) != run
        self._alerters[status.instance] = run
        if is_new and not delivery.retained:
            self._say_incidents_again()

    def _hear(self, status: ServiceStatus, delivery: Delivery) -> None:
        if status.service == ALERTER:
            self._hear_alerter(status, delivery)
        if status.service != SERVICE or status.instance == self._instance:
            return
        # A retained word may be old: of a replica whose last will was lost with the broker.
        age_s = max(0.0, self._clock.now() - status.ts) if delivery.retained else 0.0
        with self._lock:
            self._replicas.hear(status, delivery.received_monotonic - age_s)

    def _cleared(self, delivery: Delivery) -> None:
        if delivery.parameters.get("service") == SERVICE:
            with self._lock:
                self._replicas.forget(delivery.parameters["instance"])
