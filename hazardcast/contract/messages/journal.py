"""What the alerter keeps of every version and decision, and how to have it said again."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hazardcast.contract.fields import NUMBER, Name, Probability, Remark, StationId, Time
from hazardcast.contract.messages.alert import Alert
from hazardcast.contract.messages.base import ALIASED, Message
from hazardcast.contract.messages.decision import Decided, Pending, Verdict

Sequence = Annotated[int, Field(ge=1), NUMBER]
Epoch = Annotated[int, Field(ge=0), NUMBER]


class JournalEntry(Message):
    """One line of the alerter's journal; (`station`, `epoch`, `sequence`) is said of one alone."""

    station: StationId
    """Whose journal: the site's `station_id`."""
    epoch: Epoch
    """Grows at every start of the alerter: the sequence begins again."""
    sequence: Sequence
    """1, 2, 3 … within an epoch, without a gap; of a `hole` the first that is missing."""
    kind: Literal["alert", "pending", "decided", "verdict", "hole"]
    """`alert`: a version that was broadcast; `pending`: an incident that is not broadcast, or not
    yet; `decided`: what became of a decision; `verdict`; `hole`: entries that are not there."""
    ts: Time
    """When it came about, epoch seconds."""
    alert: Alert | None = None
    """The version, as broadcast; with `kind` `alert`."""
    pending: Pending | None = None
    """With `kind` `pending`."""
    decided: Decided | None = None
    """With `kind` `decided`."""
    verdict: Verdict | None = None
    """With `kind` `verdict`."""
    confidence: Probability | None = None
    """Of an alert: the confidence of the report that led to this version; absent: none was told."""
    reporter: Remark | None = None
    """Of an alert: who reported this version, `camera:…`, `producer:…`, or `operator:…`."""
    to: Sequence | None = None
    """Of a `hole`: the last that is missing."""
    cause: Literal["disk", "removed", "never"] | None = None
    """Of a `hole`: the `disk` did not take them; `removed` by age or size; `never` written."""

    @property
    def reported_confidence(self) -> float | None:
        """How sure whoever reported was; a person's decision says nothing of that."""
        return None if (self.reporter or "").startswith("operator:") else self.confidence


class ReplayRequest(Message):
    """Please say these entries of the journal again, on `v2x/journal/{station}`."""

    epoch: Epoch
    """Which epoch."""
    from_: Annotated[int, Field(alias="from", ge=1), NUMBER]
    """The first sequence wanted."""
    to: Sequence
    """The last sequence wanted, itself included; at most 10 000 are said for one request."""
    station: StationId | None = None
    """Whose journal; every station's that hears it, when left out."""
    asked_by: Name | None = None
    """Who asks, for the log."""

    model_config = ALIASED

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.to < self.from_:
            raise ValueError("to must not be before from")
        return self
