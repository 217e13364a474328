"""What lies on the road is said again to whoever may have missed it, while it is to be seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from detector.incidents import CLEAR_S, IncidentBook, Report
from detector.rules.hypothesis import Hypothesis
from detector.service import DetectorService
from detector.worker import incident_of

from hazardcast.config.site import Camera
from hazardcast.contract.incident_types import IncidentType, Severity
from hazardcast.contract.messages import CameraStatus, ServiceStatus
from hazardcast.contract.topics import STATUS
from hazardcast.testing import ManualClock, MemoryBroker, MemoryBus

CRASH = Hypothesis(
    IncidentType.COLLISION, 1.0, np.array([100.0, 100, 160, 150]), 0.8, settled=True
)  # fmt: skip
FIRE = replace(CRASH, type=IncidentType.FIRE, onset_t=79.0)


def told(book: IncidentBook, t: float, *seen: Hypothesis, rest: bool = False) -> list[Report]:
    return book.update(t, seen, (), rest=rest)


def open_book() -> IncidentBook:
    """One whose crash was said at 2 s, and is still to be seen at 80 s."""
    book = IncidentBook()
    assert [one.status for one in told(book, 2.0, CRASH)] == ["new"]
    for t in range(3, 80):
        assert told(book, float(t), CRASH) == []
    return book


def test_what_is_open_is_said_again_once_as_it_is_now() -> None:
    book = open_book()

    book.say_again()

    (again,) = told(book, 80.0, CRASH)
    assert (again.status, again.again, again.key_t, again.t) == ("update", True, 1.0, 80.0)
    assert told(book, 81.0, CRASH) == []


def test_what_caught_fire_meanwhile_is_said_again_as_a_fire() -> None:
    book = open_book()
    book.say_again()

    reports = told(book, 80.0, CRASH, replace(FIRE, settled=True))

    assert [(one.status, one.type) for one in reports] == [
        ("update", IncidentType.FIRE),
        ("update", IncidentType.FIRE),
    ]
    assert reports[0].severity is Severity.CRITICAL


def test_where_nothing_is_open_nothing_is_said_again() -> None:
    book = IncidentBook()
    book.say_again()

    assert told(book, 1.0) == []
    assert [one.again for one in told(book, 2.0, CRASH)] == [False]


def test_what_was_cancelled_is_not_said_again() -> None:
    book = open_book()
    assert [one.status for one in told(book, 79.0 + CLEAR_S)] == ["cancel"]

    book.say_again()

    assert told(book, 80.0 + CLEAR_S, CRASH) == []


def test_what_ends_unseen_is_cancelled_and_not_said_again() -> None:
    book = open_book()
    book.say_again()

    assert told(book, 80.0) == []
    assert [one.status for one in told(book, 79.0 + CLEAR_S)] == ["cancel"]


def test_a_camera_that_was_turned_away_or_stood_still_waits_until_it_sees_it() -> None:
    book = open_book()
    book.say_again()

    assert told(book, 80.0, CRASH, rest=True) == []  # the picture cannot be trusted
    book.resume(120.0)
    assert told(book, 120.0) == []  # the first frame after a pause, in which nothing is seen yet
    assert [one.t for one in told(book, 121.0, CRASH)] == [121.0]


def test_it_is_dated_by_the_frame_that_still_shows_it_under_the_same_name() -> None:
    book = open_book()
    book.say_again()
    (again,) = told(book, 80.0, CRASH)

    incident = incident_of("north", Camera(url="demo://collision"), again, now=80.2)

    assert (incident.ts, incident.confirmed_at) == (80.0, 80.2)
    assert (incident.status, incident.event_id) == ("update", "north-1000")
    assert incident.evidence is not None
    assert incident.evidence["onset"] == 1.0


def test_its_end_is_dated_after_what_was_said_again() -> None:
    book = open_book()
    book.say_again()
    (again,) = told(book, 80.0, CRASH)
    (over,) = told(book, 80.0 + CLEAR_S)
    camera = Camera(url="demo://collision")

    said = incident_of("north", camera, again, now=80.2)
    ended = incident_of("north", camera, over, now=80.2 + CLEAR_S)

    assert said.ts is not None
    assert ended.ts is not None
    assert (ended.status, ended.event_id) == ("cancel", said.event_id)
    assert ended.ts >= said.ts


@dataclass
class CountingWorker:
    """A camera's worker that counts how often it was to say its incidents again."""

    name: str
    asked: int = 0

    def start(self) -> None: ...

    def say_again(self) -> None:
        self.asked += 1

    def status(self) -> CameraStatus:
        return CameraStatus(camera=self.name, state="live")


