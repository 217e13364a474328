"""`python -m benchmarks [NAME …]`: runs the named benchmarks, or all."""

from __future__ import annotations

import importlib
import sys

from benchmarks.harness import Figure, report

NAMES = (
    "alert_path",
    "decision_path",
    "alert_crypto",
    "alert_ingest",
    "alert_ticks",
    "alert_memory",
    "vehicle_fleet",
    "loss_matrix",
    "detector_throughput",
    "detector_live",
    "detector_memory",
    "recorder_cpu",
    "live_pictures",
    "event_store",
    "clip_build",
    "retention_pass",
    "memory_at_rest",
    "containers",
)


def main() -> None:
    names = sys.argv[1:] or list(NAMES)
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        sys.exit(f"no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}")
    figures: list[Figure] = []
    for name in names:
        print(f"{name} …", flush=True)
        figures += importlib.import_module(f"benchmarks.{name}").run()
    report(figures)


if __name__ == "__main__":
    main()
