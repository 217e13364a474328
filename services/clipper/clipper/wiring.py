"""The clipper's parts put together from the settings."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from clipper.build import Builder
from clipper.ffmpeg import Ffmpeg
from clipper.finished import FinishedClips
from clipper.library import Library
from clipper.progress import Progress
from clipper.recordings import Recordings
from clipper.service import Clipper, Limits
from clipper.store import JobStore
from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.contract.topics import CLIP_REQUESTS
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.media.ffmpeg import find_ffmpeg
from hazardcast.mqtt.bus import Bus, MqttBus
from hazardcast.mqtt.presence import Name, Presence, Word
from hazardcast.service.lifecycle import repeat
from hazardcast.service.metrics import Health, MetricsServer
from hazardcast.signing import trust
from hazardcast.signing.envelope import Signer

log = logging.getLogger(__name__)

SERVICE = "clipper"
TICK_S = 0.5
BUILDS_AT_ONCE = 2
"""A long re-encoding must not hold up a copy that takes seconds."""
STUCK_S = 60.0
FLUSH_S = 3.0
GIGABYTE = 1e9
DAY_S = 86_400.0


def serve(settings: Settings, stop: threading.Event) -> None:
    """Run the clipper until `stop` is set."""
    clock = SystemClock()
    name = Name(SERVICE, settings.instance)
    will = name.last_will(clock.now())
    bus = MqttBus(
        settings, client_id=f"clipper-{settings.instance}", persistent=True, will=will, clock=clock
    )
    executor = ThreadPoolExecutor(BUILDS_AT_ONCE, thread_name_prefix="build")
    clipper, progress, store = assemble(settings, bus, clock, executor, stop)
    pulse = Pulse(clock)
    server = MetricsServer(settings.metrics_host, settings.metrics_port, health(pulse, bus))
    presence = Presence(name, bus, clock)
    bus.subscribe(CLIP_REQUESTS, clipper.accept)
    bus.on_connect(progress.repeat)
    bus.start()
    run(clipper, presence, pulse, clock, stop)
    executor.shutdown(cancel_futures=True)
    presence.stopped(Word(detail=clipper.facts))
    bus.flush(FLUSH_S)
    bus.close()
    server.close()
    store.close()


class Pulse:
    """When the main loop last came round."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at = clock.monotonic()

    def beat(self) -> None:
        """It came round."""
        self._at = self._clock.monotonic()

    @property
    def age_s(self) -> float:
        """Seconds since."""
        return self._clock.monotonic() - self._at


def assemble(
    settings: Settings, bus: Bus, clock: Clock, executor: ThreadPoolExecutor, stop: threading.Event
) -> tuple[Clipper, Progress, JobStore]:
    """The clipper with its edges on disk, bus and ffmpeg."""
    config = site.load(settings.config)
    signer = signer_of_clips(settings, config.site.station_id)
    store = JobStore(settings.clips_dir)
    library = Library(settings.clips_dir, signer)
    finished = FinishedClips(library)
    progress = Progress(bus, clock, finished=finished.recent, of_event=finished.of_event)
    clipper = Clipper(
        clock=clock,
        store=store,
        library=library,
        finished=finished,
        recordings=Recordings(settings.recordings_dir),
        builder=Builder(Ffmpeg(find_ffmpeg(settings.ffmpeg), clock=clock, stop=stop), clock),
        executor=executor,
        progress=progress,
        segment_s={name: camera.segment_s for name, camera in config.cameras.items()},
        limits=Limits(
            longest_s=settings.clip_retention_days * DAY_S,
            most_bytes=settings.clip_retention_gb * GIGABYTE,
            most_clips=settings.clip_retention_count,
        ),
    )
    return clipper, progress, store


def signer_of_clips(settings: Settings, station: int) -> Signer:
    """The key that signs clips, made at the first start.

    Raises:
        KeyFileError: it is none.
        OSError: it cannot be read, or made.
    """
    path = settings.clip_key_path
    if not path.exists():
        trust.ensure_clip_key(path, station=station, truststore=settings.truststore_path)
    return trust.load_signer(path)


def health(pulse: Pulse, bus: Bus) -> Health:
    """Alive while the main loop comes round; ready while requests can be heard too."""

    def alive() -> tuple[bool, str]:
        return pulse.age_s < STUCK_S, f"last round {pulse.age_s:.1f} s ago"

    def ready() -> tuple[bool, str]:
        if not bus.connected:
            return False, "no broker"
        return alive()

    return Health(alive=alive, ready=ready)


def run(
    clipper: Clipper, presence: Presence, pulse: Pulse, clock: Clock, stop: threading.Event
) -> None:
    """Tick until `stop` is set, whatever happens in between."""

    def rounds() -> None:
        while not stop.is_set():
            clipper.tick()
            presence.look(Word(detail=clipper.facts))
            pulse.beat()
            clock.wait(stop, TICK_S)

    repeat(rounds, what="looking after clips", stop=stop, clock=clock)
