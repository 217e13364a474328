"""From hypotheses to incidents: sure enough, once per place, refined, and ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from detector.rules.hypothesis import Hypothesis
from detector.tracking.tracks import Track
from hazardcast.contract.incident_types import IncidentType, Severity
from hazardcast.vision.geometry import boxes
from hazardcast.vision.geometry.boxes import Floats

CONFIRM_S = {
    IncidentType.COLLISION: 0.3,
    IncidentType.ROLLOVER: 0.5,
    IncidentType.BLOCKAGE: 1.5,
    IncidentType.FIRE: 1.5,
}
"""A hypothesis must hold for this long …"""
CONFIRM_SHARE = 0.7
"""… in this share of the frames (k of n, in time)."""
CLEAR_S = 10.0
"""An incident is over when nothing has been seen of it for this long."""
COOL_DOWN_S = 60.0
"""After that the same place stays quiet for this long, but for what began since and is worse or
surer: what cleared of itself may have been nothing, and must not hide the crash that follows."""
TOGETHER_S, TOGETHER_SIZES = 5.0, 2.5
"""What begins within this time and as near as this (sizes) belongs to one event: a crash throws
its vehicles apart, a fire has several tongues."""
RANK = {
    IncidentType.UNKNOWN: 0,
    IncidentType.BLOCKAGE: 1,
    IncidentType.COLLISION: 2,
    IncidentType.ROLLOVER: 3,
    IncidentType.FIRE: 4,
}
"""An incident may be refined upwards: a blockage was a collision, a wreck catches fire."""
SEVERITY = {
    IncidentType.UNKNOWN: Severity.LOW,
    IncidentType.BLOCKAGE: Severity.MEDIUM,
    IncidentType.COLLISION: Severity.HIGH,
    IncidentType.ROLLOVER: Severity.CRITICAL,
    IncidentType.FIRE: Severity.CRITICAL,
}


@dataclass(frozen=True)
class Report:
    """What is to be said about an incident."""

    status: Literal["new", "update", "cancel"]
    key_t: float
    """Onset as first reported: names the incident for ever."""
    type: IncidentType
    severity: Severity
    onset_t: float
    t: float
    """Time of the frame that decided it."""
    confidence: float
    place: Floats
    evidence: dict[str, Any]
    again: bool = False
    """Whether it was said before, and is true still at `t`."""


@dataclass
class _Candidate:
    """A hypothesis on its way to be believed."""

    hypothesis: Hypothesis
    frames: deque[tuple[float, bool]] = field(default_factory=deque)
    settled: bool = False

    def note(self, t: float, held: bool, *, settled: bool) -> None:
        self.frames.append((t, held))
        self.settled = settled
        horizon = 2 * CONFIRM_S[self.hypothesis.type] + 0.5
        while self.frames[0][0] < t - horizon:
            self.frames.popleft()

    @property
    def sure(self) -> bool:
        if self.settled:
            return True
        held = [held for _, held in self.frames]
        length_s = self.frames[-1][0] - self.frames[0][0]
        enough = sum(held) >= CONFIRM_SHARE * len(held) and held[-1]
        return enough and len(held) >= 2 and length_s >= CONFIRM_S[self.hypothesis.type]

    @property
    def hopeless(self) -> bool:
        return not any(held for _, held in self.frames)


@dataclass
class _Incident:
    """An incident that was reported."""

    key_t: float
    hypothesis: Hypothesis
    place: Floats
    seen_t: float
    over_t: float | None = None
    to_repeat: bool = False
    """Whether it is to be said again as soon as a frame shows it."""
    shown_t: float | None = None
    """The last frame that showed it; `seen_t` moves on also while nothing can be seen."""

    def show(self, t: float) -> None:
        self.seen_t = self.shown_t = t


@dataclass
class IncidentBook:
    """Every incident of one camera."""

    _candidates: list[_Candidate] = field(default_factory=list)
    _incidents: list[_Incident] = field(default_factory=list)

    def update(
        self, t: float, hypotheses: Iterable[Hypothesis], tracks: Sequence[Track], *, rest: bool
    ) -> list[Report]:
        """Take one frame's hypotheses; returns what is news.

        Args:
            t: the frame's time.
            hypotheses: what the rules say of it.
            tracks: the confirmed tracks; a vehicle that stands on its place keeps an incident open.
            rest: the picture cannot be trusted now: believe nothing new and end nothing.
        """
        if rest:
            self._candidates.clear()
            for incident in self._active():
                incident.seen_t = max(incident.seen_t, t - CLEAR_S / 2)
            return []
        hypotheses = list(hypotheses)
        self._keep_alive(t, hypotheses)
        believed = self._weigh(t, [one for one in hypotheses if one.opens])
        reports = [report for one in believed if (report := self._believe(t, one))]
        ended = self._end(t, tracks)
        return self._repeated(t) + reports + ended

    def say_again(self) -> None:
        """Whoever listens may have missed it: what is open is news again once a frame shows it."""
        for incident in self._active():
            incident.to_repeat = True

    def resume(self, t: float) -> None:
        """Go on at `t` after a pause or a step of the clock: nothing was seen to end."""
        self._candidates.clear()
        for incident in self._incidents:
            if incident.over_t is None:
                incident.seen_t = t
            else:
                incident.over_t = min(incident.over_t, t)

    @property
    def active(self) -> int:
        """How many incidents are open."""
        return len(self._active())

    def _active(self) -> list[_Incident]:
        return [incident for incident in self._incidents if incident.over_t is None]

    def _weigh(self, t: float, hypotheses: Iterable[Hypothesis]) -> list[Hypothesis]:
        """The hypotheses that have held for long enough."""
        held: dict[int, Hypothesis] = {}
        settled: set[int] = set()
        for hypothesis in hypotheses:
            index = self._candidate_of(hypothesis)
            held[index] = max(held.get(index, hypothesis), hypothesis, key=lambda h: h.confidence)
            settled |= {index} if hypothesis.settled else set()
        for index, candidate in enumerate(self._candidates):
            candidate.hypothesis = held.get(index, candidate.hypothesis)
            candidate.note(t, index in held, settled=index in settled)
        self._candidates = [one for one in self._candidates if not one.hopeless]
        return [one.hypothesis for one in self._candidates if one.sure]

    def _keep_alive(self, t: float, hypotheses: Iterable[Hypothesis]) -> None:
        for hypothesis in hypotheses:
            for incident in self._active():
                if _belongs(hypothesis, incident):
                    incident.show(t)

    def _candidate_of(self, hypothesis: Hypothesis) -> int:
        for index, candidate in enumerate(self._candidates):
            known = candidate.hypothesis
            if known.type is hypothesis.type and _same(known, hypothesis, known.place):
                return index
        self._candidates.append(_Candidate(hypothesis))
        return len(self._candidates) - 1

    def _believe(self, t: float, hypothesis: Hypothesis) -> Report | None:
        for incident in self._incidents:
            if not _belongs(hypothesis, incident):
                continue
            if incident.over_t is not None:
                if _is_another(hypothesis, incident):
                    continue
                return None
            if RANK[hypothesis.type] > RANK[incident.hypothesis.type]:
                incident.hypothesis = hypothesis
                incident.place = boxes.joined(incident.place, hypothesis.place)
                return _report("update", t, incident)
            return None
        key_t = hypothesis.onset_t
        while any(abs(key_t - other.key_t) < 2e-3 for other in self._incidents):
            key_t += 2e-3  # two places at the same moment are two incidents
        incident = _Incident(key_t, hypothesis, hypothesis.place, t)
        self._incidents.append(incident)
        return _report("new", t, incident)

    def _end(self, t: float, tracks: Sequence[Track]) -> list[Report]:
        reports = []
        for incident in self._active():
            fire = incident.hypothesis.type is IncidentType.FIRE
            if not fire and any(_stands_on(track, incident.place) for track in tracks):
                incident.show(t)
            if t - incident.seen_t >= CLEAR_S:
                incident.over_t = t
                reports.append(_report("cancel", t, incident))
        self._incidents = [
            one for one in self._incidents if one.over_t is None or t - one.over_t < COOL_DOWN_S
        ]
        return reports

    def _repeated(self, t: float) -> list[Report]:
        """What was to be said again and is to be seen in this very frame.

        As an update: whoever knows it takes it for the same however long ago it was said, and to
        whoever does not it is news.
        """
        due = [one for one in self._active() if one.to_repeat and one.shown_t == t]
        for incident in due:
            incident.to_repeat = False
        return [_report("update", t, incident, again=True) for incident in due]


def _report(
    status: Literal["new", "update", "cancel"],
    t: float,
    incident: _Incident,
    *,
    again: bool = False,
) -> Report:
    hypothesis = incident.hypothesis
    return Report(
        status=status,
        key_t=incident.key_t,
        type=hypothesis.type,
        severity=SEVERITY[hypothesis.type],
        onset_t=hypothesis.onset_t,
        t=t,
        confidence=hypothesis.confidence,
        place=incident.place,
        evidence=hypothesis.evidence,
        again=again,
    )


def _same(known: Hypothesis, new: Hypothesis, place: Floats) -> bool:
    """Whether both speak of the same event: of the same vehicle, or of the same place."""
    if known.track_ids & new.track_ids:
        return True
    size = max(_size(place), _size(new.place))
    distance = np.hypot(*(_centre(place) - _centre(new.place)))
    return bool(distance < size or _touch(place, new.place))


def _belongs(hypothesis: Hypothesis, incident: _Incident) -> bool:
    if _same(incident.hypothesis, hypothesis, incident.place):
        return True
    apart_s = abs(hypothesis.onset_t - incident.hypothesis.onset_t)
    size = max(_size(incident.place), _size(hypothesis.place))
    distance = np.hypot(*(_centre(incident.place) - _centre(hypothesis.place)))
    return bool(apart_s <= TOGETHER_S and distance <= TOGETHER_SIZES * size)


def _is_another(hypothesis: Hypothesis, over: _Incident) -> bool:
    """Whether it began after `over` was last seen, and says more than that did."""
    said = over.hypothesis
    worse = (RANK[hypothesis.type], hypothesis.confidence) > (RANK[said.type], said.confidence)
    return hypothesis.onset_t > over.seen_t and worse


def _touch(first: Floats, second: Floats) -> bool:
    return bool(np.all(first[:2] < second[2:]) and np.all(second[:2] < first[2:]))


def _centre(place: Floats) -> Floats:
    return (place[:2] + place[2:]) / 2


def _size(place: Floats) -> float:
    return float(np.sqrt(max(1.0, float(np.prod(place[2:] - place[:2])))))


def _stands_on(track: Track, place: Floats) -> bool:
    return track.label.is_vehicle and track.stationary and _touch(track.box, place)
