"""1000 incidents a second for 30 s, each of them news: all taken, all on air, no queue growing.

The peer is the bare relay under the same load.
"""

from __future__ import annotations

import time

from benchmarks.harness import Figure, percentile
from benchmarks.station import GROUP, Helper, Station, on_air

RATE_PER_S = 1000
SECONDS = 30
EVENTS = 200
"""Held at once: one source may hold so many while less than half of the register is taken."""
TAKEN = 'hazardcast_alerts_ingested_total{result="%s"}'


def _taken(shown: dict[str, float]) -> float:
    return sum(shown[TAKEN % result] for result in ("new", "update", "cancel", "unchanged"))


def _settle(station: Station, reported: float, within_s: float = 60.0) -> float:
    """Wait until everything reported was taken; how long that took, in seconds."""
    started = time.monotonic()
    while time.monotonic() - started < within_s and _taken(station.metrics()) < reported:
        time.sleep(0.1)
    return time.monotonic() - started


def run() -> list[Figure]:
    with on_air() as station:
        ear = Helper("listener", GROUP, station.udp_port)
        reporter = Helper("reporter", station.mqtt_port, RATE_PER_S, SECONDS, EVENTS)
        behind, rss = [], []
        started = time.monotonic()
        while time.monotonic() - started < SECONDS:
            time.sleep(1.0)
            elapsed_s = time.monotonic() - started
            behind.append(elapsed_s * RATE_PER_S - _taken(station.metrics()))
            rss.append(station.alerter.rss_mb())
        drained_s = _settle(station, RATE_PER_S * SECONDS)
        found = reporter.findings()
        cpu_s = station.alerter.cpu_s()
        time.sleep(1.0)
        shown, heard = station.metrics(), ear.findings()
    taken = _taken(shown)
    lost = found["reported"] - min(taken, heard["versions"])
    detail = {
        **found,
        **heard,
        "taken": taken,
        "news": shown[TAKEN % "new"] + shown[TAKEN % "update"],
        "refused": sum(v for k, v in shown.items() if "alerts_rejected_total{" in k),
        "outbox_dropped": sum(v for k, v in shown.items() if "outbox_dropped_total{" in k),
        "second_path_skipped": shown["hazardcast_second_path_skipped_total"],
        "sent": shown['hazardcast_datagrams_sent_total{kind="alert"}'],
        "drained_s": drained_s,
        "behind_max": max(behind),
        "behind_p50": percentile(behind, 50),
        "rss_first_mb": rss[0],
        "rss_last_mb": rss[-1],
        "cpu_s": cpu_s,
    }
    met = lost == 0 and drained_s < 2.0
    return [Figure("incidents lost at 1000/s", "of 30000", lost, None, "0", met, detail)]


if __name__ == "__main__":
    for figure in run():
        print(figure)
