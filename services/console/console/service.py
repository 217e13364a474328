"""The console process: the broker on one side, browsers on the other."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from zoneinfo import ZoneInfo

from fastapi import APIRouter

from console.actions import ground, station_routes
from console.actions import routes as action_routes
from console.actions.board import Board
from console.actions.desk import Desk
from console.actions.requests import Requests
from console.actions.station_routes import PictureFormat, Station
from console.api import routes as api
from console.api.clip_files import ClipFiles
from console.archives import routes as archive_routes
from console.archives.incidents import StoredIncidents
from console.archives.opening import ffmpeg_if_any, open_archives
from console.doors import account_routes, routes
from console.doors.opening import FOLDER, open_doors
from console.doors.privacy import Privacy
from console.http.app import application
from console.http.server import HttpServer
from console.intake.intake import Intake
from console.intake.upkeep import Upkeep
from console.live import routes as live_routes
from console.live.opening import open_live
from console.socket import routes as socket_routes
from console.socket.feed import Feed
from console.socket.hub import open_hub
from console.socket.session import SocketRoom
from console.store.decisions import Decision as Entry
from console.store.retention import Keep
from console.store.store import Store
from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.contract.messages import ServiceStatus
from hazardcast.contract.messages.decision import OPERATORS
from hazardcast.contract.topics import STATUS
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.mqtt.bus import Delivery, MqttBus
from hazardcast.mqtt.presence import Name, Presence, Word
from hazardcast.service import lifecycle
from hazardcast.service.metrics import Health, MetricsServer

log = logging.getLogger(__name__)
SERVICE = "console"
PRIVACY = "privacy"
"""The service whose presence ends free view."""
LOOK_EVERY_S = 0.5
FLUSH_WITHIN_S = 2.0


def serve(settings: Settings, stop: threading.Event) -> None:
    """Run the console until `stop`."""
    with ExitStack() as stack:
        Service(settings, stop, stack).run()


class Service:
    """Everything that one console process holds."""

    def __init__(self, settings: Settings, stop: threading.Event, stack: ExitStack) -> None:
        self._settings = settings
        self._stop = stop
        self._stack = stack
        self._clock: Clock = SystemClock()
        self._config = site.load(settings.config)
        self._archive_dir = settings.archive_dir or settings.data_dir
        self._open_bus()
        self._open_store()
        self._open_doors()
        self._open_pictures()
        self._open_actions()

    def _open_bus(self) -> None:
        instance = self._settings.instance
        name = Name(SERVICE, instance)
        self._bus = MqttBus(
            self._settings,
            client_id=f"hazardcast-console-{instance}",
            persistent=True,
            will=name.last_will(self._clock.now()),
            clock=self._clock,
        )
        self._stack.callback(self._bus.close)
        self._presence = Presence(name, self._bus, self._clock)

    def _open_store(self) -> None:
        settings, place = self._settings, self._config.site
        self._store = Store(
            settings.database, site=place.key, zone=ZoneInfo(place.time_zone), clock=self._clock
        )
        self._store.open()
        self._stack.callback(self._store.close)
        cameras = frozenset(self._config.cameras)
        self._intake = Intake(self._store, self._bus, self._clock, cameras=cameras)
        self._intake.subscribe()
        keep = Keep(
            tracks=settings.console_keep_tracks_days,
            noise=settings.console_keep_days,
            alerts=settings.console_keep_alerts_days,
        )
        self._upkeep = Upkeep(self._store, keep, self._clock)

    def _open_doors(self) -> None:
        self._privacy = Privacy(self._settings.data_dir / FOLDER)
        self._bus.subscribe(STATUS, self._hear_privacy)
        self._guard, self._reception = open_doors(self._settings, self._clock, self._privacy.is_on)

    def _hear_privacy(self, status: ServiceStatus, _delivery: Delivery) -> None:
        """Where a privacy service belongs to the station, pictures are protected for good."""
        if status.service == PRIVACY:
            self._privacy.hear()

    def _open_pictures(self) -> None:
        """What is recorded, as it comes and as it was, and the sockets by which pages follow."""
        settings, config = self._settings, self._config
        self._hub = open_hub(self._store)
        self._feed = Feed(self._hub, self._bus, self._clock, cameras=frozenset(config.cameras))
        self._feed.subscribe()
        recordings_dir = self._archive_dir / "recordings"
        self._live = open_live(
            recordings_dir, config.cameras, why_down=self._feed.why_down, clock=self._clock,
            stack=self._stack,
        )  # fmt: skip
        self._archives = open_archives(
            self._live, recordings_dir, built_dir=settings.data_dir / "console" / "archives",
            zone=config.site.time_zone, program=ffmpeg_if_any(settings.ffmpeg),
            incidents=StoredIncidents(self._store),
        )  # fmt: skip

    def _open_actions(self) -> None:
        self._board = Board(self._clock)
        self._board.subscribe(self._bus)
        self._desk = Desk(self._board, self._bus, self._clock, self._keep)
        self._requests = Requests(self._board, self._bus, self._clock, self._config, self._keep)
        self._station = Station(
            self._board,
            self._bus,
            self._config,
            self._settings,
            self._clock,
            format_of=self._format_of,
        )
        self._ground = ground.Ground(self._settings.config.parent / ground.NAME)

    def _format_of(self, camera: str) -> PictureFormat:
        line = self._live.live.glimpsed(camera)
        return PictureFormat(line.codec, line.width, line.height)

    def _keep(self, entry: Entry) -> None:
        """In the console's own log, before it is said; a database that is away holds nobody up."""
        self._store.keep(entry)

    def _routers(self) -> list[APIRouter]:
        """What every room answers."""
        return [
            routes.router(
                self._reception,
                self._config.site,
                self._clock,
                has_map=lambda: self._ground.text() is not None,
            ),
            account_routes.router(self._reception),
            *api.routers(
                self._store,
                ClipFiles(self._archive_dir / "clips", self._settings.truststore_path),
                self._clock,
                cameras=frozenset(self._config.cameras),
            ),
            live_routes.router(self._live),
            archive_routes.router(self._archives),
            socket_routes.router(
                SocketRoom(
                    self._hub, self._live, self._store, self._clock, lambda: self._bus.connected
                )
            ),
            action_routes.router(self._desk, self._requests, self._clock),
            station_routes.router(self._station),
            ground.router(self._ground),
        ]

    def run(self) -> None:
        """Hear, answer, and say how it is, until stopped."""
        settings = self._settings
        health = Health(alive=self._alive, ready=self._ready)
        server = MetricsServer(settings.metrics_host, settings.metrics_port, health)
        self._stack.callback(server.close)
        self._http = HttpServer(
            application(self._guard, health, self._routers()),
            host=settings.console_host,
            port=settings.console_port,
            trusted=self._guard.proxies,
        )
        self._stack.callback(self._http.close)
        self._bus.start()
        log.info("console runs", extra={"port": self._http.port})
        lifecycle.repeat(
            self._look_until_stopped, what="presence", stop=self._stop, clock=self._clock
        )
        self._presence.stopped()
        self._bus.flush(FLUSH_WITHIN_S)

    def _look_until_stopped(self) -> None:
        while not self._clock.wait(self._stop, LOOK_EVERY_S):
            self._presence.look(Word(detail=self._facts()))
            self._intake.tick()
            self._feed.tick()
            self._upkeep.tick()

    def _facts(self) -> dict[str, object]:
        return {"port": self._http.port, OPERATORS: self._guard.operators_present()}

    def _alive(self) -> tuple[bool, str]:
        return (True, "alive") if self._http.thread.is_alive() else (False, "nobody is answered")

    def _ready(self) -> tuple[bool, str]:
        if not self._bus.connected:
            return False, "no broker"
        if problem := self._store.problem:
            return False, problem
        return self._alive()
