"""An incident that took long to tell is still fresh enough for the alerter to take."""

from __future__ import annotations

import numpy as np
from detector.incidents import Report
from detector.worker import MOST_AGE_S, event_id, incident_of

from hazardcast.config.settings import Settings
from hazardcast.config.site import Camera
from hazardcast.contract.incident_types import IncidentType, Severity

NOW = 1_800_000_000.0


def report(onset_t: float) -> Report:
    return Report(
        status="new", key_t=onset_t, type=IncidentType.BLOCKAGE, severity=Severity.HIGH,
        onset_t=onset_t, t=NOW, confidence=0.7, place=np.zeros(4), evidence={},
    )  # fmt: skip


def test_the_onset_is_the_time_of_the_incident() -> None:
    incident = incident_of("north", Camera(url="demo://blockage"), report(NOW - 8), now=NOW)

    assert incident.ts == NOW - 8


def test_an_onset_too_long_ago_stays_in_the_evidence_and_in_the_name() -> None:
    incident = incident_of("north", Camera(url="demo://blockage"), report(NOW - 100), now=NOW)

    assert incident.ts == NOW - MOST_AGE_S
    assert incident.evidence is not None
    assert incident.evidence["onset"] == NOW - 100
    assert incident.event_id == event_id("north", NOW - 100)


def test_the_oldest_report_is_younger_than_what_is_refused() -> None:
    assert Settings().ingest_max_age_s - MOST_AGE_S >= 5.0
