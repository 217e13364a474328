"""One event on the road, and who said what of it. Values; times are the station's steady time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hazardcast.contract.messages import Alert

MAX_WORDS = 64
WORDS_A_SOURCE = MAX_WORDS // 10
NOBODY = ""
"""The key of what was said by someone who gave it no name."""
PERSON = "@"
"""Begins the key of an operator's word; no reporter's id can."""
OPERATOR = "operator:"
"""Begins the source of an operator's word."""


@dataclass(frozen=True)
class Word:
    """What one reporter said last of an event."""

    at: float
    """The newest time that it told of; of a reporter who is done, when it said so."""
    source: str
    open: bool = True
    """Whether it still sees the event: while one does, the event goes on."""
    claimed_ts: float = float("-inf")
    """The time as the reporter wrote it: it may write the same again after a clock was set."""


@dataclass(frozen=True)
class Event:
    """One event on the road: its newest version and who reported it."""

    alert: Alert
    began_at: float
    life_s: int
    """From the beginning; the alert's own validity counts on a clock that may be set."""
    evidence_at: float
    """Of the newest report: one within 30 s of it may be of the same event."""
    source: str
    """Whose room it takes: the source of the report that opened it."""
    clip_camera: str | None = None
    first_ts: float | None = None
    """When it was by the wall clock of then, which names recordings; None: as the alert says."""
    owner: str | None = None
    """The producer's id of the report that opened it; only its owner may make it less grave."""
    words: Mapping[str, Word] = field(default_factory=dict)
    """The last word of each reporter, by the producer's id of the report."""

    @property
    def ends_at(self) -> float:
        """When its validity is over."""
        return self.began_at + self.life_s

    @property
    def aliases(self) -> tuple[str, ...]:
        """The producers' ids that mean this event."""
        return tuple(name for name in self.words if name and not name.startswith(PERSON))

    @property
    def decided_by_person(self) -> bool:
        """Whether an operator ended it: then no operator's word is open any more."""
        said = [word for name, word in self.words.items() if name.startswith(PERSON)]
        return bool(said) and not any(word.open for word in said)

    @property
    def open_reports(self) -> frozenset[str]:
        """The reporters that have not said that it is over."""
        return frozenset(name for name, word in self.words.items() if word.open)

    def in_force(self, now: float) -> bool:
        """Whether it is neither terminated nor past its validity."""
        return not self.alert.terminated and now < self.ends_at


def noted(words: Mapping[str, Word], name: str, word: Word) -> dict[str, Word]:
    """With a reporter's newest word last; when there are too many, the least gives way."""
    known = dict(words)
    known.pop(name, None)
    if len(known) >= MAX_WORDS:
        del known[_least(known)]
    known[name] = word
    return known


def _least(words: Mapping[str, Word]) -> str:
    """Who has said that it is over, then who has too many, then the longest silent; no operator."""
    shares: dict[str, int] = {}
    for word in words.values():
        shares[word.source] = shares.get(word.source, 0) + 1

    def weight(name: str) -> tuple[bool, bool, bool, float]:
        word = words[name]
        return name.startswith(PERSON), word.open, shares[word.source] <= WORDS_A_SOURCE, word.at

    return min(words, key=weight)


def closed(event: Event, names: frozenset[str], at: float) -> Event:
    """The event with the word of these reporters that it is over."""
    words = {
        name: replace(word, at=max(word.at, at), open=False) if name in names else word
        for name, word in event.words.items()
    }
    return replace(event, words=words)
