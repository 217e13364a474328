"""How each fault is done, and undone: `FAULTS[name](world, subject)` is a context."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from tests.chaos.kinds import CARS, NAMED
from tests.chaos.process import Service
from tests.chaos.world import HTTP_PORT, METRICS, STATION, World, ip, run

Fault = Callable[[World, str], AbstractContextManager[None]]
Doing = Callable[[World, str], Iterator[None]]
FAULTS: dict[str, Fault] = {}
TWO_HOURS = {"ahead": "7200", "behind": "-7200"}


class MishapError(Exception):
    """Something went wrong that no fault excuses."""


def fault(name: str) -> Callable[[Doing], Doing]:
    assert name in NAMED, name

    def keep(doing: Doing) -> Doing:
        FAULTS[name] = contextlib.contextmanager(doing)
        return doing

    return keep


# -- processes


def _process(name: str, subject: str) -> str:
    """`alerter killed` is the alerter; `car killed` the car whose turn it is."""
    who = name.split(maxsplit=1)[0]
    return subject if who == "car" else who


def _killed(name: str) -> None:
    @fault(name)
    def doing(world: World, subject: str) -> Iterator[None]:
        service = world.services[_process(name, subject)]
        service.kill()
        yield
        service.start()


def _ended(name: str) -> None:
    @fault(name)
    def doing(world: World, subject: str) -> Iterator[None]:
        service = world.services[_process(name, subject)]
        wrong = service.end()
        yield
        service.start()
        if wrong:
            raise MishapError(wrong)


def _stopped(name: str) -> None:
    @fault(name)
    def doing(world: World, subject: str) -> Iterator[None]:
        service = world.services[_process(name, subject)]
        service.signal(signal.SIGSTOP)
        yield
        service.signal(signal.SIGCONT)


for who in ("alerter", "broker", "car", "recorder", "clipper"):
    _killed(f"{who} killed")
    _ended(f"{who} ended and started")
    _stopped(f"{who} stopped")


@fault("broker killed, its memory lost")
def _forgotten(world: World, _subject: str) -> Iterator[None]:
    world.services["broker"].kill()
    (world.folder / "broker" / "mosquitto.db").unlink(missing_ok=True)
    yield
    world.services["broker"].start()


# -- clocks


def _clock(name: str, station: bool, off: str) -> None:
    @fault(name)
    def doing(world: World, subject: str) -> Iterator[None]:
        file = world.offset if station else world.folder / f"{subject}.offset"
        world.set_clock(file, off)
        yield
        world.set_clock(file, "0")
        time.sleep(0.3)  # until the process has looked


for way, seconds in TWO_HOURS.items():
    _clock(f"station's clock 2 h {way}", station=True, off=seconds)
    _clock(f"car's clock 2 h {way}", station=False, off=seconds)


# -- links


@fault("station's interface down")
def _air_down(world: World, _subject: str) -> Iterator[None]:
    on = ("ip", "-n", world.station.namespace)
    run(*on, "link", "set", STATION, "down")
    yield
    run(*on, "link", "set", STATION, "up")
    run(*on, "route", "replace", "224.0.0.0/4", "dev", STATION)


@fault("station's address another")
def _air_address(world: World, _subject: str) -> Iterator[None]:
    """A new lease, which stays."""
    current = getattr(world, "air_host", 1)
    world.air_host = 9 if current == 1 else 1  # type: ignore[attr-defined]
    world.address_air(f"10.84.0.{world.air_host}")  # type: ignore[attr-defined]
    yield


@fault("station's interface made anew")
def _air_anew(world: World, _subject: str) -> Iterator[None]:
    run("ip", "-n", world.station.namespace, "link", "del", STATION)
    yield
    world.link_air()


@fault("car's interface down")
def _car_down(world: World, car: str) -> Iterator[None]:
    on = ("ip", "-n", world.cars[car].namespace, "link", "set", "eth0")
    run(*on, "down")
    yield
    run(*on, "up")
    world.route(world.cars[car])


@fault("car's address another")
def _car_address(world: World, car: str) -> Iterator[None]:
    address = world.cars[car].address
    world.address_car(car, address.rsplit(".", 1)[0] + ".200")
    yield
    world.address_car(car, address)


@fault("car's interface made anew")
def _car_anew(world: World, car: str) -> Iterator[None]:
    world.link_car(car)
    yield


LOSS = ("-m", "statistic", "--mode", "random", "--probability", "0.3", "-j", "DROP")


@fault("car's link loses 30 %")
def _car_loses(world: World, car: str) -> Iterator[None]:
    down, up = ("INPUT", "-i", "eth0", *LOSS), ("OUTPUT", "-o", "eth0", *LOSS)
    for rule in (down, up):
        ip(world.cars[car], "iptables", "-A", *rule)
    yield
    for rule in (down, up):
        ip(world.cars[car], "iptables", "-D", *rule)


@fault("air loses 30 %")
def _air_loses(world: World, _subject: str) -> Iterator[None]:
    """The sender is not told: every vehicle drops a part of its own."""
    for car in world.cars.values():
        ip(car, "iptables", "-A", "INPUT", "-p", "udp", *LOSS)
    yield
    for car in world.cars.values():
        ip(car, "iptables", "-D", "INPUT", "-p", "udp", *LOSS)


# -- readers


@fault("station's log not read")
def _log_held(world: World, _subject: str) -> Iterator[None]:
    yield from _held(world.services["alerter"], "log")


@fault("station's log gone")
def _log_gone(world: World, _subject: str) -> Iterator[None]:
    world.services["alerter"].log.drop()
    yield


@fault("recorder's log not read")
def _recorder_held(world: World, _subject: str) -> Iterator[None]:
    yield from _held(world.services["recorder"], "log")


@fault("clipper's log not read")
def _clipper_held(world: World, _subject: str) -> Iterator[None]:
    yield from _held(world.services["clipper"], "log")


@fault("car's console not read")
def _console_held(world: World, car: str) -> Iterator[None]:
    yield from _held(world.services[car], "console")


@fault("car's console gone")
def _console_gone(world: World, car: str) -> Iterator[None]:
    world.services[car].console.drop()
    yield


def _held(service: Service, stream: str) -> Iterator[None]:
    tap = getattr(service, stream)
    tap.hold()
    yield
    tap.release()


# -- disks


@fault("station's disk full")
def _station_full(world: World, _subject: str) -> Iterator[None]:
    yield from _full(world.folder / "station")


@fault("video's disk full")
def _video_full(world: World, _subject: str) -> Iterator[None]:
    yield from _full(world.folder / "video")


@fault("car's disk full")
def _car_full(world: World, car: str) -> Iterator[None]:
    yield from _full(world.folder / car)


@fault("station's disk read-only")
def _station_fixed(world: World, _subject: str) -> Iterator[None]:
    yield from _fixed(world.folder / "station" / "state")


@fault("car's disk read-only")
def _car_fixed(world: World, car: str) -> Iterator[None]:
    yield from _fixed(world.folder / car)


def _full(disk: Path) -> Iterator[None]:
    """Something else fills what is left, again and again."""
    ballast, stop = disk / "ballast", threading.Event()

    def fill() -> None:
        with ballast.open("ab", buffering=0) as file:
            while True:
                with contextlib.suppress(OSError):
                    free = shutil.disk_usage(disk).free
                    if free:
                        os.posix_fallocate(file.fileno(), file.seek(0, 2), free)
                if stop.wait(0.1):
                    return

    thread = threading.Thread(target=fill)
    thread.start()
    yield
    stop.set()
    thread.join()
    ballast.unlink()


def _fixed(folder: Path) -> Iterator[None]:
    """No file is made, renamed or removed in any of its folders (as with a disk that failed)."""
    folders = [str(folder), *(str(path) for path in folder.rglob("*") if path.is_dir())]
    run("chattr", "+i", *folders)
    yield
    run("chattr", "-i", *folders)


# -- names, connections, camera


@fault("names not answered")
def _names_silent(world: World, _subject: str) -> Iterator[None]:
    world.names.mood = "silent"
    yield
    world.names.mood = "answers"


@fault("names unknown")
def _names_unknown(world: World, _subject: str) -> Iterator[None]:
    world.names.mood = "knows nobody"
    yield
    world.names.mood = "answers"


@fault("silent connection on every port")
def _silent(world: World, _subject: str) -> Iterator[None]:
    """They connect and say nothing; a health page must answer beside them."""
    held: list[socket.socket] = []

    def connect(port: int) -> None:
        with contextlib.suppress(OSError):
            held.append(socket.create_connection(("127.0.0.1", port), timeout=2))

    for port in (HTTP_PORT, *METRICS.values()):
        world.station.inside(lambda port=port: connect(port))  # type: ignore[misc]
    for car in CARS:
        world.cars[car].inside(lambda: connect(9100))
    yield
    for connection in held:
        connection.close()


@fault("camera frozen")
def _camera_frozen(world: World, _subject: str) -> Iterator[None]:
    world.camera.freeze()
    yield
    world.camera.thaw()


@fault("camera flaps")
def _camera_flaps(world: World, _subject: str) -> Iterator[None]:
    """It hangs up and comes back, again and again."""
    stop = threading.Event()

    def flap() -> None:
        while not stop.wait(0.6):
            world.camera.down()
            if stop.wait(0.6):
                break
            world.camera.up()
        world.camera.up()

    thread = threading.Thread(target=flap)
    thread.start()
    yield
    stop.set()
    thread.join()


assert FAULTS.keys() == NAMED.keys()
