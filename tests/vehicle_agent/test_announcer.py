from __future__ import annotations

import csv
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from vehicle_agent import metrics
from vehicle_agent.agent import Condition
from vehicle_agent.alert_log import AlertLog
from vehicle_agent.announcement import Announcement, Word
from vehicle_agent.announcer import Announcer
from vehicle_agent.clock_trust import ClockState
from vehicle_agent.console import PlainConsole, open_console
from vehicle_agent.lane import QUEUE_LENGTH, STUCK_AFTER_S
from vehicle_agent.link import LinkReport, LinkState
from vehicle_agent.monitor import Monitor
from vehicle_agent.sighting import Sighting
from vehicle_agent.speed_policy import Advice

from hazardcast.contract.messages import Datagram, ReceptionCounters
from hazardcast.contract.topics import RECEIPTS, STATUS
from hazardcast.mqtt.presence import AT_LEAST_S, CHANGED_S
from hazardcast.signing.envelope import open_unverified
from hazardcast.testing import ManualClock, MemoryBroker, SignedStation, eventually

if TYPE_CHECKING:
    from vehicle_agent.outlet import Ros2Outlet


class StubbornConsole:
    """A console that can be stuck, closed by its reader, or broken in any other way."""

    shows_status = False

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.free = threading.Event()
        self.free.set()
        self.broken: Exception | None = None
        self.at_once = False
        self.writers: list[threading.Thread] = []

    def offer(self, text: str) -> bool:
        if self.at_once:
            self.line(text)
        return self.at_once

    def line(self, text: str) -> None:
        self.writers.append(threading.current_thread())
        self.free.wait(10)
        if self.broken:
            raise self.broken
        self.lines.append(text)

    def status(self, text: str) -> None:
        pass

    def close(self) -> None:
        pass


