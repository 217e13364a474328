"""The operator's desk: what a person decides is kept, said now or refused, and its answer heard."""

from __future__ import annotations

import itertools
import secrets
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

from console.actions.board import Board
from console.actions.claims import Claims
from console.actions.entries import Keep, of_decision
from console.doors.viewer import Viewer
from console.problems import RefusedError, not_found
from hazardcast.contract.messages import Decided, Decision, Verdict
from hazardcast.contract.messages.decision import Action
from hazardcast.contract.topics import DECIDED, DECISIONS, VERDICTS
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus, Delivery

SAID_WITHIN_S = 2.0
ANSWERED_WITHIN_S = 2.0
OF_WHAT_WAITS = frozenset({"approve", "reject"})
VERDICT_OF: dict[str, Literal["true", "false"]] = {
    "confirm": "true", "approve": "true", "negate": "false", "reject": "false",
}  # fmt: skip
"""That an alert is over says nothing of whether it was so."""


@dataclass(frozen=True)
class Wish:
    """What a person wants done with an event, as they saw it."""

    event_id: str
    action: Action
    revision: int
    reason: str | None = None
    note: str | None = None


@dataclass
class _Waiting:
    """For the answer to one decision."""

    done: threading.Event = field(default_factory=threading.Event)
    answer: Decided | None = None


class Desk:
    """Carries out decisions; its methods take as long as broker and alerter, seconds at most."""

    def __init__(self, board: Board, bus: Bus, clock: Clock, keep: Keep) -> None:
        self._board, self._bus, self._clock, self._keep = board, bus, clock, keep
        self._claims = Claims()
        self._waiting: dict[str, _Waiting] = {}
        self._own = f"console-{secrets.token_hex(4)}-"
        self._count = itertools.count(1)
        bus.subscribe(DECIDED, self._hear)

    def _hear(self, decided: Decided, _delivery: Delivery) -> None:
        waiting = self._waiting.get(decided.decision_id or "")
        if waiting:
            waiting.answer = decided
            waiting.done.set()
        if (decided.decision_id or "").startswith(self._own) and decided.result == "done":
            self._judge(decided)

    def _judge(self, decided: Decided) -> None:
        """Say what a decision means for whoever learns: a fact, which may come late."""
        verdict = VERDICT_OF.get(decided.action)
        if verdict is None or decided.by is None:
            return
        word = Verdict(
            event_id=decided.event_id, verdict=verdict, by=decided.by, ts=decided.ts,
            camera=decided.camera, type=decided.type, reason=decided.reason,
        )  # fmt: skip
        self._bus.publish(VERDICTS, word, event_id=decided.event_id)

    def decide(self, viewer: Viewer, wish: Wish) -> Decided | None:
        """Have a decision carried out; returns the alerter's answer, None: none came in time.

        Raises:
            RefusedError: 404, no such event, or not theirs to see; 409, not an action for what it
                is; 412, somebody was first; 503, the broker is away: nothing was said, and nothing
                will be.
        """
        assert viewer.name is not None
        camera = self._check(viewer, wish)
        first = self._claims.take(
            wish.event_id, wish.revision, viewer.name, self._clock.monotonic()
        )
        if first:
            raise stale(first.by, first.revision)
        try:
            decided = self._say(viewer.name, wish, camera)
        except BaseException:
            self._claims.let_go(wish.event_id, wish.revision, viewer.name)
            raise
        if decided and decided.result == "refused":
            self._claims.let_go(wish.event_id, wish.revision, viewer.name)
            raise refusal(decided)
        return decided

    def _check(self, viewer: Viewer, wish: Wish) -> str | None:
        """The event's camera, if the person may decide on what they saw of it."""
        alert, pending = self._board.alert(wish.event_id), self._board.pending(wish.event_id)
        known = alert or pending
        camera = alert.camera if alert else pending.incident.camera if pending else None
        if known is None or not viewer.may_see(camera):
            raise not_found("there is no such event in force")
        if (wish.action in OF_WHAT_WAITS) != (alert is None):
            what = "an alert in force" if alert else "an incident that waits"
            raise RefusedError(
                HTTPStatus.CONFLICT, f"{wish.action} is no action for {what}", field="action"
            )
        if known.revision != wish.revision:
            raise stale(None, known.revision)
        return camera

    def _say(self, by: str, wish: Wish, camera: str | None) -> Decided | None:
        if not self._bus.connected:
            raise broker_away()
        decision = Decision(
            event_id=wish.event_id, action=wish.action, if_revision=wish.revision, by=by,
            ts=self._clock.now(), reason=wish.reason, note=wish.note,
            decision_id=f"{self._own}{next(self._count)}",
        )  # fmt: skip
        assert decision.decision_id
        self._keep(of_decision(decision, camera))
        waiting = self._waiting[decision.decision_id] = _Waiting()
        try:
            if not self._bus.publish_now(
                DECISIONS, decision, within_s=SAID_WITHIN_S, event_id=wish.event_id
            ):
                raise broker_away()
            waiting.done.wait(ANSWERED_WITHIN_S)
            return waiting.answer
        finally:
            del self._waiting[decision.decision_id]


def stale(by: str | None, revision: int) -> RefusedError:
    """Somebody or something changed the event since the person looked."""
    detail = f"{by} was first" if by else "there is a newer revision"
    return RefusedError(HTTPStatus.PRECONDITION_FAILED, detail, by=by, revision=revision)


def broker_away() -> RefusedError:
    """Nothing was said, and nothing waits to be said."""
    return RefusedError(
        HTTPStatus.SERVICE_UNAVAILABLE, "the broker is away: nothing was said, and nothing waits"
    )


def refusal(decided: Decided) -> RefusedError:
    """What the alerter refused, as a problem."""
    if decided.refused == "stale":
        return stale(decided.first_by, decided.revision)
    status = HTTPStatus.NOT_FOUND if decided.refused == "unknown" else HTTPStatus.CONFLICT
    return RefusedError(
        status,
        decided.detail or f"refused: {decided.refused}",
        reason=decided.refused,
        by=decided.first_by,
        revision=decided.revision,
    )
