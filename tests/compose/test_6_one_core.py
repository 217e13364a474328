"""A machine with one processor: everything starts, and an alert goes before seeing."""

from __future__ import annotations

import pytest

ALERT_WITHIN_S = 0.5
HOGS = 4
REPORTS = 5


@pytest.mark.usefixtures("_built")
def test_on_one_processor_all_start_and_an_alert_is_told_though_seeing_would_take_it_all(clean, within) -> None:  # fmt: skip
    with clean("hazardcast-one", "tests/compose/one_core.yaml") as stack:
        print(f"healthy after {stack.up():.0f} s")
        for _ in range(HOGS):
            stack.exec("-d", "detector", "python", "-c", "while True: pass")
        assert stack.compose("top", "detector").count("while True") == HOGS

        late = [told_after_s(stack, within, lat=37.0 + number / 10) for number in range(REPORTS)]

        print("report to [RECV]: " + ", ".join(f"{one * 1000:.0f} ms" for one in late))
        assert max(late) < ALERT_WITHIN_S


def told_after_s(stack, within, *, lat: float) -> float:
    began = stack.report(type="collision", lat=lat, lon=127.2)
    line = within(10, lambda: stack.received(since=began), what="[RECV]")
    return line.at - began
