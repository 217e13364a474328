"""Tells the driver, the vehicle's computers, the log and the alerter.

Each output works on a thread of its own and fails alone: none waits for another, nor does hearing
the next datagram or slowing down wait for any. An announcement goes to the speed advice, then to
ROS 2, the log, the console. Only where the console's line is a write that cannot wait is it made
here and now, so that the threads which are woken do not compete with it for the processor.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from hazardcast.contract.topics import RECEIPTS
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus
from vehicle_agent import metrics
from vehicle_agent.alert_log import AlertLog
from vehicle_agent.announcement import ENDS, Announcement, alert_line
from vehicle_agent.console import Console
from vehicle_agent.giving_way import BEYOND_ALERTS, gravity, source_of
from vehicle_agent.lane import Job, Lane
from vehicle_agent.outlet import Ros2Outlet
from vehicle_agent.receipts import Reading, receipt
from vehicle_agent.speed_policy import Advice
from vehicle_agent.telling import Telling

MOST_OWED = 1000


class Announcer:
    """Hands what is to be told to the outputs."""

    def __init__(
        self,
        vehicle: str,
        *,
        console: Console,
        alert_log: AlertLog,
        bus: Bus,
        clock: Clock,
        woken: threading.Event,
        ros2: Ros2Outlet | None = None,
    ) -> None:
        self._vehicle = vehicle
        self._console = console
        self._alert_log = alert_log
        self._bus = bus
        self._clock = clock
        self._woken = woken
        self._ros2 = ros2
        self._lines = Lane("console", clock)
        self._rows = Lane("csv", clock)
        self._receipts = Lane("receipts", clock)
        self._nodes = Lane("ros2", clock)
        self._commands = Lane("cmd_vel", clock, most=1)
        self._owed: OrderedDict[str, None] = OrderedDict()
        self._owed_lock = threading.Lock()

    @property
    def _lanes(self) -> tuple[Lane, ...]:
        dds = (self._nodes, self._commands) if self._ros2 else ()
        return (self._lines, self._rows, self._receipts, *dds)

    def start(self) -> None:
        """Begin to work."""
        for lane in self._lanes:
            lane.start()
        if self._ros2:
            self._nodes.put(self._ros2.open)

    def close(self, timeout_s: float = 3.0) -> None:
        """Finish what is queued, as far as the outputs take it."""
        self._lines.put(self._close_console)
        if self._alert_log.owes:
            self._rows.put(self._alert_log.catch_up)
        until = self._clock.monotonic() + timeout_s
        for lane in self._lanes:  # the console first: what it shows has a receipt and a row
            lane.close(max(0.1, until - self._clock.monotonic()))

    def _close_console(self) -> bool:
        self._console.close()
        return False

    def announce(self, announcement: Announcement) -> None:
        """Tell an alert by every output; wakes who watches the condition."""
        telling = Telling(announcement, self._clock.monotonic())
        self._owe(announcement)
        at_once = self._show_now(telling)
        self._woken.set()
        if ros2 := self._ros2:
            self._tell(self._nodes, telling, lambda: _node_told(ros2, telling))
        self._tell(self._rows, telling, lambda: self._log(telling))
        if at_once:
            self._tell(self._receipts, telling, lambda: self._follow_up(telling))
        else:
            self._tell(self._lines, telling, lambda: self._show(telling), telling.not_shown)

    def _tell(
        self, lane: Lane, telling: Telling, job: Job, given_up: Callable[[], None] = lambda: None
    ) -> None:
        announcement = telling.announcement
        alert, station = announcement.alert, announcement.station
        lane.put(
            job,
            source=source_of(station, alert),
            gravity=gravity(alert),
            over=announcement.word in ENDS,
            about=f"{station} {alert.event_id} {alert.detection_time}",
            given_up=given_up,
        )

    def _show_now(self, telling: Telling) -> bool:
        """Write the line if nothing waits before it and the console takes it at once."""
        if not (self._lines.works and self._lines.idle):
            return False
        try:
            taken = self._console.offer(self._line(telling.announcement))
        except Exception:  # noqa: BLE001 - the thread that may wait tries again, and tells why
            return False
        if taken:
            self._lines.fault.worked()
            self._shown(telling)
        return taken

    def _show(self, telling: Telling) -> None:
        try:
            self._console.line(self._line(telling.announcement))
        except BaseException:
            telling.not_shown()
            raise
        self._shown(telling)
        self._tell(self._receipts, telling, lambda: self._follow_up(telling))

    def _line(self, announcement: Announcement) -> str:
        return alert_line(announcement, self._clock.now())

    def _shown(self, telling: Telling) -> None:
        telling.shown(self._clock.now(), self._clock.monotonic())
        with self._owed_lock:
            self._owed.pop(telling.announcement.alert.event_id, None)

    def _log(self, telling: Telling) -> None:
        displayed_at = telling.displayed_at(self._clock.monotonic())
        self._alert_log.append(telling.announcement, displayed_at)
        telling.told()

    def irrelevant(self, announcement: Announcement) -> None:
        """Tell the alerter that a version arrived but does not concern this vehicle."""
        metrics.IRRELEVANT.inc()
        dealt = self._read()
        self._receipts.put(
            lambda: self._acknowledge(announcement, dealt, shown=False),
            source=source_of(announcement.station, announcement.alert),
            over=True,
        )

    def say(self, text: Callable[[float], str], *, about: str = "") -> None:
        """Show a line that is made from the time it is shown at; `about`: what it tells anew."""
        self._lines.put(
            lambda: self._console.line(text(self._clock.now())), gravity=BEYOND_ALERTS, about=about
        )

    def status(self, text: str) -> None:
        """Show how things stand, if nothing more urgent waits."""
        if self._console.shows_status and self._lines.idle:
            self._lines.put(lambda: self._console.status(text))

    def speed(self, advice: Advice | None) -> None:
        """Ask the planner for a speed; what was to be asked before is dropped."""
        if ros2 := self._ros2:
            self._commands.put(lambda: ros2.speed(advice), about="speed")

    def look(self) -> None:
        """Notice which outputs take nothing, and try again what a disk did not take."""
        for lane in self._lanes:
            lane.look()
        if self._alert_log.owes and self._rows.idle:
            self._rows.put(self._alert_log.catch_up, about="rows")

    @property
    def idle(self) -> bool:
        """Whether everything announced so far was told, or could not be."""
        return all(lane.idle for lane in self._lanes)

    def owed(self) -> frozenset[str]:
        """The events of which no line has been shown since the last one was due."""
        with self._owed_lock:
            return frozenset(self._owed)

    def _owe(self, announcement: Announcement) -> None:
        with self._owed_lock:
            self._owed[announcement.alert.event_id] = None
            if len(self._owed) > MOST_OWED:
                self._owed.popitem(last=False)

    def _follow_up(self, telling: Telling) -> None:
        assert telling.displayed
        self._measure(telling.announcement, *telling.displayed)
        self._acknowledge(telling.announcement, Reading(*telling.displayed), shown=True)

    def _measure(self, announcement: Announcement, at: float, monotonic: float) -> None:
        sighting = announcement.sighting
        if sighting is None:
            return
        metrics.RECEIVE_TO_DISPLAY_S.observe(max(0.0, monotonic - sighting.received_monotonic))
        if sighting.trusted and not announcement.before_joining:
            metrics.SYNCED_LATENCY_S.observe(max(0.0, at - announcement.alert.confirmed_at))

    def _acknowledge(self, announcement: Announcement, dealt: Reading, *, shown: bool) -> None:
        proof = receipt(
            self._vehicle,
            announcement,
            result="displayed" if shown else "irrelevant",
            dealt=dealt,
            published=self._read(),
        )
        if proof is not None:
            self._bus.publish(RECEIPTS, proof, vehicle=self._vehicle)

    def _read(self) -> Reading:
        return Reading(self._clock.now(), self._clock.monotonic())


def _node_told(ros2: Ros2Outlet, telling: Telling) -> None:
    ros2.alert(telling.announcement)
    telling.told()
