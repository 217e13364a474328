"""Why an incident is not taken; the reason is also the label of the metric."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """The label `reason` of `hazardcast_alerts_rejected_total`."""

    SCHEMA = "schema"
    STALE = "stale"
    RETAINED = "retained"
    UNKNOWN_EVENT = "unknown_event"
    ENDED = "ended"


@dataclass(frozen=True)
class Refusal:
    """An incident that was not taken: why, and the field at fault if there is one."""

    reason: Reason
    detail: str
    field: str | None = None

    def __str__(self) -> str:
        return f"{self.field}: {self.detail}" if self.field else self.detail
