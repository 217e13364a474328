"""Keeps the agent told where the vehicle is, and the driver whether that is known."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from hazardcast.config.settings import Settings
from hazardcast.machine.clock import Clock
from vehicle_agent import gpx
from vehicle_agent.fault import Fault
from vehicle_agent.gpsd import Gpsd, parse_address
from vehicle_agent.position import Fix, pose, position_line, read_gpsd
from vehicle_agent.relevance import Pose

PLAY_EVERY_S = 0.2
RETRY_S = 5.0

Moved = Callable[[Pose], None]
Say = Callable[[Callable[[float], str]], None]


class Source(Protocol):
    """Where fixes come from."""

    name: str
    latest: Fix | None

    def run(self, stop: threading.Event) -> None:
        """Keep `latest` up to date until `stop`."""
        ...


class GpxSource:
    """A drive that begins when the agent does."""

    name = "gpx"

    def __init__(self, settings: Settings, clock: Clock) -> None:
        assert settings.vehicle_gpx is not None
        self._path = settings.vehicle_gpx
        self._clock = clock
        self._began = clock.monotonic()
        self.latest: Fix | None = None

    def run(self, stop: threading.Event) -> None:
        """Play the drive.

        Raises:
            ConfigError: the file cannot be read, or is no drive.
        """
        track = gpx.load(self._path)
        while not stop.is_set():
            now = self._clock.monotonic()
            self.latest = gpx.at(track, now - self._began, now)
            self._clock.wait(stop, PLAY_EVERY_S)


class GpsdSource:
    """The vehicle's own receiver."""

    name = "gpsd"

    def __init__(self, settings: Settings, clock: Clock) -> None:
        assert settings.vehicle_gpsd is not None
        self._clock = clock
        self._gpsd = Gpsd(parse_address(settings.vehicle_gpsd), self._hear, clock=clock)
        self.latest: Fix | None = None

    def run(self, stop: threading.Event) -> None:
        """Hear what the daemon says."""
        self._gpsd.run(stop)

    def _hear(self, line: bytes) -> None:
        fix = read_gpsd(line, self._clock.monotonic(), self.latest)
        self.latest = fix or self.latest


def source(settings: Settings, clock: Clock) -> Source | None:
    """The source that the settings name: gpsd before a drive; None where the place is fixed.

    Raises:
        ConfigError: gpsd's address is none.
    """
    if settings.vehicle_gpsd:
        return GpsdSource(settings, clock)
    return GpxSource(settings, clock) if settings.vehicle_gpx else None


class Positioning:
    """Looks at the source with the agent's own look at the time."""

    def __init__(self, found: Source, moved: Moved, say: Say, clock: Clock) -> None:
        self._source = found
        self._moved = moved
        self._say = say
        self._clock = clock
        self._known: bool | None = None
        self._fault = Fault("position", clock)

    def start(self, stop: threading.Event) -> None:
        """Let the source work on a thread of its own until `stop`."""
        threading.Thread(target=self._run, args=(stop,), name="position", daemon=True).start()

    def _run(self, stop: threading.Event) -> None:
        """Whatever the source raises: a vehicle without a place is still told everything."""
        while not stop.is_set():
            self._fault.guard(lambda: self._source.run(stop))
            self._clock.wait(stop, RETRY_S)

    def look(self) -> None:
        """Tell the agent where the vehicle is now; say so when that is known anew, or lost."""
        fix, monotonic = self._source.latest, self._clock.monotonic()
        here = pose(fix, monotonic)
        self._moved(here)
        known = here.lat_deg is not None
        if known:
            self._fault.worked()
        if known is not self._known:
            self._known = known
            age_s = monotonic - fix.monotonic if fix else None
            self._say(lambda now: position_line(here, self._source.name, age_s, now))
