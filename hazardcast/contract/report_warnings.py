"""What a reporter is told of a report that could not be used as it was sent."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from hazardcast.contract.fields import NUMBER, EventId, Remark, Text, Time
from hazardcast.contract.messages.base import Message

Used = str | float | bool


class FieldWarning(Message):
    """One part of a report that could not be used as it was sent."""

    field: Annotated[str, Field(max_length=64)]
    """The field's name; `payload` for what concerns the text as a whole."""
    problem: Remark
    """Why it could not be used, in words."""
    used: Used | None = None
    """What is used instead; none: the part is left out."""

    def shown(self) -> dict[str, Any]:
        """As people read it: `used` is there even when it is nothing."""
        return {"field": self.field, "problem": self.problem, "used": self.used}

    def __str__(self) -> str:
        instead = "left out" if self.used is None else f"used {self.used}"
        return f"{self.field}: {self.problem} ({instead})"


class ReportWarnings(Message):
    """What became of a report of which something could not be used, or that asked to be answered.

    A report that carries a `report_id` is always answered, so that its sender knows its own alert.
    """

    report_id: Text
    """As the reporter gave it, else the first 16 hex digits of the payload's SHA-256."""
    ts: Time
    """When this was said: what it is about was on the air before."""
    door: Annotated[str, Field(max_length=16)]
    """`mqtt`, `http` or `file`."""
    sender: Remark | None = None
    """The peer's address (HTTP) or the file's name; MQTT does not say who published."""
    result: Annotated[str, Field(max_length=32)]
    """`new`, `update`, `cancel`, `unchanged`, or `refused`; where the camera's policy keeps it back
    `pending`, `shadow`, `dropped` or `withdrawn`."""
    event_id: EventId | None = None
    """The alert's event, where the report led to one or belongs to one."""
    refused: Remark | None = None
    """Why it was refused."""
    field: Annotated[str, Field(max_length=64)] | None = None
    """The field for which it was refused."""
    reason: Annotated[str, Field(max_length=32)] | None = None
    """The same as a word, as in `hazardcast_alerts_rejected_total`."""
    warnings: tuple[FieldWarning, ...] = ()
    """The parts that could not be used."""
    unsaid: Annotated[int, Field(ge=0), NUMBER] = 0
    """How many such words before this one were not said, because there were too many."""
