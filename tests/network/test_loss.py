"""The loss matrix: every vehicle's console, over links that lose everything alike in both directions."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.loss_matrix import AT_LAST_S, IN_TIME_S, LINKS, Cell, Link, measure, table

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.alone]
ALERTS = 200 * int(os.environ.get("HAZARDCAST_TEST_LONGER", "1"))
VEHICLES = 3


def cells(folder: Path, *links: Link) -> list[Cell]:
    ours, _ = measure(folder, links, vehicles=VEHICLES, alerts=ALERTS)
    print(table(ours))
    return ours


def late(cell: Cell) -> str:
    return f"{cell.link.name}, {cell.vehicle}: {[round(d, 3) for d in cell.delays_s if d > 0.5]} s"


@pytest.mark.timeout(300 + ALERTS)
@pytest.mark.parametrize("pair", [(0, 1), (2, 3)], ids=["0 and 5 %", "20 and 30 %"])
def test_at_up_to_30_percent_loss_every_console_has_it_in_time(
    pair: tuple[int, int], namespaces: None, tmp_path: Path
) -> None:
    """≥ 99.5 % within 500 ms, and all of them within 2 s, on each vehicle."""
    for cell in cells(tmp_path, *(LINKS[number] for number in pair)):
        assert cell.share_within(IN_TIME_S) >= 0.995, late(cell)
        assert cell.share_within(AT_LAST_S) == 1.0, late(cell)


@pytest.mark.timeout(300 + ALERTS)
def test_at_20_percent_loss_with_bursts_every_console_has_it_in_time(
    namespaces: None, tmp_path: Path
) -> None:
    """≥ 99 % within 500 ms: loss that comes in bursts of 50 ms, and such bursts on top of loss."""
    for cell in cells(tmp_path, LINKS[4], LINKS[5]):
        assert cell.share_within(IN_TIME_S) >= 0.99, late(cell)
        assert cell.share_within(AT_LAST_S) == 1.0, late(cell)
