"""Memory of alerter and vehicle-agent while 50 versions a second are made, told and shown.

`python -m benchmarks.alert_memory --minutes 10` runs it in full; `make bench` for two minutes.
"""

from __future__ import annotations

import argparse
import statistics
import time

from benchmarks.harness import Child, Figure, service
from benchmarks.station import Helper, on_air

RATE_PER_S = 50
EVENTS = 200
MINUTES = 2.0
WARM_UP_SHARE = 0.3
"""Caches, windows and journals fill first."""
SAMPLE_S = 2.0
AIM_MB_PER_HOUR = 12.0


def _slope_mb_per_hour(samples: list[tuple[float, float]]) -> float:
    """Theil-Sen: the median of the slopes between all pairs, which no spike moves."""
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for index, earlier in enumerate(samples)
        for later in samples[index + 1 :]
    ]
    return statistics.median(slopes) * 3600


def _figure(name: str, samples: list[tuple[float, float]], told: dict[str, float]) -> Figure:
    settled = samples[int(len(samples) * WARM_UP_SHARE) :]
    slope = _slope_mb_per_hour(settled)
    detail = {
        **told,
        "first_mb": samples[0][1],
        "settled_mb": settled[0][1],
        "last_mb": samples[-1][1],
        "max_mb": max(mb for _, mb in samples),
    }
    met = slope <= AIM_MB_PER_HOUR
    return Figure(f"memory growth of {name}", "MB/h", slope, None, f"≤ {AIM_MB_PER_HOUR:.0f} MB/h", met, detail)  # fmt: skip


def run(minutes: float = MINUTES) -> list[Figure]:
    samples: dict[str, list[tuple[float, float]]] = {"alerter": [], "vehicle-agent": []}
    with on_air() as station, service("vehicle_agent", **station.environment) as vehicle:
        time.sleep(3.0)
        children: dict[str, Child] = {"alerter": station.alerter, "vehicle-agent": vehicle}
        reporter = Helper("reporter", station.mqtt_port, RATE_PER_S, minutes * 60, EVENTS)
        started = time.monotonic()
        while (elapsed_s := time.monotonic() - started) < minutes * 60:
            for name, child in children.items():
                samples[name].append((elapsed_s, child.rss_mb()))
            vehicle.lines.clear()
            time.sleep(SAMPLE_S)
        told = reporter.findings()
        shown = station.metrics()
    told["taken"] = sum(
        v for k, v in shown.items() if k.startswith("hazardcast_alerts_ingested_total{")
    )
    return [_figure(name, curve, told) for name, curve in samples.items()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    for figure in run(parser.parse_args().minutes):
        print(figure)
