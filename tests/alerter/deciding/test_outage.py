"""A broker that is away is no absence of operators; what waits is bounded all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.alerter.deciding.conftest import CONFIRM, Site

SiteWith = Callable[..., Site]
BROADCAST = {**CONFIRM, "on_timeout": "broadcast", "confirm_within_s": 3600}


def is_away(site: Site, seconds: float) -> None:
    """The broker is away so long, and what consoles say does not come."""
    says, site.console_says = site.console_says, lambda: None
    site.bus.connected = False
    site.passes(0.25)
    for _ in range(int(seconds)):
        site.passes(1.0)
    site.console_says = says


def is_back(site: Site) -> None:
    site.bus.connected = True
    site.alerter.expire()


def waiting(site: Site) -> int:
    return len(site.alerter.withholding.items.open)


def test_while_the_broker_is_away_a_drop_waits_and_its_operator_has_the_time_that_was_lost(
    waits: Site,
) -> None:
    waits.sees(event_id="n-1")
    (before,) = waits.pending
    waits.passes(10.0)
    is_away(waits, 120.0)
    assert waiting(waits) == 1
    is_back(waits)
    waits.passes(45.0)

    (pending,) = waits.pending
    assert pending.decide_by == pytest.approx(before.decide_by + 120.25, abs=1.0)
    assert pending.revision == before.revision
    assert waits.decides("approve").effect == "broadcast"


def test_what_an_outage_took_is_given_back_once_and_no_more_than_five_minutes(waits: Site) -> None:
    waits.sees(event_id="n-1")
    for _ in range(4):
        is_away(waits, 80.0)
        is_back(waits)
    assert waiting(waits) == 1
    is_away(waits, 50.0)

    assert waiting(waits) == 0


def test_a_drop_waits_no_longer_than_five_minutes_beyond_its_time_for_a_broker(waits: Site) -> None:
    waits.sees(event_id="n-1")
    is_away(waits, 358.0)
    assert waiting(waits) == 1
    is_away(waits, 4.0)

    assert waiting(waits) == 0


@pytest.mark.parametrize(("away_s", "heard"), [(28.0, 0), (32.0, 1)])
def test_a_broadcast_waits_half_a_minute_for_the_broker(
    site_with: SiteWith, away_s: float, heard: int
) -> None:
    site = site_with(north=BROADCAST)
    site.sees(event_id="n-1")
    is_away(site, away_s)

    assert len(site.on_air) == heard


def test_a_broadcast_is_not_put_off_by_an_outage(site_with: SiteWith) -> None:
    site = site_with(north={**BROADCAST, "confirm_within_s": 20})
    site.sees(event_id="n-1")
    is_away(site, 21.0)

    assert len(site.on_air) == 1


@pytest.mark.parametrize(
    ("on_timeout", "away_s", "result"),
    [("drop", 10.0, "pending"), ("drop", 200.0, "pending"),
     ("broadcast", 10.0, "pending"), ("broadcast", 40.0, "new")],
)  # fmt: skip
def test_what_is_first_reported_during_an_outage(
    site_with: SiteWith, on_timeout: str, away_s: float, result: str
) -> None:
    site = site_with(north={**BROADCAST, "on_timeout": on_timeout})
    is_away(site, away_s)

    assert site.sees(event_id="n-1") == result


def test_where_nobody_was_there_before_the_outage_nobody_is_during_it(site_with: SiteWith) -> None:
    site = site_with(operators=0, north=CONFIRM)
    is_away(site, 5.0)

    assert site.sees(event_id="n-1") == "dropped"


def test_consoles_have_a_moment_to_come_back_too(waits: Site) -> None:
    waits.sees(event_id="n-1")
    is_away(waits, 100.0)
    waits.console_falls_silent()
    is_back(waits)
    waits.passes(19.0)
    assert waiting(waits) == 1
    waits.passes(2.0)

    assert waiting(waits) == 0


def test_a_broker_that_is_away_at_the_start_drops_nothing_that_waited(waits: Site) -> None:
    waits.sees(event_id="n-1")
    waits.start()
    is_away(waits, 50.0)
    assert waiting(waits) == 1
    is_back(waits)
    waits.operators(1)

    assert waits.decides("approve").effect == "broadcast"
