"""What leaves the outbox when it is full: never simply the newest. Pure.

The order: a state that a newer one outdates; what is worth least late (a datagram's copy, a
status, a receipt, evidence, a clip's state); then alerts in force, requests for clips and, last of
all, incidents. Of incidents and requests a source gives up what it has beyond its tenth first, then
what is over or merely changes, then the slight, each time the oldest.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hazardcast.contract import topics
from hazardcast.contract.incident_types import Severity

WORTH: tuple[topics.Topic[Any], ...] = (
    topics.SELF_TEST, topics.BROADCAST, topics.JOURNAL, topics.STATUS, topics.RECEIPTS,
    topics.EVIDENCE, topics.CLIPS, topics.PENDING, topics.ACTIVE,
    topics.CLIP_REQUESTS, topics.INCIDENTS,
)  # fmt: skip
"""Topics, those worth least late first; what is not listed ranks with a status."""
_UNLISTED = WORTH.index(topics.STATUS)
_WEIGHED = frozenset({WORTH.index(topics.CLIP_REQUESTS), WORTH.index(topics.INCIDENTS)})
_SEVERITIES = tuple(severity.value for severity in Severity)


@dataclass(frozen=True)
class Waiting:
    """A message that waits for the broker."""

    path: str
    payload: bytes
    retain: bool = False


@dataclass(frozen=True, order=True)
class _Weight:
    """What gives way first is least."""

    current: bool
    rank: int
    within_tenth: bool
    opens: bool
    severity: int


def least(waiting: Mapping[int, Waiting], count: int) -> list[int]:
    """The keys of the `count` messages that give way.

    Args:
        waiting: oldest first.
        count: how many must go.
    """
    newest = {message.path: key for key, message in waiting.items() if message.retain}
    ranks = {key: _rank(message.path) for key, message in waiting.items()}
    fields = {key: _fields(waiting[key]) for key in waiting if ranks[key] in _WEIGHED}
    beyond = _beyond_tenth(fields)

    def weight(key: int) -> _Weight:
        message, about = waiting[key], fields.get(key, {})
        return _Weight(
            current=not message.retain or newest[message.path] == key,
            rank=ranks[key],
            within_tenth=key not in beyond,
            opens=about.get("status", "new") == "new",
            severity=_severity(about),
        )

    return sorted(waiting, key=weight)[:count]


def kind(path: str) -> str:
    """The topic's filter, for the metric's label."""
    return next((topic.filter for topic in topics.ALL if topic.match(path) is not None), "other")


def _rank(path: str) -> int:
    for rank, topic in enumerate(WORTH):
        if topic.match(path) is not None:
            return rank
    return _UNLISTED


def _fields(message: Waiting) -> dict[str, Any]:
    """What an incident or a request says; nothing where it is no JSON object."""
    try:
        found = json.loads(message.payload)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _beyond_tenth(fields: Mapping[int, dict[str, Any]]) -> Collection[int]:
    """Those of a camera that has more than a tenth of all."""
    cameras = {key: about.get("camera") for key, about in fields.items()}
    shares = Counter(str(camera) for camera in cameras.values() if camera)
    most = max(1, len(fields) // 10)
    return {key for key, camera in cameras.items() if camera and shares[str(camera)] > most}


def _severity(about: Mapping[str, Any]) -> int:
    """Of an incident, or of the alert behind a request; as grave as incidents count by default."""
    alert = about.get("alert")
    said = alert.get("severity") if isinstance(alert, dict) else about.get("severity", "high")
    return _SEVERITIES.index(said) if said in _SEVERITIES else 0
