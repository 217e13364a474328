"""How late the copies of 200 alerts in force leave, beside a bare timer that only sends.

Planned → sent on one monotonic clock, as the alerter's own histogram has it; a percentile is the
upper edge of its bucket, so at most better than told.
"""

from __future__ import annotations

import socket
import time

from benchmarks.harness import Figure, percentile
from benchmarks.reporter import incident, publisher
from benchmarks.station import Station, on_air

ALERTS = 200
SECONDS = 30.0
PERIOD_S = 0.5
AIM_S = 0.005
BUCKET = 'hazardcast_tick_lateness_seconds_bucket{le="'


def _buckets(shown: dict[str, float]) -> dict[float, float]:
    return {
        float(name.removeprefix(BUCKET).rstrip('"}')): value
        for name, value in shown.items()
        if name.startswith(BUCKET)
    }


def _upper_bound_s(before: dict[float, float], after: dict[float, float], percent: float) -> float:
    """The upper edge of the bucket that the percentile falls into: at least the true value."""
    grown = {edge: after[edge] - before[edge] for edge in after}
    rank = grown[float("inf")] * percent / 100
    return min(edge for edge, count in grown.items() if count >= rank)


def _fill(station: Station) -> None:
    client = publisher(station.mqtt_port)
    for index in range(ALERTS):
        client.publish("v2x/alert", incident(index, ALERTS), qos=1)
        time.sleep(0.01)
    time.sleep(2.0)
    client.disconnect()
    client.loop_stop()


def _bare_ms() -> list[float]:
    """A loop that sleeps until each of 200 half-second timers is due, and sends 1100 bytes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        started, late = time.monotonic(), []
        for number in range(int(ALERTS / PERIOD_S * SECONDS / 3)):
            due = started + number * PERIOD_S / ALERTS
            time.sleep(max(0.0, due - time.monotonic()))
            sender.sendto(bytes(1100), ("127.0.0.1", 9))
            late.append((time.monotonic() - due) * 1000)
    return late


def run() -> list[Figure]:
    bare_ms = percentile(_bare_ms(), 99)
    with on_air() as station:
        _fill(station)
        shown = station.metrics()
        before, cpu_s = _buckets(shown), station.alerter.cpu_s()
        time.sleep(SECONDS)
        cpu = (station.alerter.cpu_s() - cpu_s) / SECONDS
        after = _buckets(station.metrics())
    p50, p99 = (_upper_bound_s(before, after, percent) for percent in (50, 99))
    sent = after[float("inf")] - before[float("inf")]
    within = (after[AIM_S] - before[AIM_S]) / sent
    detail = {"p50_ms_at_most": p50 * 1000, "ticks": sent, "within_5_ms": within, "cores": cpu}
    met = p99 <= AIM_S and sent >= 0.99 * ALERTS * SECONDS / PERIOD_S
    name = f"tick lateness p99, {ALERTS} alerts (at most)"
    return [Figure(name, "ms", p99 * 1000, bare_ms, "≤ 5 ms", met, detail)]


if __name__ == "__main__":
    for figure in run():
        print(figure)
