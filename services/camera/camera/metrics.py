"""What the camera service measures."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

FRAMES_DRAWN = Counter("hazardcast_camera_frames_drawn_total", "Frames drawn", ["camera"])
FRAMES_SENT = Counter(
    "hazardcast_camera_frames_sent_total", "Encoded frames handed to the clients", ["camera"]
)
FRAMES_LATE = Counter(
    "hazardcast_camera_frames_late_total",
    "Frames skipped because their moment had passed",
    ["camera"],
)
DRAWING_SECONDS = Histogram(
    "hazardcast_camera_drawing_seconds",
    "Time to draw one frame",
    ["camera"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1),
)
RESTARTS = Counter(
    "hazardcast_camera_restarts_total", "Streams begun after the first", ["camera", "reason"]
)
STREAM_BYTES = Counter("hazardcast_camera_stream_bytes_total", "Bytes of the stream", ["camera"])
CLIENTS = Gauge("hazardcast_camera_clients", "Clients connected now", ["camera"])
CLIENTS_GONE = Counter(
    "hazardcast_camera_clients_gone_total",
    "Clients that left, were too slow, or whose stream ended",
    ["camera", "reason"],
)
LAST_FRAME = Gauge(
    "hazardcast_camera_last_frame_timestamp_seconds", "When the last frame was sent", ["camera"]
)
QUEUE_FILES = Gauge(
    "hazardcast_camera_queue_files", "Files of a folder that wait for their turn", ["camera"]
)
QUEUE_DONE = Counter(
    "hazardcast_camera_queue_done_total",
    "Files of a folder that were played, or refused",
    ["camera", "reason"],
)
PUBLISHERS = Gauge("hazardcast_camera_publishers", "1 while a client pushes", ["camera"])
PUSH_DROPPED = Counter(
    "hazardcast_camera_push_dropped_total",
    "Pushed pictures that gave way: newer ones came, or more than 30 a second",
    ["camera", "reason"],
)
PUSH_REFUSED = Counter(
    "hazardcast_camera_push_refused_total",
    "Pushed pictures that cannot be used",
    ["camera", "reason"],
)
PUSH_TURNED_AWAY = Counter(
    "hazardcast_camera_push_turned_away_total",
    "Clients that were turned away, or let go",
    ["reason"],
)
