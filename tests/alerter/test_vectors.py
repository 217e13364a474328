"""The life-cycle, held to vectors that an implementation in any language can be held to."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from alerter.ingest import placing, report_times
from alerter.ingest.refusal import Refusal
from alerter.ingest.report_times import Limits
from alerter.lifecycle.register import Outcome, Register

from hazardcast.config import site
from hazardcast.contract.messages import Incident

VECTORS = sorted((Path(__file__).parent / "vectors").glob("*.json"))


def test_there_are_vectors() -> None:
    assert len(VECTORS) >= 15


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_life_cycle_follows_the_vector(path: Path) -> None:
    vector = json.loads(path.read_text(encoding="utf-8"))
    config = site.parse(vector["config"], source=path.name)
    register = Register(station=4097, next_number=itertools.count(1).__next__)
    for number, step in enumerate(vector["steps"]):
        where = f"{path.stem} step {number}"
        if "expired" in step:
            gone = [event.alert.event_id for event in register.expire(step["now"])]
            assert gone == step["expired"], where
            continue
        check(report(register, config, step), step["expect"], where)


def report(register: Register, config: site.SiteConfig, step: dict[str, Any]) -> Outcome | Refusal:
    incident = Incident.decode(json.dumps(step["incident"]))
    judged = report_times.judge(incident, received_at=step["now"], limits=Limits())
    if isinstance(judged, Refusal):
        return judged
    return register.report(judged, placing.place(incident, config), step["now"])


def check(outcome: Outcome | Refusal, expected: dict[str, Any], where: str) -> None:
    if isinstance(outcome, Refusal):
        assert (outcome.reason, outcome.field) == (
            expected.get("refused"),
            expected.get("field"),
        ), where
        return
    assert outcome.action == expected.get("action"), where
    shown = json.loads(outcome.event.alert.encode())
    for name, value in expected.get("alert", {}).items():
        assert shown.get(name) == value, f"{where}: {name}"
    if "clip_camera" in expected:
        assert outcome.event.clip_camera == expected["clip_camera"], where
