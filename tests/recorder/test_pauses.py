"""A camera that is away is asked seldom and found at once; what refuses is left in peace."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from recorder import pauses
from recorder.attempt import Ending, Source
from recorder.pauses import LOCAL_MOST_S, Pauses

from hazardcast.contract.vocabulary import CameraState, RunCause
from hazardcast.machine.clock import SystemClock
from hazardcast.net.ports import free_ports, listen

AWAY = Ending(CameraState.UNREACHABLE, RunCause.CAMERA_DOWN, kind="unreached")
NO_USE = Ending(CameraState.UNUSABLE, RunCause.CAMERA_DOWN, kind="unusable")
REFUSED = Ending(CameraState.UNAUTHORISED, RunCause.CAMERA_DOWN, kind="unauthorised")


class CountedClock(SystemClock):
    """Waits no time, and counts how long it would have been."""

    def __init__(self) -> None:
        self.waited_s = 0.0

    def monotonic(self) -> float:
        return self.waited_s

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        self.waited_s += timeout_s
        return stop.is_set()


@pytest.fixture
def port() -> int:
    """Where nobody listens yet."""
    return free_ports(1)[0]


def pauses_of(port: int, clock: SystemClock, *, local: bool = False) -> Pauses:
    source = Source("north", f"rtsp://127.0.0.1:{port}/a", local=local)
    return Pauses(source, clock=clock, stop=threading.Event())


def longest_after(ending: Ending, port: int, *, local: bool = False) -> float:
    """How long is waited after many such endings."""
    clock = CountedClock()
    made = pauses_of(port, clock, local=local)
    for _ in range(8):
        before_s = clock.waited_s
        made.after(ending, 1.0)
    return clock.waited_s - before_s


def test_a_camera_that_comes_back_is_asked_as_soon_as_its_port_answers(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pauses, "KNOCK_EVERY_S", 0.1)
    monkeypatch.setattr(pauses, "backoff_s", lambda *_, **__: 20.0)
    opened: list[tuple[float, socket.socket]] = []
    opening = threading.Timer(
        0.4, lambda: opened.append((time.monotonic(), listen("127.0.0.1", port)))
    )
    opening.start()

    pauses_of(port, SystemClock()).after(AWAY, 1.0)

    assert time.monotonic() - opened[0][0] < 2.0
    opened[0][1].close()


def test_a_camera_that_stays_away_is_waited_for_as_long_as_any(port: int) -> None:
    assert 15.0 <= longest_after(AWAY, port) <= 31.0


def test_what_answers_and_is_of_no_use_is_asked_seldom(port: int) -> None:
    with listen("127.0.0.1", port):
        assert longest_after(NO_USE, port) >= 15.0
        assert longest_after(REFUSED, port) >= 15.0


def test_the_stations_own_camera_service_is_asked_often(port: int) -> None:
    assert longest_after(NO_USE, port, local=True) <= LOCAL_MOST_S


def test_a_connection_that_went_well_is_made_again_at_once() -> None:
    clock = CountedClock()
    made = pauses_of(1, clock)

    made.after(Ending(CameraState.CONNECTING, RunCause.CLOCK_STEPPED, at_once=True), 60.0)
    assert clock.waited_s == 0.0
    made.after(Ending(CameraState.ENDED, RunCause.CAMERA_DOWN), 60.0)
    assert clock.waited_s <= 1.0
