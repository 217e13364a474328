"""From an arrival to a sighting: judged by the library, by a clock that is itself on trial."""

from __future__ import annotations

from hazardcast.machine.clock import Clock
from hazardcast.receiving.datagram_verifier import EpochStore, Number, Reception, Rejection
from hazardcast.signing.trust import TrustStore
from vehicle_agent.clock_trust import ClockTrust
from vehicle_agent.sighting import Arrival, Sighting

_BY_THE_CLOCK = frozenset({Rejection.STALE, Rejection.FUTURE})


class Intake:
    """Judges arrivals, one at a time."""

    def __init__(
        self, trust: TrustStore, epochs: EpochStore, *, clock_trust: ClockTrust, clock: Clock
    ) -> None:
        self.reception = Reception(trust, epochs, witness=self._witness)
        self._clock_trust = clock_trust
        self._clock = clock
        self._arrival: Arrival | None = None

    def judge(self, arrival: Arrival) -> Sighting | Rejection:
        """Believe an arrival or say why not.

        A datagram that is refused for its time is judged again without freshness when it shows
        that the clocks disagree (see `clock_trust`): it is then shown, but not acted upon.
        """
        self._arrival = arrival
        verdict = self._judge(arrival, self._error_s(arrival))
        if verdict in _BY_THE_CLOCK and self._error_s(arrival) is None:
            verdict = self._judge(arrival, None)
        return verdict

    def _judge(self, arrival: Arrival, clock_error_s: float | None) -> Sighting | Rejection:
        verdict = self.reception.judge(
            arrival.text,
            source=arrival.source,
            now=arrival.received_at,
            monotonic=arrival.received_monotonic,
            clock_error_s=clock_error_s,
        )
        if isinstance(verdict, Rejection):
            return verdict
        return Sighting(
            datagram=verdict.datagram,
            kid=verdict.kid,
            path=arrival.path,
            received_at=arrival.received_at,
            received_monotonic=arrival.received_monotonic,
            verified_at=self._clock.now(),
            clock_error_s=self._error_s(arrival),
        )

    def _error_s(self, arrival: Arrival) -> float | None:
        return self._clock_trust.error_s(
            now=arrival.received_at, monotonic=arrival.received_monotonic
        )

    def _witness(self, number: Number, tx: float) -> None:
        assert self._arrival is not None
        self._clock_trust.witness(
            tx,
            now=self._arrival.received_at,
            monotonic=self._arrival.received_monotonic,
            number=number,
        )
