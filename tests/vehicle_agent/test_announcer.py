from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from vehicle_agent.agent import Condition
from vehicle_agent.alert_log import AlertLog
from vehicle_agent.announcement import Announcement, Word
from vehicle_agent.announcer import QUEUE_LENGTH, Announcer
from vehicle_agent.clock_trust import ClockState
from vehicle_agent.console import PlainConsole
from vehicle_agent.link import LinkReport, LinkState
from vehicle_agent.monitor import AT_LEAST_EVERY_S, CHANGED_EVERY_S, Monitor
from vehicle_agent.sighting import Sighting
from vehicle_agent.speed_policy import Advice

from hazardcast.envelope import open_unverified
from hazardcast.messages import Datagram, ReceptionCounters
from hazardcast.testing import ManualClock, MemoryBroker, SignedStation, eventually
from hazardcast.topics import RECEIPTS, STATUS


class StubbornConsole:
    """A console that can be stuck, or closed by its reader."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.free = threading.Event()
        self.free.set()
        self.closed = False
        self.at_once = False
        self.writers: list[threading.Thread] = []

    def ready(self) -> bool:
        return self.at_once

    def line(self, text: str) -> None:
        self.writers.append(threading.current_thread())
        self.free.wait(10)
        if self.closed:
            raise BrokenPipeError
        self.lines.append(text)

    def status(self, text: str) -> None:
        pass

    def close(self) -> None:
        pass


class Cabin:
    """An announcer, its console and the broker it acknowledges to."""

    def __init__(self, folder: Path, clock: ManualClock, broker: MemoryBroker) -> None:
        self.clock, self.broker = clock, broker
        self.console = StubbornConsole()
        self.woken = threading.Event()
        self.station = SignedStation(clock=clock)
        self.bus = broker.bus(clock)
        self.announcer = Announcer(
            "car-1",
            console=self.console,
            alert_log=AlertLog(folder),
            bus=self.bus,
            clock=clock,
            woken=self.woken,
        )
        self.monitor = Monitor(
            "car-1", announcer=self.announcer, bus=self.bus, clock=clock, cruising_mps=20.0
        )
        self.announcer.start()

    def announcement(self, number: int = 1) -> Announcement:
        alert = self.station.alert(number)
        datagram = Datagram.decode(open_unverified(self.station.say(alert)).payload)
        now, monotonic = self.clock.now(), self.clock.monotonic()
        sighting = Sighting(datagram, "k", "multicast", now, monotonic, now, 0.5)
        return Announcement(Word.NEW, alert, 500.0, None, sighting)

    def settle(self) -> None:
        eventually(lambda: self.announcer.idle)


@pytest.fixture
def cabin(tmp_path: Path, clock: ManualClock, broker: MemoryBroker) -> Iterator[Cabin]:
    found = Cabin(tmp_path, clock, broker)
    yield found
    found.console.free.set()
    found.announcer.close()


def test_an_announcement_is_shown_logged_and_acknowledged(cabin: Cabin, tmp_path: Path) -> None:
    cabin.announcer.announce(cabin.announcement())
    cabin.settle()

    assert cabin.console.lines[0].startswith("[RECV] ")
    assert "4097-1" in (tmp_path / "alerts.csv").read_text()
    (receipt,) = cabin.broker.messages(RECEIPTS)
    assert (receipt.vehicle, receipt.result, receipt.event_id) == ("car-1", "displayed", "4097-1")
    assert cabin.woken.is_set()


def test_what_does_not_concern_the_vehicle_is_acknowledged_as_such(cabin: Cabin) -> None:
    cabin.announcer.irrelevant(cabin.announcement())
    cabin.settle()

    assert cabin.console.lines == []
    assert [receipt.result for receipt in cabin.broker.messages(RECEIPTS)] == ["irrelevant"]


def test_what_was_not_shown_is_never_acknowledged_as_shown(cabin: Cabin) -> None:
    cabin.console.closed = True
    cabin.announcer.announce(cabin.announcement())
    cabin.settle()

    assert cabin.broker.messages(RECEIPTS) == []


def test_a_stuck_console_blocks_nobody_and_its_queue_is_bounded(cabin: Cabin) -> None:
    cabin.console.free.clear()
    announcement = cabin.announcement()

    for _ in range(QUEUE_LENGTH + 200):
        cabin.announcer.announce(announcement)
    cabin.console.free.set()
    cabin.settle()

    assert QUEUE_LENGTH <= len(cabin.console.lines) <= QUEUE_LENGTH + 1


def test_a_line_that_surely_finds_room_is_written_by_the_ear_itself(cabin: Cabin) -> None:
    cabin.console.at_once = True
    cabin.announcer.announce(cabin.announcement())
    assert cabin.console.writers == [threading.current_thread()]
    cabin.settle()
    assert len(cabin.console.lines) == 1
    assert [receipt.result for receipt in cabin.broker.messages(RECEIPTS)] == ["displayed"]


def test_no_line_overtakes_one_that_waits(cabin: Cabin) -> None:
    cabin.console.free.clear()
    cabin.announcer.announce(cabin.announcement(1))
    cabin.console.at_once = True
    cabin.announcer.announce(cabin.announcement(2))
    cabin.console.free.set()
    cabin.settle()
    assert ["4097-1" in line for line in cabin.console.lines] == [True, False]
    assert threading.current_thread() not in cabin.console.writers


def test_a_reader_who_left_is_no_trouble_for_the_ear(cabin: Cabin) -> None:
    cabin.console.at_once = cabin.console.closed = True
    cabin.announcer.announce(cabin.announcement())
    cabin.settle()
    assert cabin.broker.messages(RECEIPTS) == []


def test_a_pipe_is_ready_until_it_is_full_and_a_file_never_is(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with os.fdopen(reader), os.fdopen(writer, "w") as stream:
        console = PlainConsole(stream)
        assert console.ready()
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, bytes(4096))
        assert not console.ready()
    with (tmp_path / "lines").open("w") as stream:
        assert not PlainConsole(stream).ready()


def test_a_plain_console_flushes_each_line() -> None:
    stream = io.StringIO()
    flushed: list[str] = []
    stream.flush = lambda: flushed.append(stream.getvalue())  # type: ignore[method-assign]

    PlainConsole(stream).line("[RECV] x")

    assert flushed == ["[RECV] x\n"]


OK = LinkReport(LinkState.OK, 1.0)
COUNTS = (ReceptionCounters(station=1, epoch=1, datagrams_expected=5, datagrams_unique=5, ticks_expected=1, ticks_delivered=1),)  # fmt: skip


def condition(
    link: LinkReport = OK, clock: ClockState | None = None, advice: Advice | None = None
) -> Condition:
    return Condition(link, clock or ClockState("none", None, None), advice, in_force=0)


def test_only_changes_are_said(cabin: Cabin) -> None:
    lost = LinkReport(LinkState.LOST, 36.0)
    for report in (OK, LinkReport(LinkState.OK, 2.0), lost, LinkReport(LinkState.LOST, 37.0), OK):
        cabin.monitor.look(condition(report), ())
    cabin.settle()

    assert [line.split(" ", 2)[2] for line in cabin.console.lines] == [
        "LINK OK, last heard 1 s ago",
        "LINK LOST, last heard 36 s ago",
        "LINK OK, last heard 1 s ago",
    ]


def test_the_clock_is_spoken_of_once_a_station_was_heard(cabin: Cabin) -> None:
    for clock in (ClockState("none", None, None), ClockState("none", None, 5.0), ClockState("station", 0.5, 0.01)):  # fmt: skip
        cabin.monitor.look(condition(clock=clock), ())
    cabin.settle()

    said = [line for line in cabin.console.lines if line.startswith("[CLOCK]")]
    assert len(said) == 2
    assert "UNSYNCED, +5.0 s" in said[0]
    assert "CLOCK OK by station" in said[1]


def test_the_speed_is_said_when_it_changes_and_when_it_is_released(cabin: Cabin) -> None:
    advice = Advice(0.5, cabin.station.alert())
    for now in (None, advice, advice, None):
        cabin.monitor.look(condition(advice=now), ())
    cabin.settle()

    said = [line.split(" ", 2)[2] for line in cabin.console.lines if line.startswith("[SPEED]")]
    assert said == ["slow to 0.5 m/s (2 km/h) for collision 4097-1", "no limit"]


def test_the_status_follows_changes_but_not_too_often(cabin: Cabin, clock: ManualClock) -> None:
    def statuses() -> int:
        return len(cabin.broker.messages(STATUS))

    cabin.monitor.look(condition(), ())
    assert statuses() == 1
    cabin.monitor.look(condition(), COUNTS)
    assert statuses() == 1
    clock.advance(CHANGED_EVERY_S)
    cabin.monitor.look(condition(), COUNTS)
    assert statuses() == 2
    clock.advance(CHANGED_EVERY_S)
    cabin.monitor.look(condition(LinkReport(LinkState.OK, 6.0)), COUNTS)
    assert statuses() == 2, "nothing has changed"
    clock.advance(AT_LEAST_EVERY_S)
    cabin.monitor.look(condition(), COUNTS)
    assert statuses() == 3
    assert cabin.broker.messages(STATUS)[-1].detail["reception"] == [COUNTS[0].model_dump()]


def test_the_status_is_said_anew_after_a_reconnection(cabin: Cabin) -> None:
    """The broker's last word may be the last will."""
    cabin.monitor.look(condition(), ())
    cabin.monitor.reconnected()
    cabin.monitor.look(condition(), ())

    assert [status.state for status in cabin.broker.messages(STATUS)] == ["online", "online"]


def test_nothing_piles_up_while_the_broker_is_away(cabin: Cabin, clock: ManualClock) -> None:
    cabin.bus.connected = False
    for _ in range(100):
        clock.advance(60)
        cabin.monitor.look(condition(), COUNTS)

    assert cabin.broker.messages(STATUS) == []


def test_all_that_was_announced_counts_as_shown_after_a_clean_end(cabin: Cabin) -> None:
    """What was shown is kept only then: else the next start would show it once more."""
    cabin.announcer.announce(cabin.announcement())

    cabin.announcer.close()

    assert len(cabin.console.lines) == 1
    assert cabin.announcer.idle
