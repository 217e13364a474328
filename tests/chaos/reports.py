"""What is reported: true accidents, odd ones that are true all the same, and what is none. Pure."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

Door = Literal["mqtt", "http", "file"]
Word = Literal["new", "witness", "update", "cancel", "witness cancel", "old cancel"]
DOORS: tuple[Door, ...] = ("mqtt", "mqtt", "mqtt", "http", "http", "file")
TYPES = ("collision", "fire", "blockage", "rollover")
SEVERITIES = ("low", "medium", "high", "critical")
CAMERA = "north"
CLIP_EVERY = 8
REPORTERS = 25
"""Sources that take turns, as none may fill the register alone."""
FLAPPING = "flapping"
LASTING_S = 200.0
NUMBERS_OF_NONE = 20_000
"""What is no accident is numbered from here on."""


@dataclass(frozen=True)
class Case:
    """One accident, or one thing that must not be taken for one."""

    number: int
    door: Door
    at_s: float
    """When it is reported, seconds of the script."""
    body: dict[str, Any] | bytes
    """The report without its time, or the very bytes."""
    ts: str = "none"
    """How its time is written: one of `TIMES`."""
    told: bool = True
    """False: nobody may be told of it."""
    label: str = ""
    type: str = "collision"
    severity: str = "high"
    test: bool = False
    road: str | None = None
    """As vehicles are told; None: not compared."""
    clip: bool = False
    update_at_s: float | None = None
    witness_at_s: float | None = None
    cancel_at_s: float | None = None
    retained: bool = False

    @property
    def name(self) -> str:
        return f"chaos-{self.number}"

    @property
    def producer_id(self) -> str:
        """The reporter's own id of it."""
        return self.body["event_id"] if isinstance(self.body, dict) else self.name

    @property
    def place(self) -> tuple[float, float]:
        """Degrees; no two numbers are less than 100 m apart."""
        return place_of(self.number)


def place_of(number: int) -> tuple[float, float]:
    return round(30 + number * 0.001, 7), 127.5


def number_of(lat: float, lon: float) -> int | None:
    """Whose place it is; None: nobody's."""
    number = round((lat - 30) / 0.001)
    near = abs(lat - (30 + number * 0.001)) < 0.0001 and abs(lon - 127.5) < 0.0001
    return number if near else None


TIMES = {
    "none": lambda now: None,
    "seconds": lambda now: round(now, 3),
    "milliseconds": lambda now: round(now * 1000),
    "text": lambda now: f"{now:.3f}",
    "rfc 3339": lambda now: datetime.fromtimestamp(now, UTC).isoformat(),
    "ahead": lambda now: round(now + 30, 3),
    "old": lambda now: round(now - 600, 3),
}

ODD_BUT_TRUE: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("type in capitals", {"type": "COLLISION"}, {"type": "collision"}),
    ("type with a space", {"type": "Fire "}, {"type": "fire"}),
    ("a synonym", {"type": "accident"}, {"type": "collision"}),
    ("a Korean word", {"type": "사고"}, {"type": "collision"}),
    ("a type of nobody's", {"type": "fire drill"}, {"type": "unknown"}),
    ("no accident, in Korean", {"type": "사고 없음"}, {"type": "unknown"}),
    ("severity in capitals", {"severity": "Critical"}, {"severity": "critical"}),
    ("severity null", {"severity": None}, {"severity": "high"}),
    ("severity unheard of", {"severity": "awful"}, {"severity": "high"}),
    ("test null", {"test": None}, {}),
    ("test as text", {"test": "true"}, {"test": True}),
    ("status null", {"status": None}, {}),
    ("clip_hint null", {"clip_hint": None}, {}),
    ("confidence 85", {"confidence": 85}, {}),
    ("confidence as words", {"confidence": "sure"}, {}),
    ("distance out of range", {"distance_m": -3}, {}),
    ("distance no number", {"distance_m": [1]}, {}),
    ("road of two lines", {"road": "segment\nA"}, {"road": None}),
    ("road with an escape", {"road": "a\x1b[2Jb"}, {"road": None}),
    ("road of 300 letters", {"road": "x" * 300}, {"road": None}),
    ("camera of nobody's", {"camera": "North-1"}, {}),
    ("an unknown field", {"weather": {"rain": True}}, {}),
    ("confirmed in the future", {"confirmed_at": 9e9}, {}),
)
NONE_AT_ALL: tuple[tuple[str, dict[str, Any] | bytes, str], ...] = (
    ("no type", {}, "none"),
    ("type null", {"type": None}, "none"),
    ("type a list", {"type": ["collision"]}, "none"),
    ("too old", {"type": "collision"}, "old"),
    ("too old, as text", {"type": "fire", "ts": "2020-01-01T00:00:00Z"}, "none"),
    ("status unreadable", {"type": "collision", "status": "finished"}, "none"),
    ("cancel of nobody's", {"type": "collision", "status": "cancel", "event_id": "nobody"}, "none"),
    ("too long", {"type": "collision", "note": "x" * 70_000}, "none"),
    ("cut off", b'{"type":"collision","lat":3', "none"),
    ("a list of two", b'[{"type":"collision"},{"type":"fire"}]', "none"),
    ("a number", b"42", "none"),
    ("not text", b"\xff\xfe\x00collision", "none"),
    ("nested", b'{"type":' + b"[" * 20_000, "none"),
)  # fmt: skip


