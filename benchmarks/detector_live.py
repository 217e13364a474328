"""The detector's own process on live 720p cameras at 8 frames a second.

Cameras are MPEG-TS over HTTP at real time; the broker is the one that this machine would run. CPU is
what the scheduler counted for the detector's process: decode, model, tracks, rules, publishing. The
latency is from a frame's capture to its message's arrival at a subscriber; an incident is published
just before the detections of the frame that confirmed it, so that frame's capture time is its own,
and no incident is later than the latest frames: the worse of both is told.
Four cameras are given two cores: frames may be dropped then, but what is told must stay fresh.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import brokers
from benchmarks.harness import Child, Figure, free_port, percentile, running
from benchmarks.recorder_cpu import camera
from hazardcast.config import settings
from hazardcast.config.settings import PREFIX, Settings
from hazardcast.contract.messages import Detections, Incident
from hazardcast.contract.topics import DETECTIONS, INCIDENTS
from hazardcast.mqtt.bus import MqttBus

WARM_UP_S = 12.0
MEASURED_S = 60.0
SCENE, SCENE_S, IMPACT_S = "collision", 45, 20
MOST_CORES = 0.5
MOST_LATENCY_MS = 400.0
MOST_RISE_MS = 250.0
CAMERAS, CORES = 4, 2


@dataclass
class Listener:
    """What arrives, and when; wall clock, as cameras and listener share it."""

    frames: list[tuple[float, float]] = field(default_factory=list)
    """Arrival and capture → arrival, seconds."""
    incidents: list[float] = field(default_factory=list)
    """Capture of the confirming frame → arrival of the incident, seconds."""
    _waiting: dict[str, list[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hear_frame(self, message: Detections, _delivery: object) -> None:
        now = time.time()
        with self._lock:
            self.frames.append((now, now - message.ts))
            for arrived in self._waiting.pop(message.camera, []):
                self.incidents.append(arrived - message.ts)

    def hear_incident(self, message: Incident, _delivery: object) -> None:
        with self._lock:
            self._waiting.setdefault(message.camera or "", []).append(time.time())


def make_video(folder: Path) -> Path:
    path = folder / "scene.mp4"
    subprocess.run(
        [sys.executable, "-m", "camera.render", f"{SCENE}?impact_s={IMPACT_S}", str(path), "--seconds", str(SCENE_S)],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return path


def measure(folder: Path, video: Path, *, cameras: int, cores: int | None) -> tuple[Listener, float, float]:  # fmt: skip
    """What a subscriber hears in `MEASURED_S`, cores used, and frames dropped."""
    chosen = settings.load()
    with ExitStack() as stack:
        port = stack.enter_context(brokers.running_broker(folder))
        source = stack.enter_context(camera(video))
        config = folder / f"cameras-{cameras}.yaml"
        url = f"http://127.0.0.1:{source}/camera.ts"
        names = [f"camera-{number}" for number in range(cameras)]
        config.write_text("cameras:\n" + "".join(f"  {one}: {{url: '{url}'}}\n" for one in names))
        metrics_port = free_port()
        environment = {
            "config": str(config), "data_dir": str(folder / "data"), "mqtt_port": str(port),
            "metrics_port": str(metrics_port), "instance": f"bench-{cameras}",
            "cameras": ",".join(names),
        }  # fmt: skip
        if chosen.model:
            environment["model"] = str(chosen.model)
        command = [sys.executable, "-m", "detector"]
        if cores is not None:
            command = ["taskset", "-c", ",".join(map(str, range(cores))), *command]
        child = stack.enter_context(running(*command, **environment))
        listener = Listener()
        bus = MqttBus(Settings(mqtt_port=port), client_id="bench")
        bus.subscribe(DETECTIONS, listener.hear_frame)
        bus.subscribe(INCIDENTS, listener.hear_incident)
        bus.start()
        time.sleep(WARM_UP_S)
        used, dropped = cpu_during(child, listener), dropped_of(metrics_port)
        bus.close()
    return listener, used, dropped


def cpu_during(child: Child, listener: Listener) -> float:
    """Cores used while the listener hears `MEASURED_S`; what came before is forgotten."""
    listener.frames.clear()
    before, started = child.cpu_s(), time.monotonic()
    time.sleep(MEASURED_S)
    return (child.cpu_s() - before) / (time.monotonic() - started)


def dropped_of(metrics_port: int) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("hazardcast_frames_dropped_total{"))  # fmt: skip


def run() -> list[Figure]:
    model = os.environ.get(PREFIX + "MODEL")
    label = Path(model).stem if model else "roadside"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = make_video(folder)
        one, cores, _ = measure(folder, video, cameras=1, cores=None)
        four, four_cores, dropped = measure(folder, video, cameras=CAMERAS, cores=CORES)
    return [*_of_one(label, one, cores), _of_four(label, four, four_cores, dropped)]


def _of_one(label: str, heard: Listener, cores: float) -> list[Figure]:
    ages_ms = [1000 * age for _, age in heard.frames]
    told_ms = [1000 * age for age in heard.incidents]
    p95 = max(percentile(ages_ms, 95), *(told_ms and [percentile(told_ms, 95)]), 0.0)
    rate = len(heard.frames) / MEASURED_S
    return [
        Figure(f"one 720p camera at 8 fps, {label}", "cores", cores, None, f"≤ {MOST_CORES}", cores <= MOST_CORES and rate >= 7.5, {"frames_per_s": rate}),
        Figure(f"capture → incident published, p95, {label}", "ms", p95, None, f"≤ {MOST_LATENCY_MS:.0f} ms", p95 <= MOST_LATENCY_MS and bool(told_ms), {"incidents": len(told_ms), "incidents_p95": percentile(told_ms, 95) if told_ms else 0.0, "frames_p50": statistics.median(ages_ms)}),
    ]  # fmt: skip


def _of_four(label: str, heard: Listener, cores: float, dropped: float) -> Figure:
    """How much later the last third of the frames is told than the first."""
    ages_ms = [1000 * age for _, age in sorted(heard.frames)]
    third = max(1, len(ages_ms) // 3)
    rise = statistics.median(ages_ms[-third:]) - statistics.median(ages_ms[:third])
    detail = {
        "frames_per_s_per_camera": len(ages_ms) / MEASURED_S / CAMERAS, "dropped": dropped,
        "cores": cores, "p50_ms": statistics.median(ages_ms), "p95_ms": percentile(ages_ms, 95),
    }  # fmt: skip
    return Figure(f"{CAMERAS} cameras on {CORES} cores: rise of lag, {label}", "ms", rise, None, f"≤ {MOST_RISE_MS:.0f} ms", rise <= MOST_RISE_MS, detail)  # fmt: skip
