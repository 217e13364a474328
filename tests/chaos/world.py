"""The world that is shaken: a station, three vehicles and a camera, real processes on real links.

    switch ─┬─ station   mosquitto, alerter, clipper, recorder, camera; eth0 10.83.0.1
            │            its alerts leave by air0 10.84.0.1, which may change or vanish
            ├─ car-1, car-2   hear multicast and the broker
            ├─ car-3          hears neither: told by unicast, known to the alerter by name
            └─ observer       notes what is on the air

The station's state, its video and each vehicle's files have small disks of their own (tmpfs).
"""  # fmt: skip

from __future__ import annotations

import contextlib
import http.client
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from hazardcast_tools.stack.broker import find_mosquitto

from benchmarks.testbed import BROKER_PORT, GROUP, Node, Testbed, wait_for
from hazardcast.media.ffmpeg import find_ffmpeg
from tests.chaos.camera import PORT as CAMERA_PORT
from tests.chaos.camera import Camera, film
from tests.chaos.kinds import BY_NAME, CARS
from tests.chaos.names import NameServer
from tests.chaos.process import Service
from tests.chaos.reports import CAMERA

STATION, AIR = "air0", "10.84.0.1"
AIR_PORT = "air"
"""The switch's end of the station's link to the air."""
HTTP_PORT, UNICAST_PORT = 8080, 5530
METRICS = {"alerter": 9101, "clipper": 9102, "recorder": 9103}
NAME = f"{BY_NAME}.fleet.example"
DISK_MB = {"station": 16, "video": 96, "cars": 8}
STATION_MB_A_MINUTE = 2
"""What is dropped and the journal stay there; faults alone are to fill the disk."""
BROKER = """\
user root
listener {port} 0.0.0.0
allow_anonymous true
set_tcp_nodelay true
persistence true
persistence_location {folder}/
autosave_interval 5
max_inflight_messages 100
max_queued_messages 10000
max_packet_size 131072
connection_messages false
log_type error
"""


def lacking() -> str | None:
    """What this machine lacks beyond a testbed; None: nothing."""
    return None if shutil.which("chattr") else "chattr (e2fsprogs)"


def clocked(module: str, offset: Path) -> tuple[str, ...]:
    """The command of a service whose clock is off by what a file says."""
    program = str(Path(__file__).with_name("wrong_clock.py"))
    return (sys.executable, "-u", program, str(offset), module)


