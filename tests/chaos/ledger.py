"""What was said, what went wrong when, and what the vehicles showed. Times: s since the start."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tests.chaos.kinds import Kind
from tests.chaos.reports import Case


@dataclass(frozen=True)
class Span:
    """A fault as it really was."""

    kind: Kind
    subject: str
    begin: float
    end: float


@dataclass
class Account:
    """What became of one case at the door."""

    case: Case
    said: float | None = None
    """When it was first said."""
    accepted: float | None = None
    """HTTP 202, PUBACK, or the file is in `done/`."""
    refused: str | None = None
    """The door's reason."""
    event_id: str | None = None
    """As the door answered."""
    updated: float | None = None
    """When the graver version was accepted."""
    witnessed: float | None = None
    cancel_said: float | None = None
    cancelled: float | None = None
    """When the cancel was accepted."""


@dataclass(frozen=True)
class Shown:
    """One line or row about one alert, on one vehicle, in one life of its process."""

    car: str
    life: int
    at: float
    source: str
    """console or csv"""
    event_id: str
    word: str
    type: str
    severity: str
    test: bool
    road: str | None = None
    version: tuple[str, ...] = ()
    """Revision and reference time, as the row says; empty on the console."""


@dataclass(frozen=True)
class Heard:
    """A version of an alert as it was on the air."""

    event_id: str
    status: str
    lat: float
    lon: float
    type: str
    severity: str
    test: bool


@dataclass(frozen=True)
class Clip:
    """What lies on the disk about one clip. Gaps: begin, end, cause."""

    event_id: str
    state: str
    gaps: tuple[tuple[float, float, str], ...]
    has_video: bool


@dataclass(frozen=True)
class InForce:
    """An alert that holds at the end, as the station says."""

    event_id: str
    lat: float
    lon: float
    type: str
    severity: str


@dataclass
class Ledger:
    """Everything that the judgement needs; written by many threads, each under the lock."""

    cars: tuple[str, ...]
    accounts: dict[int, Account] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    heard: set[Heard] = field(default_factory=set)
    mishaps: list[str] = field(default_factory=list)
    """What must not happen whatever the fault: a process fell, a health page did not answer."""
    clips: list[Clip] = field(default_factory=list)
    in_force: list[InForce] = field(default_factory=list)
    car_counts: dict[str, int] = field(default_factory=dict)
    """Alerts in force at the end, as each vehicle says."""
    stopped: float = 0.0
    """When the settling was over."""
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def note(self, mishap: str) -> None:
        with self.lock:
            self.mishaps.append(mishap)

    def show(self, shown: Shown) -> None:
        with self.lock:
            self.shown.append(shown)

    def hear(self, heard: Heard) -> None:
        with self.lock:
            self.heard.add(heard)

    def span(self, span: Span) -> None:
        with self.lock:
            self.spans.append(span)
