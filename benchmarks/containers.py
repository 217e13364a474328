"""The Compose product as it comes: time until healthy, sizes, load at rest, the alert path.

The same 1000 incidents go through the containers and, in the same minutes, through bare processes
of the same code. Grafana is left out where its image is not on this machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import alert_path, brokers
from benchmarks.harness import Child, Figure, percentile

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "hazardcast-bench"
IMAGES = ("vehicle-agent", "alerter", "recorder", "clipper", "console", "camera", "detector")
GRAFANA = "grafana/grafana:11.6.5"
HEALTHY_S = 30.0
REST_S = 30.0
SAMPLES = 8
MOST_MEMORY_MB = 1500.0
MOST_CORES = 1.0
MOST_RATIO = 2.0
UNITS = {"GiB": 2**30 / 1e6, "MiB": 2**20 / 1e6, "KiB": 2**10 / 1e6, "B": 1e-6}
MADE_OF = (
    ("requirements/", "packages"), ("pip ", "packages"), ("ffmpeg", "ffmpeg"), ("COPY ", "code"),
)  # fmt: skip


def run() -> list[Figure]:
    if problem := missing():
        print(f"skipped: {problem}")
        return []
    compose("build", "-q", timeout_s=900)
    figures = [size(name) for name in IMAGES]
    with started() as healthy_s:
        figures.append(Figure("containers healthy", "s", healthy_s, None, f"≤ {HEALTHY_S:g} s", healthy_s <= HEALTHY_S))  # fmt: skip
        time.sleep(REST_S)
        figures += at_rest()
        figures += alert_latency()
    return figures


def missing() -> str | None:
    """What keeps this benchmark from running; None: nothing."""
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=30)
        except (OSError, subprocess.SubprocessError):
            return f"`{' '.join(command)}` does not work here"
    return None


def docker(*arguments: str, timeout_s: float = 120) -> str:
    """Its standard output.

    Raises:
        subprocess.SubprocessError: it failed, or took too long.
    """
    ports = {f"HAZARDCAST_{name}_PORT": "0" for name in ("HTTP", "PROMETHEUS", "GRAFANA")}
    done = subprocess.run(
        ["docker", *arguments], cwd=ROOT, text=True, stdout=subprocess.PIPE, check=True,
        timeout=timeout_s, env={**os.environ, **ports},
    )  # fmt: skip
    return done.stdout


def compose(*arguments: str, timeout_s: float = 120) -> str:
    return docker("compose", "-p", PROJECT, *arguments, timeout_s=timeout_s)


@contextlib.contextmanager
def started() -> Iterator[float]:
    """The whole product with no past; yields how long it took until all was healthy."""
    with_grafana = docker("image", "ls", "-q", GRAFANA).strip() != ""
    compose("down", "-v", "--remove-orphans")
    began = time.monotonic()
    try:
        compose(
            "up", "-d", "--wait", "--wait-timeout", "240", "--no-build", "--pull", "never",
            *(() if with_grafana else ("--scale", "grafana=0")), timeout_s=300,
        )  # fmt: skip
        yield time.monotonic() - began
    finally:
        compose("down", "-v", "--remove-orphans")


def size(name: str) -> Figure:
    """An image, with what it is made of in MB; beside it the base image, which is not ours."""
    rows = docker("history", "--no-trunc", "--human=false", "--format", "{{.Size}}\t{{.CreatedBy}}", image(name))  # fmt: skip
    parts: dict[str, float] = {}
    for row in rows.splitlines():
        octets, _, made_by = row.partition("\t")
        kind = next((kind for mark, kind in MADE_OF if mark in made_by), "system")
        parts[kind] = parts.get(kind, 0.0) + float(octets) / 1e6
    parts = {kind: round(mb, 1) for kind, mb in parts.items() if mb >= 0.05}
    told = " + ".join(f"{kind} {mb:g}" for kind, mb in sorted(parts.items(), key=lambda one: -one[1]))  # fmt: skip
    print(f"  image {name}: {told} MB")
    total = round(sum(parts.values()), 1)
    return Figure(f"image {name}", "MB", total, None, "no aim", met=True, detail=parts)


def image(name: str) -> str:
    return f"hazardcast/{name}:{os.environ.get('HAZARDCAST_VERSION', '0.1.0')}"


def at_rest() -> list[Figure]:
    """Memory and processor time of all containers together, the mean of some samples."""
    memory: dict[str, float] = {}
    cores: dict[str, float] = {}
    containers = compose("ps", "-q").split()
    for _ in range(SAMPLES):
        rows = docker("stats", "--no-stream", "--format", "{{json .}}", *containers)
        for row in map(json.loads, rows.splitlines()):
            service = row["Name"].removeprefix(f"{PROJECT}-").rpartition("-")[0]
            memory[service] = memory.get(service, 0) + megabytes(row["MemUsage"]) / SAMPLES
            cores[service] = cores.get(service, 0) + float(row["CPUPerc"].rstrip("%")) / 100 / SAMPLES  # fmt: skip
    used_mb, used_cores = sum(memory.values()), sum(cores.values())
    return [
        Figure("containers memory at rest", "MB", used_mb, None, f"≤ {MOST_MEMORY_MB:g} MB", used_mb <= MOST_MEMORY_MB, memory),
        Figure("containers load at rest", "cores", used_cores, None, f"≤ {MOST_CORES:g}", used_cores <= MOST_CORES, cores),
    ]  # fmt: skip


def megabytes(usage: str) -> float:
    """`docker stats`' `61.5MiB / 512MiB`: the first of both, in MB."""
    used = usage.split("/", maxsplit=1)[0].strip()
    unit = next(unit for unit in UNITS if used.endswith(unit))
    return float(used.removesuffix(unit)) * UNITS[unit]


def alert_latency() -> list[Figure]:
    """Publish → `[RECV]` line, in containers and as bare processes."""
    with tempfile.TemporaryDirectory() as folder, brokers.running_broker(Path(folder)) as port:
        bare = alert_path.measure_ours(port, Path(folder))
    inside = in_containers()
    p50, p99 = percentile(inside, 50), percentile(inside, 99)
    bare_p50, bare_p99 = percentile(bare, 50), percentile(bare, 99)
    detail = {"max_ms": max(inside), "missing": float(sum(value >= 9_000 for value in inside))}
    return [
        Figure("containers alert p50", "ms", p50, bare_p50, f"≤ {MOST_RATIO:g} ×", p50 <= MOST_RATIO * bare_p50, detail),
        Figure("containers alert p99", "ms", p99, bare_p99, f"≤ {MOST_RATIO:g} ×", p99 <= MOST_RATIO * bare_p99, detail),
    ]  # fmt: skip


def in_containers() -> list[float]:
    """The line counts when the engine hands it out, so its log driver's time is included."""
    broker = json.loads(docker("inspect", compose("ps", "-q", "mosquitto").strip()))[0]
    address = broker["NetworkSettings"]["Networks"][f"{PROJECT}_default"]["IPAddress"]
    secret = "/run/hazardcast/hazardcast_mqtt_password"
    password = compose("run", "--rm", "-T", "--entrypoint", "cat", "cli", secret).strip()
    vehicle = Child("docker", "logs", "-f", "--tail", "0", compose("ps", "-q", "vehicle-agent").strip())  # fmt: skip
    try:
        time.sleep(1.0)
        client = alert_path.publisher(1883, host=address, login=("operator", password))
        return alert_path.latencies_ms(vehicle, alert_path.drive(client))
    finally:
        vehicle.stop()
