"""The broker is had, and had again, however many files the process has open."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from hazardcast.contract.messages import Incident
from hazardcast.contract.topics import INCIDENTS
from hazardcast.mqtt.bus import MqttBus
from hazardcast.mqtt.waiting import wait_ready
from hazardcast.testing import eventually

FD_SETSIZE = 1024


@pytest.fixture
def many_files() -> Iterator[None]:
    """What is opened next has a number that select(2) cannot take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4 * FD_SETSIZE), hard))
    held = [os.open("/dev/null", os.O_RDONLY)]
    while held[-1] <= FD_SETSIZE:
        held.append(os.open("/dev/null", os.O_RDONLY))
    yield
    for one in held:
        os.close(one)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.network
def test_a_process_with_a_thousand_open_files_has_its_broker(
    many_files: None, mosquitto: Any
) -> None:
    heard: list[str] = []
    bus = MqttBus(mosquitto.settings(), client_id="many")
    bus.subscribe(INCIDENTS, lambda incident, _: heard.append(str(incident.road)))
    bus.start()

    assert bus.wait_connected(5)
    mosquitto.stop()
    eventually(lambda: not bus.connected)
    mosquitto.start()
    assert eventually(lambda: bus.connected, within_s=10)
    bus.publish(INCIDENTS, Incident.parse({"type": "collision", "road": "ring"}))
    eventually(lambda: heard == ["ring"])
    bus.close()


def test_what_can_be_read_or_written_or_has_ended_is_told() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert wait_ready([ours], [], [], 0.0) == ([], [], [])
        assert wait_ready([ours], [ours], [], 0.0) == ([], [ours], [])
        theirs.send(b"x")
        assert wait_ready([ours], [ours], [], 1.0) == ([ours], [ours], [])
        theirs.close()
        assert wait_ready([ours], [], [], 1.0) == ([ours], [], [])


def test_a_file_that_is_none_or_closed_is_told_as_select_tells_it() -> None:
    gone = socket.socket()
    gone.close()

    with pytest.raises(TypeError):
        wait_ready([None], [], [], 0.0)
    with pytest.raises(ValueError, match="closed"):
        wait_ready([], [gone], [], 0.0)
