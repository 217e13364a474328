"""A station whose camera north waits for a person, and operators who decide."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alerter.ingest.refusal import Refusal

from hazardcast.config import site
from hazardcast.contract.messages import Alert, Decided, Pending
from hazardcast.contract.topics import DECIDED, PENDING
from tests.alerter.conftest import SITE, Station

CONFIRM = {"mode": "confirm", "on_timeout": "drop"}
SHADOW = {"mode": "shadow"}


class Site(Station):
    """A station with a policy, listening on the bus, and a console beside it."""

    decisions = itertools.count(1)
    console_says: Callable[[], None] = staticmethod(lambda: None)

    def start(self) -> None:
        super().start()
        self.alerter.listen()
        self.bus.start()

    def operators(
        self,
        sessions: int,
        *,
        state: str = "online",
        service: str = "console",
        instance: str = "c1",
        on: str = "console/c1",
    ) -> None:
        """What a console says, and goes on to say while time passes."""
        status = {
            "service": service, "instance": instance, "state": state, "version": "1",
            "ts": self.clock.now(), "detail": {"operators": sessions},
        }  # fmt: skip
        self.broker.send(f"v2x/status/{on}", json.dumps(status).encode(), retain=True)
        if on == "console/c1":
            self.console_says = lambda: self.operators(
                sessions, state=state, service=service, instance=instance
            )

    def passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.console_says()
        self.alerter.expire()

    def console_falls_silent(self) -> None:
        self.console_says = lambda: None

    def sees(
        self, camera: str | None = "north", confidence: float | None = 0.5, **more: Any
    ) -> str:
        """A camera's report; what became of it."""
        outcome = self.asks(camera=camera, confidence=confidence, **more)
        return outcome.reason if isinstance(outcome, Refusal) else outcome.action

    def decides(self, action: str, *, by: str = "kim", **changes: Any) -> Decided:
        """What is said to a decision on the newest event, at the revision that is told."""
        event_id, revision = ("", 0) if "event_id" in changes else self._newest()
        decision = {
            "event_id": event_id, "action": action, "by": by, "if_revision": revision,
            "ts": self.clock.now(), "decision_id": f"d{next(self.decisions)}", **changes,
        }  # fmt: skip
        path = f"v2x/decision/{decision['event_id']}"
        self.broker.send(path, json.dumps(decision).encode())
        return self.decided[-1]

    def is_over(self, how: str) -> None:
        """What waits is rejected, taken back, or nobody is there who might decide."""
        if how == "reject":
            self.decides("reject")
        elif how == "withdrawn":
            assert self.sees(event_id="n-1", status="cancel") == how
        else:
            self.operators(0)
            self.passes(0.25)
            assert self.decided[-1].action == how

    def _newest(self) -> tuple[str, int]:
        if self.pending:
            return self.pending[-1].event_id, self.pending[-1].revision
        alert = self.air.said[-1]
        return alert.event_id, alert.revision

    @property
    def pending(self) -> list[Pending]:
        """What is retained."""
        return [
            Pending.decode(payload)
            for path, payload in self.broker.retained.items()
            if PENDING.match(path)
        ]

    @property
    def decided(self) -> list[Decided]:
        return self.broker.messages(DECIDED)

    @property
    def on_air(self) -> list[tuple[str, str]]:
        """Every version said, as event id and status."""
        return [(alert.event_id, alert.status) for alert in self.air.said]

    @property
    def said(self) -> Alert:
        return self.air.said[-1]


@pytest.fixture
def site_with(tmp_path: Path) -> Callable[..., Site]:
    """Cameras by name with their policies; operators are there."""

    def make(*, operators: int = 1, **policies: dict[str, Any]) -> Site:
        cameras = {
            name: {**camera, **({"alerting": policies[name]} if name in policies else {})}
            for name, camera in SITE["cameras"].items()
        }
        made = Site(tmp_path / "state", site.parse({**SITE, "cameras": cameras}, source="test"))
        made.operators(operators)
        made.passes(30.0)
        return made

    return make


@pytest.fixture
def waits(site_with: Callable[..., Site]) -> Site:
    """Its camera north waits for a person up to 0.9."""
    return site_with(north=CONFIRM)
