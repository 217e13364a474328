"""What the recorder measures."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

BYTES = Counter("hazardcast_recording_bytes_total", "Bytes in closed segments", ["camera"])
SEGMENTS = Counter("hazardcast_recording_segments_total", "Closed segments", ["camera"])
DISCARDED = Counter(
    "hazardcast_recording_discarded_total", "Files that held no usable video", ["camera", "reason"]
)
GAPS = Counter(
    "hazardcast_recording_gaps_total",
    "Stretches without video, by why recording had ended",
    ["camera", "reason"],
)
GAP_SECONDS = Counter(
    "hazardcast_recording_gap_seconds_total", "Time without video", ["camera", "reason"]
)
RECONNECTS = Counter(
    "hazardcast_recording_reconnects_total", "Connections after the first", ["camera", "reason"]
)
LAST_FRAME = Gauge(
    "hazardcast_recording_last_frame_timestamp_seconds",
    "Wall clock of the newest recorded frame",
    ["camera"],
)
CLOCK_ERROR = Gauge(
    "hazardcast_recording_clock_error_seconds",
    "Estimated error of stream time against this machine's clock",
    ["camera"],
)
LIVE = Gauge("hazardcast_recording_live", "1 while frames arrive", ["camera"])
RETAINED_BYTES = Gauge(
    "hazardcast_recording_retained_bytes", "Bytes of closed segments on disk", ["camera"]
)
REMOVED = Counter(
    "hazardcast_recording_removed_total",
    "Segments removed, by age, bytes or free_space",
    ["camera", "reason"],
)
FREE_BYTES = Gauge(
    "hazardcast_recording_free_bytes", "Bytes free on the volume that holds the recordings"
)


def declare(camera: str) -> None:
    """Show this camera's series from the start, as zero."""
    for counter in (BYTES, SEGMENTS):
        counter.labels(camera=camera)
    LIVE.labels(camera=camera).set(0)
