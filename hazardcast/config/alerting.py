"""Which of a camera's reports are broadcast at once, and which wait for a person: the policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hazardcast.contract.fields import NUMBER
from hazardcast.contract.incident_types import IncidentType

Mode = Literal["auto", "confirm", "shadow"]
OnTimeout = Literal["drop", "broadcast"]
AUTO_CONFIDENCE, CONFIRM_WITHIN_S = 0.9, 60.0
BY_TYPE = "by_type"
PUSHED = {"mode": "confirm", "auto_confidence": 1.0, "on_timeout": "drop"}
"""Of a pushed camera: nothing by itself, however sure it is."""


@dataclass(frozen=True)
class Policy:
    """What holds for one camera and type."""

    mode: Mode = "auto"
    auto_confidence: float = AUTO_CONFIDENCE
    confirm_within_s: float = CONFIRM_WITHIN_S
    on_timeout: OnTimeout = "drop"


class Rule(BaseModel):
    """What of the policy is written; the rest is as a wider rule has it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    mode: Mode | None = None
    """auto broadcasts at once, which is the default; confirm lets a person decide on what is less
    sure than `auto_confidence`; shadow broadcasts nothing, and keeps clip and record: for the first
    weeks of a site."""
    auto_confidence: Annotated[float, Field(ge=0, le=1), NUMBER] | None = None
    """From this confidence on, confirm broadcasts at once, 0 to 1; 0.9 when left out. A report that
    tells no confidence is below any."""
    confirm_within_s: Annotated[float, Field(ge=5, le=3600), NUMBER] | None = None
    """How long confirm waits for a person, s; 60 when left out."""
    on_timeout: OnTimeout | None = None
    """What confirm does when nobody has decided by then, or nobody is there who may: drop or
    broadcast. It has to be written: no default is right for every site."""


class ByType(BaseModel):
    """Rules for single types of incident."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    collision: Rule | None = None
    """For collisions."""
    fire: Rule | None = None
    """For fires."""
    blockage: Rule | None = None
    """For blockages."""
    rollover: Rule | None = None
    """For rollovers."""
    unknown: Rule | None = None
    """For what is of no known type."""


class Alerting(Rule):
    """The policy of a site or a camera."""

    by_type: ByType | None = None
    """Rules for single types of incident, which go before those beside them."""

    def policy(self, kind: IncidentType) -> Policy:
        """What holds for a type."""
        rule: Rule | None = getattr(self.by_type, kind.value, None)
        written = {**_written(self), **(_written(rule) if rule else {})}
        return Policy(**written)


def settled(policy: Alerting) -> Alerting:
    """A camera's policy, with those of the site and of the defaults laid under it, is whole.

    Raises:
        ValueError: something waits for a person, and nobody wrote what follows when none decides.
    """
    for rule in (policy, *(getattr(policy.by_type, kind.value, None) for kind in IncidentType)):
        if rule is None:
            continue
        written = {**_written(policy), **_written(rule)}
        if written.get("mode") == "confirm" and "on_timeout" not in written:
            raise ValueError("mode confirm needs on_timeout: drop or broadcast")
    return policy


def _written(rule: Rule) -> dict[str, Any]:
    return {
        name: value
        for name in ("mode", "auto_confidence", "confirm_within_s", "on_timeout")
        if (value := getattr(rule, name)) is not None
    }


def layered(under: Any, over: Any) -> Any:
    """Two policies as the file has them, the narrower one over the wider one.

    What the narrower says of everything goes before what the wider says of one type.
    """
    if not isinstance(under, dict) or not isinstance(over, dict):
        return under if over is None else over
    wide, narrow = under.get(BY_TYPE), over.get(BY_TYPE)
    if not isinstance(wide or {}, dict) or not isinstance(narrow or {}, dict):
        return over
    general = {name: value for name, value in over.items() if name != BY_TYPE}
    kinds = {
        kind: {**(rule or {}), **general} if isinstance(rule or {}, dict) else rule
        for kind, rule in (wide or {}).items()
    }
    for kind, rule in (narrow or {}).items():
        both = isinstance(rule, dict) and isinstance(kinds.get(kind), dict)
        kinds[kind] = {**kinds[kind], **rule} if both else rule
    rest = {name: value for name, value in under.items() if name != BY_TYPE}
    return {**rest, **general, **({BY_TYPE: kinds} if kinds else {})}


def confirmed(policy: Any) -> Any:
    """What holds for a pushed camera of which nothing narrower is written: a person confirms.

    Whoever holds a client can show it a film of an accident, which looks as sure as one. Only what
    is kept back altogether already stays so.
    """
    if not isinstance(policy or {}, dict):
        return policy
    wide, kinds = policy or {}, (policy or {}).get(BY_TYPE)
    kinds = kinds if isinstance(kinds, dict) else {}
    shadowed = {name: rule for name, rule in kinds.items() if _is_shadow(rule)}
    rule = wide if _is_shadow(wide) else {**wide, **PUSHED}
    rest = {name: value for name, value in rule.items() if name != BY_TYPE}
    return {**rest, **({BY_TYPE: shadowed} if shadowed else {})}


def _is_shadow(rule: Any) -> bool:
    return isinstance(rule, dict) and rule.get("mode") == "shadow"


def is_automatic(policy: Policy) -> bool:
    """Whether it may broadcast a report that no person has seen."""
    if policy.mode != "confirm":
        return policy.mode == "auto"
    return policy.on_timeout == "broadcast" or policy.auto_confidence < 1
