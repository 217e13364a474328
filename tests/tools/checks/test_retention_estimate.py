"""How far recordings reach back, by each camera's limits and by what the disk holds."""

from __future__ import annotations

import pytest
from hazardcast_tools.checks.retention_estimate import Stream, kept_s, needed_bytes
from hypothesis import given
from hypothesis import strategies as st

HOUR_S = 3600.0
MBPS = 1e6


def stream(mbps: float, *, hours: float = 24, gigabytes: float = 100) -> Stream:
    return Stream(mbps * MBPS, hours * HOUR_S, gigabytes * 1e9)


def test_with_room_enough_each_keeps_to_its_own_limits() -> None:
    streams = {"hours": stream(4), "bytes": stream(40, gigabytes=18)}

    assert kept_s(streams, 1e12) == {
        "hours": pytest.approx(24 * HOUR_S), "bytes": pytest.approx(HOUR_S)
    }  # fmt: skip
    assert needed_bytes(streams) == pytest.approx(4e6 / 8 * 24 * HOUR_S + 18e9)


def test_a_small_disk_lets_all_reach_back_equally_far() -> None:
    streams = {"north": stream(8), "south": stream(2)}

    kept = kept_s(streams, 10e6 / 8 * HOUR_S)

    assert kept == {"north": pytest.approx(HOUR_S), "south": pytest.approx(HOUR_S)}


def test_what_a_camera_with_a_short_limit_leaves_goes_to_the_others() -> None:
    streams = {"short": stream(8, hours=1), "long": stream(8)}

    kept = kept_s(streams, 1e6 * (HOUR_S + 5 * HOUR_S))

    assert kept == {"short": pytest.approx(HOUR_S), "long": pytest.approx(5 * HOUR_S)}


def test_nothing_fits_on_a_full_disk() -> None:
    assert kept_s({"north": stream(8)}, -1) == {"north": 0.0}


STREAMS = st.builds(
    Stream, st.floats(1e3, 1e8), st.floats(60, 1e7), st.floats(1e6, 1e13)
)  # fmt: skip


@given(st.dictionaries(st.text(max_size=3), STREAMS, max_size=8), st.floats(0, 1e14))
def test_it_never_takes_more_than_the_room_nor_reaches_beyond_a_limit(
    streams: dict[str, Stream], room: float
) -> None:
    kept = kept_s(streams, room)

    assert kept.keys() == streams.keys()
    assert all(kept[name] <= one.own_s for name, one in streams.items())
    taken = sum(streams[name].bytes_per_s * reach for name, reach in kept.items())
    assert taken <= room * (1 + 1e-6) + 1
    if needed_bytes(streams) <= room * (1 - 1e-6):
        assert all(kept[name] == pytest.approx(one.own_s) for name, one in streams.items())
