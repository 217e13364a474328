"""The vehicle's judgement in one place: what is heard becomes lines, receipts and a speed."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Protocol

from hazardcast.contract.messages import Alert, Datagram, Heartbeat, ReceptionCounters
from hazardcast.machine.clock import Clock
from hazardcast.receiving.datagram_verifier import Rejection
from hazardcast.signing.trust import TrustStore
from vehicle_agent import metrics
from vehicle_agent.active_digest import withdrawn
from vehicle_agent.announcement import Announcement, Word
from vehicle_agent.clock_trust import ClockState, ClockTrust
from vehicle_agent.intake import Intake
from vehicle_agent.known_alerts import Hearing, Known, KnownAlerts, Outcome
from vehicle_agent.link import LOST_AFTER_S, Link, LinkReport
from vehicle_agent.memory import Memory
from vehicle_agent.relevance import Pose, is_relevant
from vehicle_agent.sighting import Arrival, Sighting
from vehicle_agent.speed_policy import (
    LINK_HOLD_S,
    Advice,
    Concern,
    Policy,
    advise,
    distance_ahead_m,
)
from vehicle_agent.tally import Tallies

WORDS = {
    Outcome.NEW: Word.NEW,
    Outcome.UPDATE: Word.UPDATE,
    Outcome.CANCEL: Word.CANCEL,
    Outcome.NEGATE: Word.NEGATE,
}
SAID_AGAIN = frozenset({Outcome.REPETITION, Outcome.RESUMED})
JOIN_MARGIN_S = 0.5
"""A burst's length: of a version no older than this the vehicle could hear the first copies."""


class Reporter(Protocol):
    """Whom the agent tells; nothing here may block."""

    def announce(self, announcement: Announcement) -> None:
        """An alert is new, changed or over."""
        ...

    def irrelevant(self, announcement: Announcement) -> None:
        """A version arrived that does not concern this vehicle."""
        ...


@dataclass(frozen=True)
class Condition:
    """How things stand."""

    link: LinkReport
    clock: ClockState
    advice: Advice | None
    in_force: int
    """Alerts in force that concern this vehicle."""


