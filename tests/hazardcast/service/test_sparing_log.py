from __future__ import annotations

import logging

import pytest

from hazardcast.service.sparing_log import SparingLog
from hazardcast.testing import ManualClock


def test_of_a_flood_some_lines_are_told_and_the_next_says_how_many_were_not(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    lines = SparingLog(logging.getLogger("x"), clock, per_s=2.0, burst=3.0)

    for number in range(10):
        lines.say(logging.WARNING, "refused %d", number, extra={"reason": "stale"})
    clock.advance(0.5)
    lines.say(logging.WARNING, "refused %d", 10, extra={"reason": "stale"})

    assert [one.getMessage() for one in caplog.records] == [
        "refused 0", "refused 1", "refused 2", "refused 10",
    ]  # fmt: skip
    assert not hasattr(caplog.records[0], "left_out")
    assert (caplog.records[-1].left_out, caplog.records[-1].reason) == (7, "stale")  # type: ignore[attr-defined]
