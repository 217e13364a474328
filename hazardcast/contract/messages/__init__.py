"""The messages that travel between services, one frozen model each; all meaning is in the JSON.

Times are epoch seconds (UTC, float). Consumers ignore unknown fields. The models live in a module
for each family; this one gathers them.
"""

from __future__ import annotations

from hazardcast.contract.messages.alert import Alert, Datagram, Heartbeat, Status
from hazardcast.contract.messages.base import MAX_MESSAGE_BYTES, Message
from hazardcast.contract.messages.clip import ClipRequest, ClipState, Gap, OtherClip, Window
from hazardcast.contract.messages.decision import Decided, Decision, Pending, Verdict
from hazardcast.contract.messages.detail import (
    AlerterDetail,
    ClipperDetail,
    ConsoleDetail,
    DetectorDetail,
    StatusDetail,
    VehicleDetail,
)
from hazardcast.contract.messages.detection import DetectedObject, Detections, Evidence
from hazardcast.contract.messages.event import RealtimeEvent
from hazardcast.contract.messages.incident import KNOWN_TYPES, Incident
from hazardcast.contract.messages.journal import JournalEntry, ReplayRequest
from hazardcast.contract.messages.receipt import Receipt, ReceptionCounters
from hazardcast.contract.messages.status import CameraStatus, SelfTest, ServiceStatus

__all__ = [
    "KNOWN_TYPES",
    "MAX_MESSAGE_BYTES",
    "Alert",
    "AlerterDetail",
    "CameraStatus",
    "ClipRequest",
    "ClipState",
    "ClipperDetail",
    "ConsoleDetail",
    "Datagram",
    "Decided",
    "Decision",
    "DetectedObject",
    "Detections",
    "DetectorDetail",
    "Evidence",
    "Gap",
    "Heartbeat",
    "Incident",
    "JournalEntry",
    "Message",
    "OtherClip",
    "Pending",
    "RealtimeEvent",
    "Receipt",
    "ReceptionCounters",
    "ReplayRequest",
    "SelfTest",
    "ServiceStatus",
    "Status",
    "StatusDetail",
    "VehicleDetail",
    "Verdict",
    "Window",
]
