"""The real thing on one machine: broker, drawn cameras, recorder, alerter, vehicle, console; and no detector.

What a detector would say a test says itself, so that two processors are enough for nine tiles.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from hazardcast.config.settings import environment_with
from hazardcast.contract.service_names import SERVICES
from hazardcast.net.ports import free_ports
from hazardcast.testing import eventually

ROOT = Path(__file__).resolve().parents[3]
PASSWORD = "a-long-word-for-tests"
RUN = ("camera", "recorder", "alerter", "vehicle_agent", "console")
READY_WITHIN_S = 60.0


@dataclass
class Running:
    """One service as a process, with its lines of standard output."""

    module: str
    settings: dict[str, str]
    log: Path
    lines: list[tuple[float, str]] = field(default_factory=list)

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", self.module],
            cwd=ROOT, env=environment_with(**self.settings), text=True,
            stdout=subprocess.PIPE, stderr=self.log.open("a"),
        )  # fmt: skip
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            self.lines.append((time.time(), line))

    def says(self, *words: str) -> float | None:
        """When a line with all these words was said first, epoch seconds."""
        for at, line in list(self.lines):
            if all(word in line for word in words):
                return at
        return None

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def cpu_s(self) -> float:
        """Processor time so far, its own and its children's."""
        root = psutil.Process(self.process.pid)
        times = [one.cpu_times() for one in (root, *root.children(recursive=True))]
        return sum(one.user + one.system for one in times)

    def rss_mb(self) -> float:
        return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)


class Stand:
    """The services over `cameras` names of one drawn camera (each is recorded by itself), or of `urls`."""

    def __init__(
        self, folder: Path, broker: Any, *, cameras: int = 1, scene: str = "demo://normal",
        time_zone: str = "Asia/Seoul", run: tuple[str, ...] = RUN, urls: dict[str, str] | None = None, **more: str,
    ) -> None:  # fmt: skip
        assert set(run) <= {name.replace("-", "_") for name in SERVICES} | {"vehicle_agent"}
        self.folder, self.broker = folder, broker
        folder.mkdir(parents=True, exist_ok=True)
        http_port, camera_port, self.console_port, multicast_port = free_ports(4)
        self.camera_server = f"http://127.0.0.1:{camera_port}"
        self.names = [f"camera-{number + 1}" for number in range(cameras)]
        shared = {
            "data_dir": str(folder / "data"), "mqtt_port": str(broker.port), "metrics_port": "0",
            "http_port": str(http_port), "camera_port": str(camera_port), "camera_server": self.camera_server,
            "console_port": str(self.console_port), "console_password": PASSWORD, "free_space_floor_gb": "0",
            "multicast_interface": "127.0.0.1", "multicast_port": str(multicast_port), "clip_pre_s": "3", "clip_post_s": "3",
        }  # fmt: skip
        self.settings = shared | more
        self._write_config(scene, time_zone, urls or {})
        self.services = {name: self._service(name) for name in run}

    def _service(self, name: str) -> Running:
        config = "drawn.yaml" if name == "camera" else "cameras.yaml"
        own = {"config": str(self.folder / config), "instance": name.replace("_", "-")}
        if name == "vehicle_agent":
            own = own | {"instance": "vehicle-1", "vehicle": "vehicle-1"}
        return Running(name, self.settings | own, self.folder / f"{name}.log")

    def _write_config(self, scene: str, time_zone: str, urls: dict[str, str]) -> None:
        site = {"station_id": 4097, "name": "Junction 12", "time_zone": time_zone,
                "position": {"lat_deg": 37.12345, "lon_deg": 127.12345}, "road": "segment_A"}  # fmt: skip
        place = {"position": {"lat_deg": 37.12345, "lon_deg": 127.126}, "traffic_heading_deg": 90, "road": "segment_A", "distance_m": 500}  # fmt: skip
        drawn = {"site": site, "cameras": {"drawn": {"url": scene, **place}}}
        stream = f"{self.camera_server}/drawn.ts"
        many = {name: {"url": urls.get(name, stream), **place} for name in self.names}
        (self.folder / "drawn.yaml").write_text(yaml.safe_dump(drawn))
        (self.folder / "cameras.yaml").write_text(
            yaml.safe_dump({"site": site, "defaults": {"segment_s": 10}, "cameras": many})
        )

    @property
    def url(self) -> str:
        """The base of the console's addresses."""
        return f"http://localhost:{self.console_port}/"

    @property
    def console(self) -> Running:
        return self.services["console"]

    def start(self) -> None:
        """Start all, and wait until every camera is live."""
        for service in self.services.values():
            service.start()
        live = self.shows_all if "recorder" in self.services else lambda: self.get("api/v1/session")
        eventually(live, within_s=READY_WITHIN_S, what="every camera is live")

    def get(self, path: str) -> Any:
        """What the console answers; None while it does not."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return json.load(answer)
        except OSError:
            return None

    def shows_all(self) -> bool:
        """Whether the console has every camera's picture of now."""
        told = self.get("api/v1/cameras") or []
        return [one["state"] for one in told] == ["live"] * len(self.names)

    def give_account(self, name: str, role: str, cameras: list[str] | None = None) -> None:
        """An account that may see these cameras, with the same password as all."""
        with httpx.Client(base_url=self.url) as admin:
            admin.post(
                "api/v1/login", json={"name": "admin", "password": PASSWORD}
            ).raise_for_status()
            wanted = {"role": role, "cameras": cameras, "password": PASSWORD}
            admin.put(f"api/v1/accounts/{name}", json=wanted).raise_for_status()

    def report(self, **incident: Any) -> float:
        """Say an incident on `v2x/alert`; returns when it was said, epoch seconds."""
        return self.say("v2x/alert", {"type": "collision", **incident})

    def say(self, topic: str, message: Any, *, retain: bool = False) -> float:
        """Publish by `mosquitto_pub`, as a person would."""
        text = message if isinstance(message, str) else json.dumps(message)
        at = time.time()
        subprocess.run(
            ["mosquitto_pub", "-p", str(self.broker.port), "-q", "1", "-t", topic, "-m", text, *(["-r"] if retain else [])],
            check=True, timeout=20,
        )  # fmt: skip
        return at

    def close(self) -> None:
        for service in reversed(self.services.values()):
            service.process.terminate()
        for service in self.services.values():
            service.stop()
