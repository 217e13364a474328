"""When a trial has seen enough of a camera, and when the recorder gets no further with it."""

from __future__ import annotations

import pytest
from recorder.command import Plan
from recorder.console import Found
from recorder.frames import Frame
from recorder.observed import LONGEST_MEASURED_S, MEASURED_S, Observed


def connected(**plan: str) -> Observed:
    observed = Observed()
    observed.begins(Plan(**plan))  # type: ignore[arg-type]
    return observed


def watch(observed: Observed, *, seconds: float, key_every_s: float) -> None:
    """One picture a second, a second too late for the clock to be read while it came."""
    for second in range(int(seconds) + 1):
        frame = Frame(second, 1.0, second % key_every_s == 0, 100)
        observed.frame(frame, Found("rtsp", "h264"), 1000.0 + second, exact=True)


def end(observed: Observed, state: str, *, kind: str | None = None, changed: bool = False) -> None:
    observed.ended(state, f"it is {state}", kind=kind, found=None, changed=changed)


def test_some_seconds_with_two_key_frames_are_enough() -> None:
    observed = connected()
    watch(observed, seconds=MEASURED_S - 1, key_every_s=2)
    assert not observed.is_enough

    watch(observed, seconds=MEASURED_S + 1, key_every_s=2)
    assert observed.is_enough


def test_a_second_key_frame_is_awaited_but_not_for_ever() -> None:
    observed = connected()
    watch(observed, seconds=LONGEST_MEASURED_S - 1, key_every_s=1000)
    assert not observed.is_enough

    watch(observed, seconds=LONGEST_MEASURED_S, key_every_s=1000)
    assert observed.is_enough


def test_nothing_counts_before_a_key_frame_nor_of_an_earlier_connection() -> None:
    observed = connected()
    observed.frame(Frame(0, 1, False, 100), Found(), 1000.0, exact=True)
    assert not observed.arrivals

    watch(observed, seconds=9, key_every_s=2)
    observed.begins(Plan(video="encode"))
    assert not observed.arrivals
    assert observed.plan.video == "encode"


def test_refused_credentials_are_final_as_cameras_lock_accounts() -> None:
    observed = connected()
    end(observed, "unauthorised", kind="unauthorised")

    assert observed.verdict
    assert observed.verdict.detail == "it is unauthorised"


@pytest.mark.parametrize("state", ["unusable", "unreachable", "ended", "stalled", "connecting"])
def test_other_failures_are_final_when_they_happen_again(state: str) -> None:
    observed = connected()
    end(observed, state)
    assert observed.verdict is None

    end(observed, state)
    assert observed.verdict
    assert observed.verdict.state == state


def test_another_way_of_asking_is_awaited() -> None:
    observed = connected()
    end(observed, "unusable", kind="sound", changed=True)
    end(observed, "connecting", changed=True)
    end(observed, "waiting", kind="sizeless")
    end(observed, "waiting", kind="sizeless")

    assert observed.verdict is None


def test_both_ways_of_transport_are_tried_and_one_where_only_one_is_allowed() -> None:
    either, one_way = connected(), connected(transport="tcp")
    end(either, "unusable", kind="transport", changed=True)
    end(one_way, "unusable", kind="transport")
    assert either.verdict is None
    assert one_way.verdict

    end(either, "unusable", kind="transport", changed=True)
    assert either.verdict
