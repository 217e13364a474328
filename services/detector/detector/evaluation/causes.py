"""Why an event was missed, or what a false alarm rests on, in one line a person can act on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from detector.evaluation.labels import Clip
from detector.evaluation.scoring import LATE_S, ONSET_EARLY_S, ONSET_LATE_S, ClipResult, Found
from detector.evidence.moments import Moment
from detector.rules.hypothesis import Hypothesis
from hazardcast.contract.incident_types import CAUSES

AROUND_S = 1.0
MOST_NUMBERS = 8


def why_missed(clip: Clip, result: ClipResult, moments: Sequence[Moment]) -> str:
    """The first thing that stood in the way of telling the labelled event."""
    t = clip.t_event_s or 0.0
    if result.said:
        return f"told, but as {result.said}"
    if result.found:
        first = result.found[0]
        return f"told as {first.type} with onset {first.onset_s:.1f} s, not about {t:.1f} s"
    assert clip.type is not None
    late_s = LATE_S.get(clip.type, ONSET_LATE_S) + ONSET_LATE_S
    after = [one for one in moments if t - ONSET_EARLY_S <= one.t <= t + late_s]
    rested = [one for one in after if one.resting]
    if rested and len(rested) >= len(after) / 2:
        return f"incidents rested: picture {_worst(rested)}"
    near = [one for one in moments if abs(one.t - t) <= AROUND_S]
    return _unspoken(CAUSES[clip.type].family, after, near)


def _unspoken(family: str, after: Sequence[Moment], near: Sequence[Moment]) -> str:
    """What the rules made of the event, when nothing was told of it."""
    thoughts = [(one.t, thought) for one in after for thought in one.hypotheses]
    own = [pair for pair in thoughts if CAUSES[pair[1].type].family == family]
    if own:
        return _unheld(own, len(after))
    most = max((len(one.tracks) for one in near), default=0)
    tracked = f"up to {most} tracks about the event" if most else "nothing tracked about the event"
    others = sorted({thought.type.value for _, thought in thoughts})
    if others:
        return f"no rule for its kind spoke, {', '.join(others)} did too briefly; {tracked}"
    return f"no rule spoke; {tracked}"


def _unheld(thought: Sequence[tuple[float, Hypothesis]], frames: int) -> str:
    best = max((one for _, one in thought), key=lambda one: one.confidence)
    times = sorted({t for t, _ in thought})
    opening = len({t for t, one in thought if one.opens})
    return (
        f"{best.type.value} thought of in {len(times)} of {frames} frames from {times[0]:.1f} s "
        f"({opening} strong enough to open), best {best.confidence:.2f}: not for long enough"
    )


def _worst(moments: Sequence[Moment]) -> str:
    states = [one.scene for one in moments if one.scene != "clear"]
    return max(set(states), key=states.count) if states else "just after a change"


def why_alarmed(found: Found, moments: Sequence[Moment]) -> str:
    """The rule and its numbers at the moment of the alarm."""
    at = min(moments, key=lambda one: abs(one.t - found.alarm_s), default=None)
    if at is None:
        return "no frame at the alarm"
    own = [one for one in at.hypotheses if one.type.value == found.type]
    if not own:
        return f"{found.type}, no longer thought of at the alarm"
    best = max(own, key=lambda one: one.confidence)
    return f"{found.type} {best.confidence:.2f}: {numbers(best.evidence)}"


def numbers(evidence: dict[str, Any]) -> str:
    """A rule's numbers, the first few."""
    return ", ".join(_pairs(evidence))


def _pairs(evidence: dict[str, Any]) -> Iterator[str]:
    for name, value in list(evidence.items())[:MOST_NUMBERS]:
        yield f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
