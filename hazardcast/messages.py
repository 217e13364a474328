"""The messages that travel between services, one frozen model each; all meaning is in the JSON.

Times are epoch seconds (UTC, float). Consumers ignore unknown fields. The models live in a module
for each family; this one gathers them.
"""

from __future__ import annotations

from hazardcast.alert_messages import Alert, Datagram, Heartbeat, Status
from hazardcast.clip_messages import (
    ClipRequest,
    ClipState,
    Gap,
    OtherClip,
    Window,
)
from hazardcast.detection_messages import DetectedObject, Detections, Evidence
from hazardcast.incident_message import KNOWN_TYPES, Incident
from hazardcast.message import MAX_MESSAGE_BYTES, Message
from hazardcast.receipt_message import Receipt, ReceptionCounters
from hazardcast.status_messages import CameraStatus, SelfTest, ServiceStatus

__all__ = [
    "KNOWN_TYPES",
    "MAX_MESSAGE_BYTES",
    "Alert",
    "CameraStatus",
    "ClipRequest",
    "ClipState",
    "Datagram",
    "DetectedObject",
    "Detections",
    "Evidence",
    "Gap",
    "Heartbeat",
    "Incident",
    "Message",
    "OtherClip",
    "Receipt",
    "ReceptionCounters",
    "SelfTest",
    "ServiceStatus",
    "Status",
    "Window",
]