class World:
    """Everything that runs, with the handles to shake it by."""

    def __init__(
        self, folder: Path, *, video_s: float, line: Callable[[str, int, str], None]
    ) -> None:
        self.folder, self._line = folder, line
        self._stack = contextlib.ExitStack()
        try:
            self._build(video_s)
        except BaseException:
            self.close()
            raise

    def _build(self, video_s: float) -> None:
        self._disks(video_s)
        self.bed = Testbed(self.folder / "bed", vehicles=len(CARS))
        self._stack.callback(self.bed.close)
        self.station, self.observer = self.bed.station, self.bed.attacker
        self.cars = {car.name: car for car in self.bed.cars}
        self._names()
        self.link_air()
        for car in self.cars.values():
            self.route(car)
        ip(self.cars[BY_NAME], "iptables", "-I", "INPUT", "-d", GROUP, "-j", "DROP")
        pictures = film(find_ffmpeg(None), self.folder / "film.ts", video_s)
        self.camera = self.station.inside(lambda: Camera(pictures))
        self._stack.callback(self.camera.close)
        self._configure()
        self.services = {service.name: service for service in (*self._station(), *self._vehicles())}
        self._stack.callback(self._end)

    def _disks(self, lasts_s: float) -> None:
        for name in ("bed", "logs", "broker"):
            (self.folder / name).mkdir(parents=True)
        disks = {"station": "station", "video": "video", **dict.fromkeys(CARS, "cars")}
        for name, size in disks.items():
            path = self.folder / name
            path.mkdir()
            grows = STATION_MB_A_MINUTE * lasts_s / 60 if name == "station" else 0
            room = f"size={DISK_MB[size] + round(grows)}m"
            run("mount", "-t", "tmpfs", "-o", room, f"chaos-{name}", str(path))
            self._stack.callback(run, "umount", "-l", str(path))

    def _names(self) -> None:
        """The station asks a name server of its own."""
        folder = Path("/etc/netns", self.station.namespace)
        folder.mkdir(parents=True)
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        known = {NAME: self.cars[BY_NAME].address}
        self.names = self.station.inside(lambda: NameServer(known))
        self._stack.callback(self.names.close)

    def _configure(self) -> None:
        self.config = self.folder / "cameras.yaml"
        self.config.write_text(
            "site: {station_id: 4097, position: {lat_deg: 37.1, lon_deg: 127.1}}\n"
            f"cameras:\n  {CAMERA}: {{url: '{self.camera.url}', segment_s: 2}}\n"
        )
        self.broker_conf = self.folder / "mosquitto.conf"
        self.broker_conf.write_text(BROKER.format(port=BROKER_PORT, folder=self.folder / "broker"))
        self.offset = self.folder / "station.offset"
        self.set_clock(self.offset, "0")

    def _station(self) -> list[Service]:
        program = find_mosquitto()
        assert program
        video = {
            "config": str(self.config),
            "data_dir": str(self.folder / "video"),
            "instance": "s",
        }
        keys = self.folder / "station" / "keys"
        return [
            self._service("broker", self.station, program, "-c", str(self.broker_conf)),
            self._service(
                "alerter",
                self.station,
                *clocked("alerter", self.offset), config=str(self.config),
                data_dir=str(self.folder / "station"), multicast_interface=STATION, instance="s",
                unicast=f"{NAME}:{UNICAST_PORT}", metrics_port=str(METRICS["alerter"]),
                clip_pre_s="2", clip_post_s="2",
            ),
            self._python(
                "recorder", self.station, "recorder", **video,
                metrics_port=str(METRICS["recorder"]), free_space_floor_gb="0.005",
            ),
            self._python(
                "clipper", self.station, "clipper", **video, metrics_port=str(METRICS["clipper"]),
                truststore=str(keys / "truststore.json"),
            ),
        ]  # fmt: skip

    def _vehicles(self) -> list[Service]:
        found = []
        for name, car in self.cars.items():
            offset = self.folder / f"{name}.offset"
            self.set_clock(offset, "0")
            paths = (
                {"vehicle_unicast_port": str(UNICAST_PORT), "mqtt_host": "127.0.0.1"}
                if name == BY_NAME
                else {"mqtt_host": self.station.address}
            )
            found.append(
                self._service(
                    name,
                    car,
                    *clocked("vehicle_agent", offset),
                    vehicle=name,
                    data_dir=str(self.folder / name),
                    multicast_interface="eth0",
                    truststore=str(self.folder / "station" / "keys" / "truststore.json"),
                    **paths,
                )
            )
        return found

    def _python(
        self,
        name: str,
        node: Node,
        module: str,
        **settings: str,
    ) -> Service:
        command = (sys.executable, "-u", "-m", module)
        return self._service(name, node, *command, **settings)

    def _service(
        self,
        name: str,
        node: Node,
        *command: str,
        **settings: str,
    ) -> Service:
        def line(text: str) -> None:
            self._line(name, self.services[name].life, text)

        logs = self.folder / "logs"
        return Service(name, node, command, logs, line=line, **settings)

    def start(self) -> None:
        """Start everything, and wait until every vehicle hears the station."""
        for name in ("broker", "alerter"):
            self.services[name].start()
            if name == "broker":
                wait_for(lambda: self.station.inside(_answers), "the broker listens")
        wait_for(lambda: self.page("alerter", "/readyz") == 200, "the alerter is ready")
        for name in ("recorder", "clipper", *CARS):
            self.services[name].start()
        for name in CARS:
            wait_for(lambda name=name: self.heard(name), f"{name} hears the station")  # type: ignore[misc]
        recorded = self.folder / "video" / "recordings" / CAMERA
        wait_for(lambda: any(recorded.glob("*/*.ts")), "the recorder records")

    def heard(self, car: str) -> bool:
        return "[LINK]" in (self.folder / "logs" / f"{car}.out").read_text("utf-8", "replace")

    def page(self, service: str, path: str, within_s: float = 2.0) -> int | None:
        """The status that a service's metrics port answers with; None: nothing in time."""
        node = self.cars.get(service, self.station)
        port = METRICS.get(service, 9100)
        return node.inside(lambda: ask(port, path, within_s)[0])

    def token(self) -> str:
        return (self.folder / "station" / "keys" / "http.token").read_text().strip()

    # -- handles

    def set_clock(self, file: Path, offset: str) -> None:
        beside = file.with_suffix(".new")
        beside.write_text(offset)
        beside.replace(file)

    def link_air(self) -> None:
        """The station's link to the air, made or made anew."""
        switch = f"{self.bed._id}-switch"
        with contextlib.suppress(subprocess.CalledProcessError):
            run("ip", "-n", self.station.namespace, "link", "del", STATION)
        run("ip", "-n", switch, "link", "add", AIR_PORT, "type", "veth",
            "peer", "name", STATION, "netns", self.station.namespace)  # fmt: skip
        run("ip", "-n", switch, "link", "set", AIR_PORT, "master", "br0", "up")
        self.address_air(AIR)

    def address_air(self, address: str) -> None:
        """Another address, and the route to the group by that interface."""
        on = ("ip", "-n", self.station.namespace)
        run(*on, "addr", "flush", "dev", STATION)
        run(*on, "addr", "add", f"{address}/24", "dev", STATION)
        run(*on, "link", "set", STATION, "up")
        run(*on, "route", "replace", "224.0.0.0/4", "dev", STATION)

    def link_car(self, name: str) -> None:
        """A vehicle's link, made anew under the same name."""
        car, switch = self.cars[name], f"{self.bed._id}-switch"
        run("ip", "-n", switch, "link", "del", name)
        run("ip", "-n", switch, "link", "add", name, "type", "veth",
            "peer", "name", "eth0", "netns", car.namespace)  # fmt: skip
        run("ip", "-n", switch, "link", "set", name, "master", "br0", "up")
        self.address_car(name, car.address)

    def address_car(self, name: str, address: str) -> None:
        on = ("ip", "-n", self.cars[name].namespace)
        run(*on, "addr", "flush", "dev", "eth0")
        run(*on, "addr", "add", f"{address}/24", "dev", "eth0")
        run(*on, "link", "set", "eth0", "up")
        self.route(self.cars[name])

    def route(self, car: Node) -> None:
        """To the group, and to the air's own network."""
        for target in ("224.0.0.0/4", "10.84.0.0/24"):
            run("ip", "-n", car.namespace, "route", "replace", target, "dev", "eth0")

    def keep_papers(self) -> None:
        """What the small disks hold beside video goes with them; a finding may need it."""
        for disk in ("station", "video", *CARS):
            for path in (self.folder / disk).rglob("*.json*"):
                target = self.folder / "papers" / path.relative_to(self.folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)

    def _end(self) -> None:
        enders = [threading.Thread(target=service.kill) for service in self.services.values()]
        for thread in enders:
            thread.start()
        for thread in enders:
            thread.join()
        time.sleep(0.3)

    def close(self) -> None:
        self._stack.close()


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def ip(node: Node, *command: str) -> None:
    """Run a command in a node's namespace."""
    run("ip", "netns", "exec", node.namespace, *command)


def ask(port: int, path: str, within_s: float) -> tuple[int | None, bytes]:
    """GET from this namespace's loopback."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=within_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return None, b""
    finally:
        connection.close()


def _answers() -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", BROKER_PORT)) == 0


__all__ = ["CAMERA_PORT", "World", "ask", "ip", "lacking", "run"]