class FakeRos2:
    """ROS 2 nodes that hear everything, unless DDS is broken or stuck."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.speeds: list[float | None] = []
        self.broken: Exception | None = None
        self.free = threading.Event()
        self.free.set()

    def open(self) -> None:
        pass

    def alert(self, announcement: Announcement) -> None:
        self.free.wait(10)
        if self.broken:
            raise self.broken
        self.heard.append(announcement.alert.event_id)

    def speed(self, advice: Advice | None) -> bool:
        self.speeds.append(advice.target_mps if advice else None)
        return advice is not None


class Cabin:
    """An announcer, its console and the broker it acknowledges to."""

    def __init__(self, folder: Path, clock: ManualClock, broker: MemoryBroker) -> None:
        self.clock, self.broker = clock, broker
        self.console = StubbornConsole()
        self.woken = threading.Event()
        self.station = SignedStation(clock=clock)
        self.bus = broker.bus(clock)
        self.ros2 = FakeRos2()
        self.folder = folder
        self.announcer = Announcer(
            "car-1",
            console=self.console,
            alert_log=AlertLog(folder),
            bus=self.bus,
            clock=clock,
            woken=self.woken,
            ros2=cast("Ros2Outlet", self.ros2),
        )
        self.monitor = Monitor(
            "car-1", announcer=self.announcer, bus=self.bus, clock=clock, cruising_mps=20.0
        )
        self.announcer.start()

    def announcement(
        self, number: int = 1, word: Word = Word.NEW, **changes: object
    ) -> Announcement:
        alert = self.station.alert(number, **changes)
        datagram = Datagram.decode(open_unverified(self.station.say(alert)).payload)
        now, monotonic = self.clock.now(), self.clock.monotonic()
        sighting = Sighting(datagram, "k", "multicast", now, monotonic, now, 0.5)
        return Announcement(word, alert, 500.0, None, sighting, station=4097)

    def rows(self) -> list[dict[str, str]]:
        path = self.folder / "alerts.csv"
        return list(csv.DictReader(path.read_text().splitlines())) if path.exists() else []

    def settle(self) -> None:
        eventually(lambda: self.announcer.idle)


@pytest.fixture
def cabin(tmp_path: Path, clock: ManualClock, broker: MemoryBroker) -> Iterator[Cabin]:
    found = Cabin(tmp_path, clock, broker)
    yield found
    found.console.free.set()
    found.ros2.free.set()
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
    cabin.console.broken = BrokenPipeError()
    cabin.announcer.announce(cabin.announcement())
    cabin.settle()

    assert cabin.broker.messages(RECEIPTS) == []


@pytest.mark.parametrize(
    "error",
    [BrokenPipeError(), OSError(28, "full"), ValueError("closed file"), UnicodeEncodeError("ascii", "\xc9", 0, 1, "no"), RuntimeError("anything")],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_a_console_that_fails_takes_nothing_with_it(cabin: Cabin, error: Exception) -> None:
    """Log, ROS 2 and metrics go on; no receipt says `displayed`, and the row has no such time."""
    shown = told(Word.NEW)
    cabin.console.broken = error
    for number in (1, 2, 3):
        cabin.announcer.announce(cabin.announcement(number))
    cabin.settle()

    assert [row["event_id"] for row in cabin.rows()] == ["4097-1", "4097-2", "4097-3"]
    assert {row["t5_displayed"] for row in cabin.rows()} == {""}
    assert cabin.ros2.heard == ["4097-1", "4097-2", "4097-3"]
    assert told(Word.NEW) - shown == 3
    assert cabin.broker.messages(RECEIPTS) == []


def test_a_console_that_works_again_shows_what_comes_then(
    cabin: Cabin, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    cabin.console.broken = BrokenPipeError()
    for number in (1, 2, 3):
        cabin.announcer.announce(cabin.announcement(number))
    cabin.settle()
    assert failing("console") == 1
    assert cabin.announcer.owed() == {"4097-1", "4097-2", "4097-3"}
    cabin.console.broken = None
    cabin.announcer.announce(cabin.announcement(4))
    cabin.settle()

    assert ["4097-4" in line for line in cabin.console.lines] == [True]
    assert [receipt.event_id for receipt in cabin.broker.messages(RECEIPTS)] == ["4097-4"]
    assert failing("console") == 0
    assert [record.message for record in caplog.records] == ["failing; the rest goes on", "works again"]  # fmt: skip


def test_a_log_that_fails_takes_nothing_with_it(cabin: Cabin) -> None:
    (cabin.folder / "alerts.csv").mkdir()
    cabin.announcer.announce(cabin.announcement())
    cabin.settle()
    assert len(cabin.console.lines) == len(cabin.ros2.heard) == 1
    assert len(cabin.broker.messages(RECEIPTS)) == 1

    (cabin.folder / "alerts.csv").rmdir()
    cabin.announcer.announce(cabin.announcement(2))
    cabin.settle()
    assert [row["event_id"] for row in cabin.rows()] == ["4097-1", "4097-2"]
    assert failing("csv") == 0


def test_a_row_that_a_disk_did_not_take_is_added_without_another_alert(cabin: Cabin) -> None:
    (cabin.folder / "alerts.csv").mkdir()
    cabin.announcer.announce(cabin.announcement(1))
    cabin.settle()
    (cabin.folder / "alerts.csv").rmdir()
    cabin.announcer.look()
    cabin.settle()

    assert [row["event_id"] for row in cabin.rows()] == ["4097-1"]
    assert failing("csv") == 0


def test_ros_2_that_fails_or_hangs_takes_nothing_with_it(cabin: Cabin) -> None:
    cabin.ros2.broken = RuntimeError("DDS")
    cabin.announcer.announce(cabin.announcement(1))
    cabin.settle()
    cabin.ros2.broken = None
    cabin.ros2.free.clear()
    cabin.announcer.announce(cabin.announcement(2))
    cabin.announcer.speed(Advice(0.5, cabin.station.alert()))

    eventually(lambda: len(cabin.rows()) == 2)
    eventually(lambda: len(cabin.broker.messages(RECEIPTS)) == 2)
    assert len(cabin.console.lines) == 2
    eventually(lambda: cabin.ros2.speeds == [0.5], what="the planner is asked all the same")


def test_a_broker_client_that_raises_takes_nothing_with_it(
    cabin: Cabin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cabin.bus, "publish", lambda *_, **__: 1 / 0)
    cabin.announcer.announce(cabin.announcement())
    cabin.settle()
    assert len(cabin.console.lines) == len(cabin.ros2.heard) == len(cabin.rows()) == 1
    assert failing("receipts") == 1


def test_a_stuck_console_holds_up_no_other_output_and_is_said_once(
    cabin: Cabin, caplog: pytest.LogCaptureFixture
) -> None:
    cabin.console.free.clear()
    cabin.announcer.announce(cabin.announcement())
    assert cabin.woken.is_set(), "the speed does not wait"
    eventually(cabin.rows)
    assert cabin.ros2.heard == ["4097-1"]
    assert cabin.rows()[0]["t5_displayed"] == ""
    cabin.clock.advance(STUCK_AFTER_S + 1)
    for _ in range(3):
        cabin.announcer.look()
    assert failing("console") == 1
    assert len(caplog.records) == 1

    cabin.console.free.set()
    cabin.settle()
    assert len(cabin.console.lines) == 1
    assert [receipt.result for receipt in cabin.broker.messages(RECEIPTS)] == ["displayed"]
    assert failing("console") == 0


def test_a_stuck_console_blocks_nobody_and_its_queue_is_bounded(cabin: Cabin) -> None:
    cabin.console.free.clear()
    announcement = cabin.announcement()

    for _ in range(QUEUE_LENGTH + 200):
        cabin.announcer.announce(announcement)
    cabin.console.free.set()
    cabin.settle()

    assert 0.9 * QUEUE_LENGTH <= len(cabin.console.lines) <= QUEUE_LENGTH + 1


def test_at_the_limit_a_flapping_camera_gives_way_to_anothers_accident(cabin: Cabin) -> None:
    """It calls all it sees critical, and each is over the next moment."""
    cabin.console.free.clear()
    cabin.announcer.say(lambda _now: "a line on its way")
    eventually(lambda: cabin.console.writers)
    cabin.announcer.announce(cabin.announcement(1, camera="west", severity="low"))
    for number in range(2, QUEUE_LENGTH):
        crash = cabin.announcement(number, camera="north", severity="critical")
        cabin.announcer.announce(crash)
        cabin.announcer.announce(replace(crash, word=Word.CANCEL))
    cabin.announcer.announce(cabin.announcement(9999, camera="south", severity="medium"))
    cabin.console.free.set()
    cabin.settle()

    assert "4097-1 " in cabin.console.lines[1]
    assert "4097-9999 " in cabin.console.lines[-1]
    assert len(cabin.console.lines) <= QUEUE_LENGTH + 2


def told(word: Word) -> float:
    return metrics.SHOWN[word]._value.get()


def failing(part: str) -> float:
    return metrics.PART_FAILING[part]._value.get()


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
    cabin.console.at_once, cabin.console.broken = True, BrokenPipeError()
    cabin.announcer.announce(cabin.announcement())
    cabin.settle()
    assert cabin.broker.messages(RECEIPTS) == []


def test_a_pipe_takes_a_line_at_once_until_it_is_full_and_a_file_never_does(
    tmp_path: Path,
) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", buffering=0) as end, os.fdopen(writer, "w") as stream:
        console = PlainConsole(stream)
        assert console.offer("first")
        while console.offer("x" * 4000):
            pass
        assert os.get_blocking(stream.fileno()), "others may share the pipe"
        assert end.readline() == b"first\n"
        assert not console.offer("x" * 5000), "more than is taken in one piece"
    with (tmp_path / "lines").open("w") as stream:
        assert not PlainConsole(stream).offer("x")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "euc_kr", "cp949", "utf-8"])
def test_letters_that_the_console_has_not_are_shown_as_a_mark(
    tmp_path: Path, encoding: str
) -> None:
    with (tmp_path / "lines").open("w", encoding=encoding) as stream:
        PlainConsole(stream).line("[RECV] fire \ufffd on 한강대로 Église 😀")

    shown = (tmp_path / "lines").read_text(encoding=encoding)
    assert shown.startswith("[RECV] fire ")
    assert ("한강대로" in shown) is (encoding not in ("ascii", "latin-1"))
    assert ("😀" in shown) is (encoding == "utf-8")


def test_who_started_without_a_stdout_has_a_console_that_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdout", None)
    console = open_console()
    assert not console.offer("x")
    with pytest.raises(OSError, match="no stdout"):
        console.line("x")


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
    clock.advance(CHANGED_S)
    cabin.monitor.look(condition(), COUNTS)
    assert statuses() == 2
    clock.advance(CHANGED_S)
    cabin.monitor.look(condition(LinkReport(LinkState.OK, 6.0)), COUNTS)
    assert statuses() == 2, "nothing has changed"
    clock.advance(AT_LEAST_S)
    cabin.monitor.look(condition(), COUNTS)
    assert statuses() == 3
    assert cabin.broker.messages(STATUS)[-1].detail.get("reception") == COUNTS


def test_the_status_is_said_anew_after_a_reconnection(cabin: Cabin) -> None:
    """The broker's last word may be the last will."""
    cabin.monitor.look(condition(), ())
    cabin.bus.start()
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