def connected(clock: ManualClock, broker: MemoryBroker) -> tuple[MemoryBus, CountingWorker]:
    """A detector of one camera on the broker; all that it was asked until then is forgotten."""
    worker, bus = CountingWorker("north"), broker.bus(clock)
    service = DetectorService(
        {"north": Camera(url="demo://normal")},
        open_worker=lambda _name, _camera: worker,  # type: ignore[arg-type, return-value]
        bus=bus, clock=clock, instance="one", pinned=True, model="background",
    )  # fmt: skip
    service.listen()
    service.look()
    bus.start()
    worker.asked = 0
    return bus, worker


def say(broker: MemoryBroker, state: str, service: str = "alerter", boot: str = "1st run") -> None:
    word = ServiceStatus(
        service=service,
        instance="a",
        state=state,
        version="1",
        ts=1.0,
        detail={"boot": boot},
    )
    broker.bus().publish(STATUS, word, service=service, instance="a")


def subscribed(bus: MemoryBus, broker: MemoryBroker) -> None:
    """What the broker retains arrives after the connection, as we subscribe anew."""
    for path, payload in broker.retained.items():
        bus.receive(path, payload, retained=True)


def test_every_camera_is_to_say_its_incidents_again_after_a_reconnection(
    clock: ManualClock, broker: MemoryBroker
) -> None:
    bus, worker = connected(clock, broker)

    bus.start()

    assert worker.asked == 1


def test_an_alerter_that_was_away_is_told_when_it_is_back(
    clock: ManualClock, broker: MemoryBroker
) -> None:
    _, worker = connected(clock, broker)
    say(broker, "online")
    say(broker, "online")
    assert worker.asked == 1  # it may have come after us; that it goes on is no news

    say(broker, "offline")
    assert worker.asked == 1
    say(broker, "online")

    assert worker.asked == 2


def test_an_alerter_that_comes_to_a_restarted_broker_later_than_we_is_told(
    clock: ManualClock, broker: MemoryBroker
) -> None:
    bus, worker = connected(clock, broker)
    say(broker, "online")

    broker.bus().clear(STATUS, service="alerter", instance="a")  # its memory is lost
    bus.start()
    say(broker, "online")

    assert worker.asked == 3


def test_an_alerter_of_whose_end_nobody_heard_is_told_when_another_run_of_it_speaks(
    clock: ManualClock, broker: MemoryBroker
) -> None:
    say(broker, "online")
    bus, worker = connected(clock, broker)
    subscribed(bus, broker)

    say(broker, "online", boot="2nd run")

    assert worker.asked == 1


def test_an_alerter_that_was_there_before_us_and_goes_on_is_no_reason_to_repeat(
    clock: ManualClock, broker: MemoryBroker
) -> None:
    say(broker, "online")
    bus, worker = connected(clock, broker)
    subscribed(bus, broker)

    say(broker, "online")

    assert worker.asked == 0


def test_other_services_and_words_of_before_are_no_reason_to_repeat(
    clock: ManualClock, broker: MemoryBroker
) -> None:
    say(broker, "online")  # retained: given to us when we subscribe
    _, worker = connected(clock, broker)

    say(broker, "online", service="clipper")

    assert worker.asked == 0
