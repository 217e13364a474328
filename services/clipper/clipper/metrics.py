"""What the clipper measures."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from hazardcast.contract.vocabulary import ClipStage

CLIPS = Counter("hazardcast_clips_total", "Clips finished, by how", ["result"])
COVERAGE = Histogram(
    "hazardcast_clip_coverage_ratio",
    "Share of the requested window for which a finished clip has video",
    buckets=(0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0),
)
BUILD_S = Histogram(
    "hazardcast_clip_build_seconds",
    "From the last segment needed to the clip with its manifest",
    ["method"],
    buckets=(0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0),
)
PENDING = Gauge("hazardcast_clips_pending", "Jobs whose clip is not there yet")
SEGMENTS_KEPT = Counter(
    "hazardcast_clip_segments_kept_total", "Segments kept for clips", ["camera"]
)
BUILD_FAILURES = Counter(
    "hazardcast_clip_build_failures_total", "Builds that failed and were or will be tried again"
)

CLIPS_REMOVED = Counter("hazardcast_clips_removed_total", "Clips removed by retention")

for _result in (stage for stage in ClipStage if stage.is_final):
    CLIPS.labels(result=_result)
