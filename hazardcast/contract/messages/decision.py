"""What waits for a person, what a person decides, and what became of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from hazardcast.contract.fields import (
    NUMBER,
    CameraId,
    EventId,
    Name,
    Note,
    Probability,
    Remark,
    ReportedText,
    Text,
    Time,
)
from hazardcast.contract.incident_types import IncidentType
from hazardcast.contract.messages.base import Message
from hazardcast.contract.messages.incident import Incident

Action = Literal["confirm", "clear", "negate", "approve", "reject"]
OnTimeout = Literal["drop", "broadcast"]
Revision = Annotated[int, Field(ge=0), NUMBER]

OPERATORS = "operators"
"""In the `detail` of the console's `ServiceStatus`: how many sessions are open that may decide."""


class Pending(Message):
    """An incident of a camera that is not broadcast, or not yet: a person decides."""

    event_id: EventId
    """The event's name; that of the alert, and of the clip, if it becomes one."""
    revision: Revision
    """Number of this version, 0 is the first: what a decision names as `if_revision`."""
    mode: Literal["confirm", "shadow"]
    """`confirm`: broadcast once approved; `shadow`: never broadcast, a word on it is welcome."""
    incident: Incident
    """What is reported, as it is understood, with its place; the newest of its reports."""
    why: Remark
    """Why it waits, in words."""
    confidence: Probability | None = None
    """The highest confidence reported so far; absent: none was told."""
    auto_confidence: Probability | None = None
    """From which confidence it would have been broadcast at once; absent in shadow."""
    since: Time
    """When the first report came, epoch seconds."""
    decide_by: Time
    """Until when it waits, epoch seconds."""
    on_timeout: OnTimeout
    """What happens then."""
    updated_at: Time
    """When this version was made, epoch seconds."""


class Decision(Message):
    """What a person wants done with an alert, or with an incident that waits."""

    event_id: EventId
    """Of which event, as in the topic."""
    action: Action
    """On an alert: `confirm` (it is so; the person is a reporter from now on), `clear` (it is over)
    or `negate` (it never was). On what waits: `approve` (broadcast it) or `reject`."""
    if_revision: Revision
    """The revision that the person saw; when there is a newer one by now, it is refused."""
    by: Text
    """Who decides: the account's name."""
    ts: Time
    """When the person decided, epoch seconds; one that comes too late is refused."""
    reason: ReportedText | None = None
    """Why, as a word: cleared, shadow, queue, weather, maintenance, test, duplicate, other."""
    note: Note | None = None
    """Why, in the person's own words."""
    decision_id: Name | None = None
    """The console's own name for this decision; the answer repeats it."""


class Decided(Message):
    """What became of a decision, or of an incident that waited for one."""

    event_id: EventId
    """Of which event."""
    result: Literal["done", "refused"]
    """`refused`: nothing was changed."""
    action: Literal[
        "confirm", "clear", "negate", "approve", "reject", "timeout", "seconded", "withdrawn"
    ]
    """The person's action; of what waited also `timeout` (nobody decided), `seconded` (another
    reporter saw it too, or it became sure enough) or `withdrawn` (its camera took it back)."""
    effect: Literal["broadcast", "ended", "dropped", "noted"] | None = None
    """What followed: `broadcast` as an alert, the alert `ended`, what waited was `dropped`, or it
    was only `noted`; absent when refused."""
    revision: Revision
    """The event's revision after it; of a refused decision, the revision as it is."""
    ts: Time
    """When this was settled, epoch seconds."""
    by: Text | None = None
    """Who decided; absent: nobody did."""
    reason: ReportedText | None = None
    """The person's reason."""
    note: Note | None = None
    """The person's note."""
    decision_id: Name | None = None
    """As in the decision."""
    camera: CameraId | None = None
    """The camera that saw the event."""
    type: IncidentType | None = None
    """What happened."""
    refused: Literal["stale", "late", "unknown", "ended", "unfit"] | None = None
    """Why it was refused: `stale` (there is a newer revision), `late` (decided too long ago),
    `unknown` (no such event), `ended` (it is over), `unfit` (not an action for what it is)."""
    detail: Remark | None = None
    """The same in words."""
    first_by: Text | None = None
    """Of a refused decision: who decided before, where a person did."""
    first_action: Action | None = None
    """What that person had decided."""
    first_at: Time | None = None
    """When that was settled, epoch seconds."""


def _word(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


class Verdict(Message):
    """A person's word whether what was reported was so: for statistics and for whoever learns."""

    event_id: EventId
    """Of which event."""
    verdict: Annotated[Literal["true", "false", "unknown"], BeforeValidator(_word)]
    """`true`: it was so; `false`: a false alarm; `unknown`: it cannot be told."""
    by: Text
    """Who says so: the account's name."""
    ts: Time
    """When it was said, epoch seconds."""
    camera: CameraId | None = None
    """The camera that reported it."""
    type: IncidentType | None = None
    """What was reported."""
    reason: ReportedText | None = None
    """Why, as a word."""
