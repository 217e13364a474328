from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.topics import ALL, CLIPS, STATUS

names = st.from_regex(r"[A-Za-z0-9_.:-]{1,20}", fullmatch=True)


@given(names, names)
def test_a_topic_is_matched_by_the_row_that_wrote_it(service: str, instance: str) -> None:
    path = STATUS.path(service=service, instance=instance)

    assert STATUS.match(path) == {"service": service, "instance": instance}


@given(names)
def test_no_other_row_matches_it(event_id: str) -> None:
    path = CLIPS.path(event_id=event_id)

    assert [topic for topic in ALL if topic.match(path)] == [CLIPS]


def test_a_filter_has_wildcards_for_parameters() -> None:
    assert STATUS.filter == "v2x/status/+/+"


@pytest.mark.parametrize("path", ["v2x/clips", "v2x/clips/", "v2x/clips/a/b", "x/v2x/clips/a"])
def test_a_topic_of_another_shape_does_not_match(path: str) -> None:
    assert CLIPS.match(path) is None


def test_what_is_retained_is_said_at_qos_1() -> None:
    assert all(topic.qos == 1 for topic in ALL if topic.retain)
