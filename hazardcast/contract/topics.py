"""The table of MQTT topics: who says what to whom, how surely, and whether it stays."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from hazardcast.contract.messages import (
    Alert,
    ClipRequest,
    ClipState,
    Decided,
    Decision,
    Detections,
    Evidence,
    Incident,
    JournalEntry,
    Message,
    Pending,
    RealtimeEvent,
    Receipt,
    ReplayRequest,
    SelfTest,
    ServiceStatus,
    Verdict,
)
from hazardcast.contract.report_warnings import ReportWarnings

M = TypeVar("M", bound=Message)
QoS = Literal[0, 1]
_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Topic(Generic[M]):
    """One row of the table: a topic template and what is said there.

    `message` None means that the payload is opaque text, passed on byte for byte.
    """

    template: str
    message: type[M] | None
    qos: QoS
    retain: bool
    senders: str
    receivers: str
    purpose: str
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pattern = _PARAMETER.sub(r"(?P<\1>[^/+#]+)", self.template)
        object.__setattr__(self, "_pattern", re.compile(pattern))

    @property
    def filter(self) -> str:
        """The MQTT topic filter that matches every topic of this row."""
        return _PARAMETER.sub("+", self.template)

    def path(self, **parameters: str) -> str:
        """The concrete topic; KeyError when a parameter is missing."""
        return _PARAMETER.sub(lambda match: parameters[match[1]], self.template)

    def match(self, path: str) -> dict[str, str] | None:
        """The parameters in `path`, or None when it is not a topic of this row."""
        match = self._pattern.fullmatch(path)
        return match.groupdict() if match else None


DETECTIONS = Topic(
    "v2x/detections/{camera}", Detections, 0, False,
    "detector", "anyone", "what was seen in one frame",
)  # fmt: skip
INCIDENTS = Topic(
    "v2x/alert", Incident, 1, False,
    "detector, people, other systems", "alerter", "an incident, new or changed",
)  # fmt: skip
WARNINGS = Topic(
    "v2x/warnings", ReportWarnings, 1, False,
    "alerter", "anyone", "what of a report could not be used, or why it was refused",
)  # fmt: skip
EVIDENCE = Topic(
    "v2x/evidence/{event_id}", Evidence, 1, True,
    "detector", "anyone", "the picture that decided, with the reasons drawn in; cleared at the end",
)  # fmt: skip
CLIP_REQUESTS = Topic(
    "v2x/clip-request", ClipRequest, 1, False,
    "alerter, people", "clipper", "keep the video around a moment",
)  # fmt: skip
ACTIVE = Topic(
    "v2x/active/{event_id}", Alert, 1, True,
    "alerter", "anyone", "an alert as broadcast, cleared at its end",
)  # fmt: skip
BROADCAST: Topic[Message] = Topic(
    "v2x/broadcast", None, 1, False,
    "alerter", "vehicles without multicast", "each datagram's exact text: the second path",
)  # fmt: skip
RECEIPTS = Topic(
    "v2x/receipts/{vehicle}", Receipt, 1, False,
    "vehicle-agent", "alerter", "proof of reception with times and counters",
)  # fmt: skip
CLIPS = Topic(
    "v2x/clips/{event_id}", ClipState, 1, True,
    "clipper", "anyone", "how far a clip is, and where it lies",
)  # fmt: skip
DENM: Topic[Message] = Topic(
    "vanetza/in/denm", None, 0, False,
    "alerter, when asked to", "Vanetza-NAP", "an alert as DENM in Vanetza-NAP's JSON",
)  # fmt: skip
STATUS = Topic(
    "v2x/status/{service}/{instance}", ServiceStatus, 1, True,
    "every service", "anyone", "online, offline (last will) or stopped; cameras and freshness",
)  # fmt: skip
SELF_TEST = Topic(
    "v2x/self-test/{instance}", SelfTest, 1, False,
    "alerter", "itself", "a nonce that shows the way through the broker",
)  # fmt: skip
PENDING = Topic(
    "v2x/pending/{event_id}", Pending, 1, True,
    "alerter", "operators", "an incident that waits for a person, cleared when decided",
)  # fmt: skip
DECISIONS = Topic(
    "v2x/decision/{event_id}", Decision, 1, False,
    "console", "alerter", "what an operator wants done with an alert, or with what waits",
)  # fmt: skip
DECIDED = Topic(
    "v2x/decided/{event_id}", Decided, 1, False,
    "alerter", "console", "what became of a decision, or who was first",
)  # fmt: skip
VERDICTS = Topic(
    "v2x/verdict/{event_id}", Verdict, 1, False,
    "console", "detector, alerter", "whether what was reported was so, by an operator's word",
)  # fmt: skip
JOURNAL = Topic(
    "v2x/journal/{station}", JournalEntry, 1, False,
    "alerter", "stores", "each version and decision as it is kept, and again when asked",
)  # fmt: skip
REPLAY_REQUESTS = Topic(
    "v2x/replay-request", ReplayRequest, 1, False,
    "console, other stores", "alerter", "say these entries of the journal again",
)  # fmt: skip
OBSERVATIONS = Topic(
    "v2x/observation/{camera}", RealtimeEvent, 1, False,
    "analyst, console", "stores", "what somebody who looked at a camera has to say",
)  # fmt: skip

ALL: tuple[Topic[Incident] | Topic[Detections] | Topic[Evidence] | Topic[ClipRequest] | Topic[Alert]
           | Topic[ReportWarnings] | Topic[Message] | Topic[Receipt] | Topic[ClipState]
           | Topic[ServiceStatus] | Topic[SelfTest] | Topic[Pending] | Topic[Decision]
           | Topic[Decided] | Topic[Verdict] | Topic[JournalEntry] | Topic[ReplayRequest]
           | Topic[RealtimeEvent], ...] = (
    DETECTIONS, INCIDENTS, WARNINGS, EVIDENCE, CLIP_REQUESTS, ACTIVE, BROADCAST, RECEIPTS, CLIPS,
    DENM, STATUS, SELF_TEST, PENDING, DECISIONS, DECIDED, VERDICTS, JOURNAL, REPLAY_REQUESTS,
    OBSERVATIONS,
)  # fmt: skip
