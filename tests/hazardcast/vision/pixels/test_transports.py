"""OpenCV is asked for TCP or UDP, camera by camera."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack

import pytest

from hazardcast.config.settings import OPENCV_OPTIONS
from hazardcast.testing import eventually
from hazardcast.vision.pixels.transports import Turns, Way


@pytest.fixture(autouse=True)
def nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hazardcast.config.settings._OPENCV_AT_START", "")
    monkeypatch.delenv(OPENCV_OPTIONS, raising=False)


def asked() -> str | None:
    return os.environ.get(OPENCV_OPTIONS)


def test_a_transport_that_is_wanted_is_asked_for_while_that_camera_is_opened() -> None:
    turns = Turns()

    with Way("udp", turns).opening("rtsp://h/x"):
        assert (asked() or "").startswith("rtsp_transport;udp|")
    with Way("tcp", turns).opening("rtsps://h/x"):
        assert asked() == "rtsp_transport;tcp"
    with Way("auto", turns).opening("rtsp://h/x"):
        assert asked() is None
    with Way("udp", turns).opening("http://h/x"):
        assert asked() is None


def test_what_was_asked_for_before_this_process_began_is_asked_for_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "hazardcast.config.settings._OPENCV_AT_START", "rtsp_flags;prefer_tcp|fpsprobesize;3"
    )
    turns = Turns()

    with Way("tcp", turns).opening("rtsp://h/x"):
        assert asked() == "rtsp_flags;prefer_tcp|fpsprobesize;3|rtsp_transport;tcp"
    with Way("auto", turns).opening("rtsp://h/x"):
        assert asked() == "rtsp_flags;prefer_tcp|fpsprobesize;3"


def test_those_who_ask_alike_open_side_by_side_and_others_wait_for_their_turn() -> None:
    turns, opened = Turns(), threading.Event()

    def other() -> None:
        with turns.asking("udp"):
            opened.set()

    with ExitStack() as stack:
        stack.enter_context(turns.asking("tcp"))
        stack.enter_context(turns.asking("tcp"))
        thread = threading.Thread(target=other)
        thread.start()
        assert not opened.wait(0.05)
    eventually(opened.is_set)
    thread.join()


def test_udp_is_tried_where_a_camera_answers_but_sends_nothing_and_tcp_again_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = True
    monkeypatch.setattr("hazardcast.net.ports.answers", lambda *_: answers)
    way, wanted, down = Way(), Way("tcp"), Way()
    for _ in range(2):
        way.turn("rtsp://h/x")
        wanted.turn("rtsp://h/x")
        assert wanted.transport == "tcp"
    first = way.transport
    way.turn("rtsp://h/x")
    assert (first, way.transport) == ("auto", "udp")

    answers = False
    down.turn("rtsp://h/x")
    assert down.transport == "auto"