class Agent:
    """Takes arrivals from any thread, one at a time, and looks at the time when told to."""

    def __init__(
        self,
        trust: TrustStore,
        *,
        memory: Memory,
        reporter: Reporter,
        clock: Clock,
        pose: Pose,
        cruising_mps: float,
        policy: Policy = "owner",
    ) -> None:
        self._policy = policy
        self._reporter = reporter
        self._clock = clock
        self._pose = pose
        self._cruising_mps = cruising_mps
        self._lock = threading.Lock()
        self._clock_trust = ClockTrust()
        self._intake = Intake(trust, memory, clock_trust=self._clock_trust, clock=clock)
        self._intake.reception.resume(memory.marks)
        self._known = KnownAlerts()
        self._known.recall(memory.alerts(), now=clock.now(), monotonic=clock.monotonic())
        self._link = Link(clock.monotonic())
        self._joined: dict[int, float] = {}
        self._tallies = Tallies()
        self._changed = False
        self._owed: frozenset[str] = frozenset()
        self._beginnings = trust.beginnings()

    def receive(self, arrival: Arrival) -> Rejection | None:
        """Take one arrival; what is not believed is counted, forgotten, and why is returned."""
        with self._lock:
            started = self._clock.monotonic()
            verdict = self._intake.judge(arrival)
            if isinstance(verdict, Rejection):
                metrics.REJECTED[verdict].inc()
                if verdict is Rejection.DUPLICATE:
                    self._tallies.count_again(arrival.text, arrival.path)
                return verdict
            metrics.VERIFY_S.observe(self._clock.monotonic() - started)
            self._tallies.count(verdict.datagram, arrival.path, arrival.text)
            self._believe(verdict)
        return None

    def beginnings(self) -> tuple[bytes, ...]:
        """How datagrams of the trusted keys begin."""
        return self._beginnings

    def moved(self, pose: Pose) -> None:
        """The vehicle is elsewhere now, or no longer knows where."""
        with self._lock:
            self._pose = pose

    def check(self, kernel_clock_bound_s: float | None) -> Condition:
        """Let time pass: end what has expired, and say how things stand."""
        with self._lock:
            self._clock_trust.kernel_says(kernel_clock_bound_s)
            self._expire(self._clock.monotonic())
            return self._condition()

    def trust(self, store: TrustStore) -> None:
        """Use another trust store; what a key signed that is no longer trusted is withdrawn."""
        with self._lock:
            self._intake.reception.trust(store)
            self._beginnings = store.beginnings()
            self._end([known for known in self._known.in_force() if not store.find(known.kid)])

    def counters(self) -> tuple[ReceptionCounters, ...]:
        """How much of what each station sent has arrived."""
        with self._lock:
            return self._tallies.counters()

    def marks(self) -> dict[int, tuple[int, int]]:
        """How far each station was heard, to be kept across restarts."""
        with self._lock:
            return self._intake.reception.high_water()

    def changes(self, owed: frozenset[str] = frozenset()) -> list[dict[str, Any]] | None:
        """What is known of alerts, to be kept across restarts; None: as at the last call.

        Args:
            owed: the events of which the driver has not been shown the last line yet.
        """
        with self._lock:
            if not self._changed and owed == self._owed:
                return None
            self._changed, self._owed = False, owed
            now, monotonic = self._clock.now(), self._clock.monotonic()
            return self._known.remember(now=now, monotonic=monotonic, owed=owed)

    def _believe(self, sighting: Sighting) -> None:
        datagram = sighting.datagram
        stopping = datagram.heartbeat is not None and datagram.heartbeat.state == "stopping"
        self._link.heard(datagram.station, sighting.received_monotonic, stopping=stopping)
        self._joined.setdefault(datagram.station, datagram.tx)
        if datagram.alert:
            self._hear(datagram.alert, sighting)
        elif datagram.heartbeat:
            self._compare(datagram.heartbeat, datagram, sighting.received_monotonic)

    def _hear(self, alert: Alert, sighting: Sighting) -> None:
        datagram = sighting.datagram
        outcome = self._known.observe(
            alert,
            Hearing(
                station=datagram.station,
                tx=datagram.tx,
                monotonic=sighting.received_monotonic,
                kid=sighting.kid,
                trusted=sighting.trusted,
                epoch=datagram.epoch,
            ),
        )
        metrics.VERSIONS[outcome].inc()
        known = self._known.get(datagram.station, alert.event_id, alert.detection_time)
        if known is None or outcome in (Outcome.OLD, Outcome.EXPIRED):
            return
        if outcome in SAID_AGAIN:
            self._heard_again(known, alert, sighting)
        else:
            self._tell(known, outcome, alert, sighting)

    def _tell(self, known: Known, outcome: Outcome, alert: Alert, sighting: Sighting) -> None:
        """A version that was not heard before: show it, or say that it does not concern us."""
        word = WORDS.get(outcome)
        concerns = known.shown or (not alert.terminated and is_relevant(alert, self._pose))
        if word is None or not concerns:
            self._reporter.irrelevant(self._announcement(Word.NEW, alert, sighting))
        else:
            if word is Word.UPDATE and not known.shown:
                word = Word.NEW
            known.shown = True
            self._reporter.announce(self._announcement(word, alert, sighting))
        self._changed = True

    def _heard_again(self, known: Known, alert: Alert, sighting: Sighting) -> None:
        """Nothing new, unless the vehicle has come near since."""
        if known.in_force and not known.shown and is_relevant(alert, self._pose):
            known.shown = True
            self._reporter.announce(self._announcement(Word.NEW, alert, sighting))
            self._changed = True

    def _compare(self, heartbeat: Heartbeat, datagram: Datagram, monotonic: float) -> None:
        """End what the station no longer holds in force, should its cancel have been lost.

        Only what it said since it started: one whose state was lost or put back knows nothing of
        the accident that it told before, which is no word that it is over.
        """
        self._expire(monotonic)
        ours = [
            known
            for known in self._known.in_force()
            if (known.station, known.epoch) == (datagram.station, datagram.epoch)
        ]
        self._end(withdrawn(heartbeat, ours, monotonic))

    def _expire(self, monotonic: float) -> None:
        ended = self._known.expire(monotonic)
        for known in ended:
            self._tell_end(known, Word.EXPIRED)
        if ended:
            self._changed = True

    def _end(self, events: list[Known]) -> None:
        for known in events:
            self._known.forget(known)
            self._tell_end(known, Word.WITHDRAWN)
        if events:
            self._changed = True

    def _tell_end(self, known: Known, word: Word) -> None:
        if known.shown and known.alert:
            self._reporter.announce(self._announcement(word, known.alert, None, known.station))

    def _announcement(
        self, word: Word, alert: Alert, sighting: Sighting | None, station: int = 0
    ) -> Announcement:
        joined = self._joined.get(sighting.datagram.station, 0.0) if sighting else 0.0
        return Announcement(
            word=word,
            alert=alert,
            distance_m=distance_ahead_m(alert, self._pose),
            ahead=self._pose.is_ahead(alert),
            sighting=sighting,
            before_joining=alert.reference_time < joined - JOIN_MARGIN_S,
            reception=self._tallies.counters() if sighting else (),
            station=sighting.datagram.station if sighting else station,
        )

    def _condition(self) -> Condition:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        concerning = [known for known in self._known.in_force() if known.shown]
        concerns = self._concerns(concerning, monotonic)
        return Condition(
            link=self._link.report(monotonic),
            clock=self._clock_trust.state(now=now, monotonic=monotonic),
            advice=advise(concerns, self._pose, self._cruising_mps, self._policy),
            in_force=len(concerning),
        )

    def _concerns(self, events: list[Known], monotonic: float) -> list[Concern]:
        """The alerts that may slow the vehicle down: their station was heard not long ago."""
        return [
            Concern(known.alert, known.trusted)
            for known in events
            if known.alert
            and self._link.age_s(known.station, monotonic) < LOST_AFTER_S + LINK_HOLD_S
        ]
