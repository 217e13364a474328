from __future__ import annotations

import pytest
from vehicle_agent.announcement import link_text
from vehicle_agent.link import Link, LinkState


@pytest.mark.parametrize(
    ("age_s", "state"),
    [(0, LinkState.OK), (24.9, LinkState.OK), (25, LinkState.WARN), (34.9, LinkState.WARN), (35, LinkState.LOST), (9999, LinkState.LOST)],
)  # fmt: skip
def test_silence_warns_and_then_is_a_lost_link(age_s: float, state: LinkState) -> None:
    link = Link(0.0)
    link.heard(4097, 100.0)

    assert link.report(100.0 + age_s).state is state


def test_a_link_that_never_was_is_waited_for_and_then_lost() -> None:
    link = Link(100.0)

    assert link.report(120.0).state is LinkState.WAITING
    assert link.report(135.0).state is LinkState.LOST
    assert link_text(link.report(135.0)) == "LINK LOST, nothing heard yet"


def test_any_station_keeps_the_link_but_each_has_its_own_age() -> None:
    link = Link(0.0)
    link.heard(4097, 10.0)
    link.heard(4098, 60.0)

    assert link.report(61.0).state is LinkState.OK
    assert link.age_s(4097, 61.0) == 51.0


def test_a_late_delivery_does_not_age_the_link() -> None:
    link = Link(0.0)
    link.heard(4097, 60.0)
    link.heard(4097, 50.0)

    assert link.age_s(4097, 60.0) == 0.0


def test_the_link_says_how_old_it_is_and_that_the_station_stops() -> None:
    link = Link(0.0)
    link.heard(4097, 10.0)
    assert link_text(link.report(13.2)) == "LINK OK, last heard 3 s ago"

    link.heard(4097, 20.0, stopping=True)

    assert link_text(link.report(21.0)) == "LINK OK, last heard 1 s ago, station is stopping"