@dataclass(frozen=True)
class Say:
    """A word that is due."""

    at_s: float
    number: int
    word: Word


@dataclass(frozen=True)
class Script:
    cases: dict[int, Case]
    says: list[Say]


@dataclass(frozen=True)
class Amount:
    """How much is said, and for how long."""

    calm_s: float
    storm_s: float
    calm_per_s: float = 4.0
    true_per_s: float = 2.0
    none_per_s: float = 1.5
    flaps: int = 200
    """Accidents of one flapping source, each over at once."""
    flood: int = 300
    """Stale reports of a producer whose clock is an hour slow, within 3 s."""
    floods: int = field(default=1)


def script(seed: int, amount: Amount) -> Script:
    """Everything that is to be said, a pure function of the seed."""
    chance = random.Random(f"{seed} reports")
    numbers = iter(range(1, NUMBERS_OF_NONE))
    found: list[Case] = []
    for number in range(round(amount.calm_s * amount.calm_per_s)):
        at_s = number / amount.calm_per_s
        body = {"type": "collision", "severity": "low", "clip_hint": False}
        calm = _case(next(numbers), "mqtt", at_s, body)
        found.append(replace(calm, severity="low", cancel_at_s=at_s + 20))
    begin_s, end_s = amount.calm_s, amount.calm_s + amount.storm_s
    times = list(_times(chance, begin_s, end_s, amount.true_per_s))
    found += [_true(next(numbers), at_s, chance, end_s) for at_s in times]
    found += _flapping(numbers, begin_s, end_s, amount, chance)
    found += _none(begin_s, end_s, amount, chance)
    cases = {case.number: case for case in found}
    says = [say for case in found for say in _words(case)] + _old_cancels(found, end_s, chance)
    return Script(cases, sorted(says, key=lambda say: say.at_s))


def _times(chance: random.Random, begin_s: float, end_s: float, rate: float) -> Iterator[float]:
    at_s = begin_s
    while (at_s := at_s + chance.expovariate(rate)) < end_s:
        yield at_s


def _case(number: int, door: Door, at_s: float, body: dict[str, Any], **more: Any) -> Case:
    lat, lon = place_of(number)
    road = body.get("road", f"chaos-{number}-")
    reporter = "flapping" if more.get("label") == FLAPPING else f"post{number % REPORTERS}"
    about = {"event_id": f"{reporter}-{number}", "lat": lat, "lon": lon, "road": road}
    return Case(number, door, at_s, {**about, **body}, road=road, **more)


def _true(number: int, at_s: float, chance: random.Random, end_s: float) -> Case:
    door, kind = chance.choice(DOORS), chance.choice(TYPES)
    severity = chance.choice(SEVERITIES)
    clip = number % CLIP_EVERY == 0
    body: dict[str, Any] = {"type": kind, "severity": severity, "clip_hint": clip}
    if clip:
        body["camera"] = CAMERA
    ts = chance.choice(("none", "seconds", "milliseconds", "text", "rfc 3339"))
    case = _case(number, door, at_s, body, type=kind, severity=severity, clip=clip, ts=ts)
    if chance.random() < 0.3:
        case = _made_odd(case, *chance.choice(ODD_BUT_TRUE))
    if chance.random() < 0.05:
        case = replace(case, ts="ahead")
    if door == "mqtt" and chance.random() < 0.05:
        case = replace(case, ts="seconds", retained=True)
    return _with_a_life(case, chance, end_s)


def _made_odd(case: Case, label: str, body: dict[str, Any], told: dict[str, Any]) -> Case:
    assert isinstance(case.body, dict)
    body = {**case.body, **body}
    clip = case.clip and body["clip_hint"] is True and body.get("camera") == CAMERA
    if case.clip and not clip:
        body["clip_hint"] = False
    return replace(case, body=body, label=label, **{"clip": clip, **told})


