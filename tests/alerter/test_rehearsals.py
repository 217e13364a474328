"""A rehearsal touches nothing real, whatever name it bears, and no accident is lost to one."""

from __future__ import annotations

from typing import Any

import pytest
from alerter.ingest.refusal import Refusal

HERE = {"lat": 37.1, "lon": 127.0}


@pytest.mark.parametrize("ours", [False, True])
def test_a_rehearsal_that_begins_under_the_name_of_the_real_thing_is_one_of_its_own(
    station: Any, ours: bool
) -> None:
    real = station.hears(event_id="cam7", severity="critical", **HERE).event.alert
    name = real.event_id if ours else "cam7"

    told = station.answers(event_id=name, test=True, severity="low", **HERE)

    assert not isinstance(told.outcome, Refusal)
    assert told.outcome.event.alert.test
    assert told.outcome.event.alert.event_id != real.event_id
    assert [warning.field for warning in told.warnings] == ["event_id"]
    assert station.hears(event_id="cam7", status="cancel").event.alert.event_id == real.event_id
    assert [(alert.test, alert.severity) for alert in station.alerter.alerts()] == [(True, "low")]


def test_who_says_in_earnest_what_was_a_rehearsal_is_told(station: Any) -> None:
    station.hears(event_id="cam7", test=True, **HERE)
    told = station.hears(event_id="cam7", status="update", test=False, **HERE)

    assert (told.action, told.event.alert.test) == ("new", False)


def test_an_update_without_the_mark_leaves_a_rehearsal_one(station: Any) -> None:
    played = station.hears(event_id="cam7", test=True, **HERE).event.alert
    told = station.hears(event_id="cam7", status="update", severity="critical", **HERE)

    assert (told.event.alert.event_id, told.event.alert.test) == (played.event_id, True)
