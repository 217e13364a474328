"""What the detector measures."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from hazardcast.service.metrics import LATENCY_BUCKETS_S

FRAMES_CAPTURED = Counter(
    "hazardcast_frames_captured_total", "Frames that a camera delivered", ["camera"]
)
FRAMES_PROCESSED = Counter("hazardcast_frames_processed_total", "Frames analysed", ["camera"])
FRAMES_DROPPED = Counter(
    "hazardcast_frames_dropped_total",
    "Frames that were due for analysis but overtaken by a newer one",
    ["camera"],
)
INFERENCE_SECONDS = Histogram(
    "hazardcast_inference_seconds",
    "Time the model takes for a frame",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5),
)
FRAME_LATENCY_SECONDS = Histogram(
    "hazardcast_frame_latency_seconds",
    "Capture of a frame → its detections published",
    buckets=LATENCY_BUCKETS_S,
)
INCIDENTS = Counter("hazardcast_incidents_total", "Incidents reported", ["kind"])
INCIDENTS_ACTIVE = Gauge("hazardcast_incidents_active", "Incidents that are open", ["camera"])
FRAME_LAG_SECONDS = Gauge(
    "hazardcast_frame_lag_seconds", "Age of the frame analysed last", ["camera"]
)
CAMERAS_OWNED = Gauge("hazardcast_cameras_owned", "Cameras that this replica analyses")
