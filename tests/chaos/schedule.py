"""Which fault comes when: a pure function of the seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.chaos.kinds import KINDS, Kind, Lane

HEAL_S = 10.0
"""After a fault's end so long may pass until what is valid has been told."""
GAP_S: dict[Lane, tuple[float, float]] = {
    "station": (HEAL_S + 1, HEAL_S + 3),
    "broker": (HEAL_S + 1, HEAL_S + 8),
    "car": (0.5, 2.0),
    "quiet": (1.0, 4.0),
    "video": (4.0, 8.0),
}
"""Between two faults of a lane: the station's and the broker's leave time to heal."""
APART_S = 3.0


@dataclass(frozen=True)
class Planned:
    """A fault that is to come, in seconds of the storm."""

    kind: Kind
    subject: str
    begin_s: float
    end_s: float


def plan(seed: int, storm_s: float, kinds: Sequence[Kind] = KINDS) -> list[Planned]:
    """Every lane's faults, in the order they begin.

    A lane deals its kinds like cards: all of them before one comes again. The alerter never ends
    while its disk or the names fail: what is kept once cannot survive the loss of both.
    """
    found: list[Planned] = []
    for lane in GAP_S:
        found += _lane(lane, random.Random(f"{seed} {lane}"), storm_s, kinds, found)
    return sorted(found, key=lambda one: one.begin_s)


def _lane(
    lane: Lane, chance: random.Random, storm_s: float, kinds: Sequence[Kind], before: list[Planned]
) -> Iterator[Planned]:
    at_s = chance.uniform(0.5, 3.0)
    for turn, kind in enumerate(_dealt([kind for kind in kinds if kind.lane == lane], chance)):
        length_s = chance.uniform(kind.least_s, kind.most_s)
        at_s = _free(kind, at_s, length_s, before)
        if at_s + length_s > storm_s:
            return
        subject = kind.only[turn % len(kind.only)] if lane == "car" else lane
        yield Planned(kind, subject, at_s, at_s + length_s)
        at_s += length_s + chance.uniform(*GAP_S[lane])


def _dealt(kinds: list[Kind], chance: random.Random) -> Iterator[Kind]:
    while kinds:
        yield from chance.sample(kinds, len(kinds))


def _free(kind: Kind, at_s: float, length_s: float, before: Sequence[Planned]) -> float:
    """The first moment from `at_s` on at which the station does not end meanwhile."""
    if kind.apart:
        for one in sorted(before, key=lambda planned: planned.begin_s):
            ends = one.kind.ends_station
            if ends and one.begin_s - APART_S < at_s + length_s and at_s < one.end_s + APART_S:
                at_s = one.end_s + APART_S
    return at_s
