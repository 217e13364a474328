"""What an operator's word does to an event in force. Pure; why so: docs/design/deciding.md."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from alerter.lifecycle import versions
from alerter.lifecycle.events import OPERATOR, PERSON, Event, Word, closed, noted
from hazardcast.contract.incident_types import information_quality
from hazardcast.machine.steady import Moment

SURE = 1.0
"""How sure the alert is once a person has seen it."""
End = Literal["cancel", "negate"]


@dataclass(frozen=True)
class Said:
    """An operator's word."""

    by: str
    decided_at: float
    """When it was decided, by the wall clock."""
    moment: Moment
    """When it came."""

    @property
    def word(self) -> Word:
        """As it is kept beside those of reporters."""
        return Word(self.moment.steady, OPERATOR + self.by)


def with_word(event: Event, said: Said) -> Event:
    """With the operator as one more reporter, who sees it now."""
    words = noted(event.words, PERSON + said.by, said.word)
    evidence_at = max(event.evidence_at, said.moment.steady)
    return replace(event, words=words, evidence_at=evidence_at)


def confirmed(event: Event, said: Said) -> Event:
    """It is so: as sure as can be, and on while the operator has not ended it.

    Always a version of its own, so that another decision on the version before is told who was
    first.
    """
    alert, now = event.alert, said.moment
    life_s = versions.life_s(alert, {}, life_s=event.life_s, elapsed_s=now.steady - event.began_at)
    sure = information_quality(alert.type, SURE)
    changes = {
        "status": "update",
        "information_quality": max(alert.information_quality, sure),
        "validity_duration_s": alert.validity_duration_s
        if life_s == event.life_s
        else versions.told_validity_s(
            alert, ends_at=event.began_at + life_s, life_s=life_s, moment=now
        ),
    }
    version = versions.by_person(alert, changes, decided_at=said.decided_at, now=now.wall)
    return replace(with_word(event, said), alert=version, life_s=life_s)


def ended(event: Event, said: Said, status: End) -> Event:
    """It is over, or never was, whoever still reports it."""
    version = versions.by_person(
        event.alert, {"status": status}, decided_at=said.decided_at, now=said.moment.wall
    )
    event = with_word(event, said)
    everyone = frozenset(event.words)
    return replace(closed(event, everyone, said.moment.steady), alert=version)
