"""Resident memory of each service at rest: running, connected, one quiet camera."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks import brokers
from benchmarks.harness import Figure, free_port, service
from hazardcast.contract.service_names import EVERY_SERVICE

SETTLE_S = 20.0
LIMIT_MB = 120.0
LIMITS_MB = {"detector": 350.0}


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        port = stack.enter_context(brokers.running_broker(folder))
        camera_port = free_port()
        config = folder / "cameras.yaml"
        config.write_text("cameras:\n  north: {url: 'demo://normal'}\n")
        environment = {
            "config": str(config),
            "data_dir": str(folder / "data"),
            "mqtt_port": str(port),
            "camera_port": str(camera_port),
            "camera_server": f"http://127.0.0.1:{camera_port}",
            "multicast_interface": "127.0.0.1",
            "http_port": str(free_port()),
            "console_port": str(free_port()),
        }
        children = {}
        for module in (name.replace("-", "_") for name in EVERY_SERVICE):
            children[module] = stack.enter_context(service(module, **environment))
            time.sleep(2.0)  # the alerter makes the keys that the vehicle reads
        time.sleep(SETTLE_S)
        rss = {module: child.rss_mb() for module, child in children.items()}
    return [_figure(module, used_mb) for module, used_mb in rss.items()]


def _figure(module: str, used_mb: float) -> Figure:
    limit_mb = LIMITS_MB.get(module, LIMIT_MB)
    name = f"memory of {module.replace('_', '-')} at rest"
    return Figure(name, "MB", used_mb, None, f"≤ {limit_mb:.0f} MB", used_mb <= limit_mb)
