from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hazardcast.config.settings import environment_with
from hazardcast.net.multicast import Group, open_sender
from hazardcast.signing.trust import generate_jwk, write_truststore
from hazardcast.testing import SignedStation

pytestmark = pytest.mark.network


class Session:
    """`hazardcast listen` on a group of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("", 0))
            self.group = Group("239.20.20.20", probe.getsockname()[1], "127.0.0.1")
        self.station = SignedStation()
        self.store = folder / "truststore.json"
        write_truststore(self.store, version=1, entries=[self.station.trust_entry()])
        self.sender = open_sender(self.group)

    def start(self, *options: str) -> subprocess.Popen[str]:
        place = ("--group", f"{self.group.address}:{self.group.port}", "--interface", "lo")
        return subprocess.Popen(
            [sys.executable, "-m", "hazardcast_tools", "listen", "--truststore", str(self.store), *place, *options],
            env=environment_with(data_dir=str(self.folder)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def send(self, text: bytes) -> None:
        self.sender.sendto(text, (self.group.address, self.group.port))


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    found = Session(tmp_path)
    yield found
    found.sender.close()


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    os.kill(process.pid, signal.SIGINT)
    return process.communicate(timeout=60)


def test_listen_prints_each_change_once_and_counts_the_rest(session: Session) -> None:
    process = session.start()
    assert process.stderr is not None
    assert process.stderr.readline().startswith("listening on ")
    alert = session.station.alert(17)
    copies = [session.station.say(alert, copy=(copy, 7)) for copy in range(7)]
    for text in [*copies, copies[0], b"rubbish", b"rubbish", session.station.heartbeat()]:
        session.send(text)
    session.send(
        SignedStation(jwk={**generate_jwk("EdDSA"), "kid": session.station.kid}, seq=50).heartbeat()
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(4)]

    out, err = finish(process)

    assert out == ""
    assert "NEW collision high 4097-17 revision 0  station 4097 seq 1 tick 1 copy 1/7" in lines[0]
    assert "REFUSED shape" in lines[1]
    assert "HEARTBEAT ok, 0 in force" in lines[2]
    assert "REFUSED signature" in lines[3]
    assert "8 believed, refused: 1 duplicate, 2 shape, 1 signature" in err
    assert process.returncode == 0


def test_listen_all_as_json_gives_one_object_a_datagram(session: Session) -> None:
    process = session.start("--json", "--all")
    assert process.stderr is not None
    assert process.stderr.readline().startswith("listening on ")
    session.send(session.station.say(session.station.alert()))
    session.send(session.station.say(session.station.alert(), copy=(1, 7)))
    assert process.stdout is not None
    lines = [json.loads(process.stdout.readline()) for _ in range(2)]

    out, _ = finish(process)

    assert [line["datagram"]["seq"] for line in lines] == [1, 2]
    assert lines[0]["kid"] == session.station.kid
    assert json.loads(out) == {"believed": 2, "refused": {}}


def test_listen_fails_when_nothing_genuine_came_in_time(session: Session) -> None:
    process = session.start("--seconds", "0.3")

    _, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "0 believed" in err


def test_listen_without_keys_says_what_to_do(session: Session) -> None:
    session.store.unlink()
    process = session.start()

    _, err = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "hazardcast keys init" in err


@pytest.mark.parametrize(
    ("option", "value"), [("--group", "239.1.1.1:port"), ("--interface", "nosuch0")]
)
def test_listen_names_the_option_that_is_wrong(session: Session, option: str, value: str) -> None:
    process = session.start(option, value)

    _, err = process.communicate(timeout=60)

    assert process.returncode == 2
    assert value.split(":", maxsplit=1)[0] in err
