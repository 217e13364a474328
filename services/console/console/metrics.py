"""What the console measures."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

ROWS = Counter("hazardcast_store_jobs_total", "What was written to the database", ["kind"])
DROPPED = Counter(
    "hazardcast_store_dropped_total",
    "What was never written: the queue was full (`full`), or the database refused it (`refused`)",
    ["kind", "reason"],
)
WAITING = Gauge("hazardcast_store_waiting", "What waits to be written")
AVAILABLE = Gauge("hazardcast_store_available", "1 while the database takes what is written")
COMMIT = Histogram(
    "hazardcast_store_commit_seconds",
    "Time of a transaction of the writer",
    buckets=(0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
)
