"""Where the vehicle is: a played track, a GPS daemon that speaks, falls silent and comes back."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vehicle_agent import gpx, positioning
from vehicle_agent.gpsd import Gpsd, parse_address
from vehicle_agent.position import Fix, pose, read_gpsd
from vehicle_agent.positioning import Positioning
from vehicle_agent.relevance import Pose

from hazardcast.config.settings import Settings
from hazardcast.contract.errors import ConfigError
from hazardcast.machine.clock import SystemClock
from hazardcast.testing import ManualClock, eventually

GPX = """<?xml version="1.0"?>
<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="37.0" lon="127.0"><time>2026-01-01T00:00:00Z</time></trkpt>
<trkpt lat="37.001" lon="127.0"><time>2026-01-01T00:00:10Z</time></trkpt>
<trkpt lat="37.001" lon="127.001"><time>2026-01-01T00:00:20Z</time></trkpt>
</trkseg></trk></gpx>"""


def tpv(**fields: Any) -> str:
    said = {"class": "TPV", "mode": 3, "lat": 37.0, "lon": 127.0, "track": 90.0, "speed": 20.0}
    return json.dumps({**said, **fields})


@pytest.mark.parametrize(
    ("since_s", "lat", "lon", "heading"),
    [(0, 37.0, 127.0, 0), (5, 37.0005, 127.0, 0), (15, 37.001, 127.0005, 90), (99, 37.001, 127.001, 90)],
)  # fmt: skip
def test_a_track_is_played_in_real_time(
    since_s: float, lat: float, lon: float, heading: float
) -> None:
    fix = gpx.at(gpx.parse(GPX.encode()), since_s, 1.0)

    assert (fix.lat_deg, fix.lon_deg) == pytest.approx((lat, lon))
    assert fix.heading_deg == pytest.approx(heading, abs=0.01)


@pytest.mark.parametrize(
    "text",
    ["", "<gpx/>", "not xml", GPX.replace("37.0\"", "97.0\""), GPX.replace("00Z", "00"),
     '<!DOCTYPE a [<!ENTITY b "c">]>' + GPX],
)  # fmt: skip
def test_a_bad_track_is_a_configuration_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "drive.gpx"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"HAZARDCAST_VEHICLE_GPX: .*drive\.gpx"):
        gpx.load(path)


def test_a_fix_holds_for_five_seconds() -> None:
    fix = Fix(37.0, 127.0, 90.0, monotonic=100.0)

    assert pose(fix, 104.9) == Pose(37.0, 127.0, 90.0)
    assert pose(fix, 105.1) == Pose()
    assert pose(None, 0.0) == Pose()


def test_standing_still_keeps_the_heading() -> None:
    moving = read_gpsd(tpv(), 1.0, None)
    assert moving
    assert moving.heading_deg == 90.0

    standing = read_gpsd(tpv(track=271.0, speed=0.2), 2.0, moving)

    assert standing
    assert standing.heading_deg == 90.0


@pytest.mark.parametrize("fields", [{"mode": 1}, {"lat": None}, {"lon": 200}, {"lat": "37"}])
def test_a_report_without_a_fix_is_none(fields: dict[str, Any]) -> None:
    assert read_gpsd(tpv(**fields), 1.0, None) is None


def test_a_heading_a_hair_west_of_north_is_north() -> None:
    fix = read_gpsd(tpv(track=-1e-300), 1.0, None)

    assert fix
    assert fix.heading_deg == 0.0


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200), st.builds(
    lambda fields: tpv(**fields),
    st.dictionaries(st.sampled_from(["mode", "lat", "lon", "track", "speed", "class"]),
                    st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=5))),
)))  # fmt: skip
def test_whatever_a_daemon_says_is_a_fix_on_earth_or_none(line: Any) -> None:
    fix = read_gpsd(line, 1.0, None)

    assert fix is None or (abs(fix.lat_deg) <= 90 and abs(fix.lon_deg) <= 180)
    assert fix is None or fix.heading_deg is None or 0 <= fix.heading_deg < 360


class Daemon:
    """A small gpsd on a real socket: greets, waits to be asked, then reports."""

    def __init__(self, port: int = 0) -> None:
        self.server = socket.create_server(("127.0.0.1", port))
        self.port = int(self.server.getsockname()[1])
        self.asked: list[bytes] = []
        self.clients: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.server.accept()
                client.sendall(b'{"class":"VERSION","release":"3.22","proto_major":3}\n')
                self.asked.append(client.recv(200))
                self.clients.append(client)
            except OSError:
                return

    def report(self, text: str) -> None:
        for client in self.clients:
            client.sendall(text.encode() + b"\n")

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.server.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self.server.close()


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    found = threading.Event()
    yield found
    found.set()


@pytest.mark.network
def test_a_daemon_is_asked_once_heard_and_found_again_after_its_death(stop: Any) -> None:
    daemon = Daemon()
    settings = Settings(vehicle_gpsd=f"127.0.0.1:{daemon.port}")
    source = positioning.source(settings, SystemClock())
    assert source
    threading.Thread(target=source.run, args=(stop,), daemon=True).start()
    eventually(lambda: daemon.clients)
    assert b'"enable":true' in daemon.asked[0]

    daemon.report("garbage")
    daemon.report(tpv(lat=37.25)[:20])
    daemon.report(tpv(lat=37.25))
    eventually(lambda: source.latest and source.latest.lat_deg == 37.25)

    daemon.close()
    again = Daemon(daemon.port)
    try:
        eventually(lambda: again.clients, within_s=10)
        again.report(tpv(lat=37.5))
        eventually(lambda: source.latest and source.latest.lat_deg == 37.5)
    finally:
        again.close()


@pytest.mark.parametrize("odd", ["1" * 400, "1e999", "NaN", "true", '"37"', "null", "[37]", "-91"])
@pytest.mark.parametrize("field", ["lat", "lon", "track", "speed", "mode"])
def test_no_number_whatever_ends_the_listening(field: str, odd: str) -> None:
    fields = {"mode": "3", "lat": "37.0", "lon": "127.0", "track": "90", "speed": "5", field: odd}
    line = ",".join(f'"{name}":{value}' for name, value in fields.items())

    fix = read_gpsd(f'{{"class":"TPV",{line}}}', 1.0, None)

    assert fix is None or abs(fix.lat_deg) <= 90


def test_a_source_that_raises_is_asked_again_and_the_vehicle_does_without(stop: Any) -> None:
    asked: list[int] = []

    class Broken:
        name = "gpx"
        latest: Fix | None = None

        def run(self, stop: threading.Event) -> None:
            asked.append(1)
            if len(asked) == 3:
                stop.set()
            raise RuntimeError("whatever")

    poses = list[Pose]()
    looking = Positioning(Broken(), poses.append, lambda _text: None, ManualClock())
    looking.start(stop)

    eventually(lambda: len(asked) == 3)
    looking.look()
    assert poses == [Pose()]


def test_a_silent_daemon_makes_the_place_unknown_and_the_driver_is_told() -> None:
    clock, poses, lines = ManualClock(), list[Pose](), list[str]()
    source: Any = type("Silent", (), {"name": "gpsd", "latest": None})()
    looking = Positioning(source, poses.append, lambda text: lines.append(text(clock.now())), clock)
    looking.look()
    source.latest = Fix(37.0, 127.0, None, clock.monotonic())
    looking.look()
    clock.advance(6.0)
    looking.look()
    looking.look()

    assert [one.lat_deg for one in poses] == [None, 37.0, None, None]
    assert ["UNKNOWN" in lines[0], "OK by gpsd" in lines[1], "LOST" in lines[2]] == [True] * 3
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("gps.local", ("gps.local", 2947)),
        ("10.0.0.1:2950", ("10.0.0.1", 2950)),
        ("::1", ("::1", 2947)),
        ("[::1]:2950", ("::1", 2950)),
    ],
)
def test_the_port_may_be_left_out(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", ":2947", "host:", "host:99999", "host:x"])
def test_a_wrong_address_is_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigError, match="HAZARDCAST_VEHICLE_GPSD"):
        parse_address(text)


def test_a_daemon_that_is_not_there_holds_up_no_end(stop: Any) -> None:
    thread = threading.Thread(
        target=Gpsd(("127.0.0.1", 1), lambda _: None, clock=SystemClock()).run, args=(stop,)
    )
    thread.start()
    time.sleep(0.05)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
