"""Where the vehicle's own computers listen, if they do: optional, so imported only when wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from hazardcast.config.settings import Settings
from hazardcast.contract.errors import ToolMissingError
from hazardcast.machine.clock import Clock, SystemClock
from vehicle_agent.announcement import Announcement
from vehicle_agent.speed_policy import Advice

REOPEN_AFTER_S = 5.0
FAILURES_TO_REOPEN = 3
W = TypeVar("W")


class Alerts(Protocol):
    """The topic of alerts; may raise whatever DDS raises."""

    def alert(self, announcement: Announcement) -> None:
        """An alert is new, changed or over."""
        ...


class Commands(Protocol):
    """The topic of speed commands; may raise whatever DDS raises."""

    def speed(self, advice: Advice) -> None:
        """The speed to keep to."""
        ...


class Reopened(Generic[W]):
    """A writer that is opened at its first use, and anew when it keeps failing.

    It may fail at the start too: at boot the interface it is bound to may not be there yet.
    """

    def __init__(self, open_writer: Callable[[], W], clock: Clock) -> None:
        self._open = open_writer
        self._clock = clock
        self._lock = threading.Lock()
        self._writer: W | None = None
        self._failures = 0
        self._not_before = clock.monotonic()

    def opened(self) -> W:
        """The writer."""
        with self._lock:
            if self._writer is None:
                now = self._clock.monotonic()
                if now < self._not_before:
                    raise ConnectionError("DDS could not be opened a moment ago")
                self._not_before = now + REOPEN_AFTER_S
                self._writer = self._open()
            return self._writer

    def use(self, say: Callable[[W], None]) -> None:
        """Say something by it."""
        writer = self.opened()
        try:
            say(writer)
        except BaseException:
            self._failures += 1
            if self._failures >= FAILURES_TO_REOPEN:
                self._writer, self._failures = None, 0
            raise
        self._failures = 0


class Ros2Outlet:
    """Where ROS 2 nodes listen: alerts, and speed commands where they are wanted."""

    def __init__(self, alerts: Reopened[Alerts], commands: Reopened[Commands] | None) -> None:
        self._alerts = alerts
        self._commands = commands

    def open(self) -> None:
        """Open DDS now, so that nodes know of this vehicle before the first alert."""
        self._alerts.opened()

    def alert(self, announcement: Announcement) -> None:
        """An alert is new, changed or over."""
        self._alerts.use(lambda writer: writer.alert(announcement))

    def speed(self, advice: Advice | None) -> bool:
        """The speed to keep to; None: no limit. False when there is nothing to ask for."""
        if advice is None or self._commands is None:
            return False
        self._commands.use(lambda writer: writer.speed(advice))
        return True


def open_ros2(settings: Settings, clock: Clock | None = None) -> Ros2Outlet | None:
    """The DDS side, where it is wanted; DDS itself is opened at the first use.

    Raises:
        ToolMissingError: it is wanted, but the `ros2` extra is not installed.
    """
    if not settings.ros2:
        return None
    try:
        from vehicle_agent.ros2 import AlertWriter, CommandWriter  # noqa: PLC0415 - an extra
    except ImportError:
        raise ToolMissingError(
            "HAZARDCAST_ROS2 needs cyclonedds: pip install 'hazardcast[ros2]'"
        ) from None
    clock, domain = clock or SystemClock(), settings.ros2_domain
    alerts: Reopened[Alerts] = Reopened(lambda: AlertWriter(domain), clock)
    commands: Reopened[Commands] = Reopened(lambda: CommandWriter(domain), clock)
    return Ros2Outlet(alerts, commands if settings.ros2_cmd_vel else None)
