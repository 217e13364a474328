"""An alert as a message of the Common Alerting Protocol 1.2 (OASIS, July 2010). Pure.

Each version is a CAP message of its own: `Alert`, then `Update` and `Cancel` with `references`
to the messages before. An end by validity needs no message: `expires` says it from the start.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from hazardcast.contract.incident_types import IncidentType, Severity
from hazardcast.contract.messages import Alert

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SEVERITIES = {
    Severity.LOW: "Minor",
    Severity.MEDIUM: "Moderate",
    Severity.HIGH: "Severe",
    Severity.CRITICAL: "Extreme",
}
CATEGORIES = {IncidentType.FIRE: ("Transport", "Fire")}
CERTAINTIES = ((6, "Observed"), (4, "Likely"), (1, "Possible"))
"""informationQuality from which the event is that certain; 0 says nothing."""
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold (§2.2, Char), not even escaped: no parser takes the rest."""
MESSAGE_TYPES = {"new": "Alert", "update": "Update", "cancel": "Cancel", "negate": "Cancel"}


@dataclass(frozen=True)
class Reference:
    """An earlier message, as `references` names it."""

    sender: str
    identifier: str
    sent: str

    def __str__(self) -> str:
        return f"{self.sender},{self.identifier},{self.sent}"


def reference(alert: Alert) -> Reference:
    """How later messages refer to the one that told this version."""
    station = alert.event_id.partition("-")[0]
    return Reference(
        f"hazardcast-{station}", f"{alert.event_id}.{alert.revision}", _time(alert.reference_time)
    )


def message(alert: Alert, earlier: Sequence[Reference] = ()) -> bytes:
    """The CAP message that tells this version, as UTF-8 XML.

    A version whose predecessors are unknown (`earlier` is empty) is an `Alert`, for an `Update`
    must name what it updates; a cancel then names the message of the version before it.
    """
    own = reference(alert)
    kind = MESSAGE_TYPES[alert.status]
    if kind == "Update" and not earlier:
        kind = "Alert"
    root = ET.Element("alert", xmlns=NAMESPACE)
    _add(root, "identifier", own.identifier)
    _add(root, "sender", own.sender)
    _add(root, "sent", own.sent)
    _add(root, "status", "Exercise" if alert.test else "Actual")
    _add(root, "msgType", kind)
    _add(root, "scope", "Public")
    if alert.status == "negate":
        _add(root, "note", "What was reported did not happen.")
    if kind != "Alert":
        named = earlier or (_before(own, alert),)
        _add(root, "references", " ".join(str(one) for one in named))
    _add(root, "incidents", alert.event_id)
    _info(root, alert)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _before(own: Reference, alert: Alert) -> Reference:
    identifier = f"{alert.event_id}.{max(0, alert.revision - 1)}"
    return Reference(own.sender, identifier, _time(alert.detection_time))


def _info(root: ET.Element, alert: Alert) -> None:
    info = ET.SubElement(root, "info")
    _add(info, "language", "en-US")
    for category in CATEGORIES.get(alert.type, ("Transport",)):
        _add(info, "category", category)
    _add(info, "event", alert.type.value)
    _add(info, "responseType", "AllClear" if alert.terminated else "Avoid")
    _add(info, "urgency", "Past" if alert.terminated else "Immediate")
    _add(info, "severity", SEVERITIES[alert.severity])
    _add(info, "certainty", _certainty(alert))
    _pair(info, "eventCode", "DENM", f"{alert.cause_code}/{alert.sub_cause_code}")
    _add(info, "effective", _time(alert.reference_time))
    _add(info, "onset", _time(alert.detection_time))
    _add(info, "expires", _time(alert.valid_until))
    _add(info, "headline", _headline(alert))
    for name, value in _parameters(alert):
        _pair(info, "parameter", name, value)
    area = ET.SubElement(info, "area")
    _add(area, "areaDesc", alert.road or f"{alert.lat:.5f}, {alert.lon:.5f}")
    radius_km = alert.awareness_distance_m / 1000
    _add(area, "circle", f"{alert.lat:.7f},{alert.lon:.7f} {radius_km:g}")


def _certainty(alert: Alert) -> str:
    quality = alert.information_quality
    return next((word for least, word in CERTAINTIES if quality >= least), "Unknown")


def _headline(alert: Alert) -> str:
    what = alert.reported_type or alert.type.value
    ended = " is over" if alert.terminated else ""
    return f"{what}{f' on {alert.road}' if alert.road else ''}{ended}"


def _parameters(alert: Alert) -> list[tuple[str, str]]:
    """What CAP has no word for, under our own names."""
    named = ("event_id", "revision", "camera", "distance_m", "information_quality", "clip_hint")
    values = {name: getattr(alert, name) for name in named}
    return [(f"hazardcast:{k}", str(v)) for k, v in values.items() if v is not None]


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _pair(parent: ET.Element, name: str, value_name: str, value: str) -> None:
    pair = ET.SubElement(parent, name)
    _add(pair, "valueName", value_name)
    _add(pair, "value", value)


def _time(epoch_s: float) -> str:
    """Whole seconds with an offset, as CAP wants it: `-00:00` for UTC, never `Z`."""
    moment = datetime.fromtimestamp(math.floor(epoch_s), UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S-00:00")