def _with_a_life(case: Case, chance: random.Random, end_s: float) -> Case:
    """It may be seen by a second witness or become graver, and most are over some time."""
    lot, late = chance.random(), case.at_s > end_s - LASTING_S
    if lot < 0.1 and case.label == "" and late:
        case = replace(case, witness_at_s=case.at_s + chance.uniform(0.5, 3))
    elif lot < 0.25 and case.label == "":
        case = replace(case, update_at_s=case.at_s + chance.uniform(0.5, 15))
    over_s = max(case.at_s, case.update_at_s or 0, case.witness_at_s or 0) + _lasts_s(chance)
    if over_s < end_s:
        case = replace(case, cancel_at_s=over_s)
    return case


def _lasts_s(chance: random.Random) -> float:
    """Some are over at once; about 90 hold at a time, so that repeating them leaves room."""
    lot = chance.random()
    if lot < 0.08:
        return 0.5
    return chance.uniform(16, 40) if lot < 0.8 else chance.uniform(60, LASTING_S)


def _flapping(
    numbers: Iterator[int], begin_s: float, end_s: float, amount: Amount, chance: random.Random
) -> Iterator[Case]:
    for _ in range(amount.floods):
        start_s = chance.uniform(begin_s, max(begin_s, end_s - 20))
        for index in range(amount.flaps):
            at_s = start_s + index * 0.05
            body = {"type": "collision", "severity": "critical", "clip_hint": False}
            number = next(numbers)
            case = _case(number, "mqtt", at_s, body, label=FLAPPING, severity="critical")
            yield replace(case, cancel_at_s=at_s + 0.2)


def _none(begin_s: float, end_s: float, amount: Amount, chance: random.Random) -> Iterator[Case]:
    numbers = iter(range(NUMBERS_OF_NONE, 10 * NUMBERS_OF_NONE))
    for at_s in _times(chance, begin_s, end_s, amount.none_per_s):
        label, body, ts = chance.choice(NONE_AT_ALL)
        yield _no_accident(next(numbers), chance.choice(DOORS), at_s, label, body, ts)
    for _ in range(amount.floods):
        start_s = chance.uniform(begin_s, max(begin_s, end_s - 20))
        for index in range(amount.flood):
            at_s = start_s + index * 3 / amount.flood
            yield _no_accident(next(numbers), "mqtt", at_s, "flood", {"type": "fire"}, "old")


def _no_accident(
    number: int, door: Door, at_s: float, label: str, body: dict[str, Any] | bytes, ts: str
) -> Case:
    if isinstance(body, bytes):
        return Case(number, door, at_s, body, told=False, label=label)
    case = _case(number, door, at_s, body)
    kind = body.get("type")
    # What a clock that is behind takes for news is at least told as what it says.
    kind = kind if kind in TYPES else case.type
    return replace(case, told=False, label=label, ts=ts, type=kind)


def _words(case: Case) -> Iterator[Say]:
    times: tuple[tuple[Word, float | None], ...] = (
        ("new", case.at_s), ("witness", case.witness_at_s),
        ("update", case.update_at_s), ("cancel", case.cancel_at_s),
    )  # fmt: skip
    yield from (Say(at_s, case.number, word) for word, at_s in times if at_s is not None)


def _old_cancels(found: Sequence[Case], end_s: float, chance: random.Random) -> list[Say]:
    """A cancel of three days ago for what is in force; the broker keeps it and says it again."""
    live = [
        case for case in found if case.told and case.cancel_at_s is None and case.door == "mqtt"
    ]
    chosen = chance.sample(live, min(3, len(live)))
    return [Say(min(end_s, case.at_s + 5), case.number, "old cancel") for case in chosen]


def render(case: Case, word: Word, now: float) -> bytes:
    """The bytes of a word, `now` being epoch seconds."""
    if isinstance(case.body, bytes):
        return case.body
    body = dict(case.body)
    if word == "witness":
        body["event_id"] = f"{case.producer_id}-b"
    elif word == "update":
        body = {**body, "status": "update", "severity": "critical"}
    elif word == "cancel":
        body = {"type": body["type"], "event_id": case.producer_id, "status": "cancel"}
    elif word == "old cancel":
        body = {"type": body["type"], "event_id": case.producer_id, "status": "cancel"}
        body["ts"] = round(now - 3 * 86_400, 3)
    if word in ("new", "witness", "update") and (stamp := TIMES[case.ts](now)) is not None:
        body["ts"] = stamp
    return json.dumps(body).encode()
