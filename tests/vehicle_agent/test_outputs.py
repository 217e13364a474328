"""A vehicle-agent as a process whose console, disk, ports or files fail: each loses its own only."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import pytest

from hazardcast.testing import eventually
from tests.vehicle_agent.test_service import Desk, Road, Vehicle, connected, rows

pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.fixture
def road(tmp_path: Path) -> Iterator[Road]:
    found = Road(tmp_path)
    yield found
    found.close()


@pytest.fixture
def desk(mosquitto: Any) -> Iterator[Desk]:
    found = Desk(mosquitto.settings())
    yield found
    found.bus.close()


def logged(vehicle: Vehicle) -> list[dict[str, Any]]:
    path = vehicle.folder / f"{vehicle.name}.err"
    return [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]


def failures(vehicle: Vehicle) -> list[str]:
    return [line["part"] for line in logged(vehicle) if line["message"].startswith("failing")]


def ids(vehicle: Vehicle) -> list[str]:
    path = vehicle.folder / f"vehicle-{vehicle.name}" / "alerts.csv"
    return [row["event_id"] for row in rows(path)] if path.exists() else []


def dead_pipe(stack: ExitStack) -> IO[bytes]:
    reader, writer = os.pipe()
    os.close(reader)
    return stack.enter_context(os.fdopen(writer, "wb", buffering=0))


def unread_pipe(stack: ExitStack) -> IO[bytes]:
    reader, writer = os.pipe()
    stack.callback(os.close, reader)
    end = stack.enter_context(os.fdopen(writer, "wb", buffering=0))
    os.set_blocking(writer, False)
    while end.write(b"x" * 4096):
        pass
    os.set_blocking(writer, True)
    return end


def held_terminal(stack: ExitStack) -> IO[bytes]:
    """Ctrl-S."""
    master, slave = os.openpty()
    stack.callback(os.close, master)
    termios.tcflow(slave, termios.TCOOFF)
    return stack.enter_context(os.fdopen(slave, "wb", buffering=0))


def full_disk(stack: ExitStack) -> IO[bytes]:
    return stack.enter_context(open("/dev/full", "wb", buffering=0))  # noqa: PTH123


def read_only(stack: ExitStack) -> IO[bytes]:
    return stack.enter_context(open("/dev/null", "rb", buffering=0))  # noqa: PTH123


def nothing(stack: ExitStack) -> IO[bytes]:
    return stack.enter_context(open("/dev/null", "wb", buffering=0))  # noqa: PTH123


@pytest.mark.parametrize(
    ("console", "close_stdout"),
    [
        (dead_pipe, False),
        (unread_pipe, False),
        (held_terminal, False),
        (full_disk, False),
        (read_only, False),
        (nothing, True),
    ],
)
def test_a_console_that_takes_nothing_costs_its_lines_alone(
    road: Road,
    mosquitto: Any,
    desk: Desk,
    console: Callable[[ExitStack], IO[bytes]],
    close_stdout: bool,
) -> None:
    """Log, speed and metrics go on, the process log says it once, and the process ends in time."""
    with ExitStack() as stack:
        stdout = console(stack)
        vehicle = road.start(
            stdout=stdout, close_stdout=close_stdout, mqtt_port=str(mosquitto.port)
        )
        eventually(connected(desk), within_s=20)
        for number in (1, 2, 3):
            road.burst(road.station.alert(number))

        eventually(lambda: ids(vehicle) == ["4097-1", "4097-2", "4097-3"], within_s=10)
        eventually(lambda: vehicle.metric("hazardcast_speed_target_mps") == 0.5)
        assert vehicle.metric('hazardcast_alerts_shown_total{kind="new"}') == 3
        eventually(lambda: failures(vehicle) == ["console"], within_s=10)
        assert vehicle.metric('hazardcast_part_failing{kind="console"}') == 1
        assert desk.receipts == []
        assert vehicle.ready()
        assert vehicle.stop() == 0


@pytest.mark.parametrize("piped", [True, False], ids=["pipe", "file"])
@pytest.mark.parametrize(
    "letters",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "cp949:strict"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    ],
    ids=lambda letters: next(iter(letters.values())),
)
def test_letters_that_the_console_has_not_cost_nothing(
    road: Road, letters: dict[str, str], piped: bool
) -> None:
    path = road.folder / "lines"
    with path.open("wb") as file:
        vehicle = road.start(stdout=subprocess.PIPE if piped else file, environment=letters)
        road.burst(road.station.alert(1, road="한강대로"))
        road.burst(road.station.alert(2, road="Rue de l\u2019Église 😀"))

        def shown() -> list[str]:
            lines = path.read_bytes().decode(errors="replace").splitlines()
            return [line for line in [*vehicle.lines, *lines] if line.startswith("[RECV]")]

        eventually(lambda: len(shown()) == 2)
        eventually(lambda: ids(vehicle) == ["4097-1", "4097-2"])
        assert [row["road"] for row in rows(road.folder / "vehicle-car-1" / "alerts.csv")] == [
            "한강대로",
            "Rue de l\u2019Église 😀",
        ]
        assert failures(vehicle) == []


def test_a_reader_who_comes_back_is_shown_what_happens_then(road: Road) -> None:
    """As a log collector that was stopped and started: the pipe has a name."""
    pipe = road.folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with pipe.open("wb", buffering=0) as stdout:
        vehicle = road.start(stdout=stdout)
        os.close(reader)
    road.burst(road.station.alert(1))
    eventually(lambda: failures(vehicle) == ["console"], within_s=10)

    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as again:
        os.set_blocking(again.fileno(), True)
        heard: list[bytes] = []
        reading = threading.Thread(target=lambda: heard.extend(again))
        reading.start()
        road.burst(road.station.alert(2))

        eventually(lambda: any(b"NEW collision high 4097-2" in line for line in heard))
        eventually(lambda: vehicle.metric('hazardcast_part_failing{kind="console"}') == 0)
        assert vehicle.stop() == 0
        reading.join(5)


def test_folders_that_cannot_be_written_cost_what_is_in_them_alone(road: Road) -> None:
    """In the place of each is a file, which keeps root out too."""
    for name in ("vehicle-car-1", "state"):
        (road.folder / name).write_text("")
    vehicle = road.start()
    road.burst(road.station.alert(1))
    eventually(vehicle.words)
    eventually(lambda: sorted(failures(vehicle)) == ["csv", "state"])
    for name in ("vehicle-car-1", "state"):
        (road.folder / name).unlink()

    road.burst(road.station.alert(2))

    eventually(lambda: ids(vehicle) == ["4097-1", "4097-2"])
    kept = road.folder / "state" / "vehicle-car-1" / "alerts.json"
    eventually(lambda: kept.exists() and len(json.loads(kept.read_text())["alerts"]) == 2)


def test_a_taken_metrics_port_and_a_bad_track_keep_no_vehicle_from_running(road: Road) -> None:
    track = road.folder / "drive.gpx"
    track.write_text("<gpx")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        vehicle = Vehicle(
            "car-1",
            road.group.port,
            road.folder,
            metrics_port=str(port),
            vehicle_gpx=str(track),
        )
        road.vehicles.append(vehicle)
        vehicle.metrics_port = port
        eventually(lambda: any("LINK WAITING" in line for line in vehicle.lines), within_s=20)
        road.burst(road.station.alert(1))
        eventually(vehicle.words)
        eventually(lambda: sorted(failures(vehicle)) == ["metrics", "position"])

    eventually(vehicle.ready, within_s=15, what="metrics as soon as the port is free")
