"""The table of cameras in the documents is the zoo's, and no camera in it is lost without a word."""

from __future__ import annotations

from tests.zoo import table
from tests.zoo.rows import ROWS

MOST_REFUSED = 8


def told() -> list[tuple[str, ...]]:
    return table.rows_told(table.PAGE.read_text(encoding="utf-8"))


def test_the_zoo_has_at_least_forty_cameras_each_of_its_own_name() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS) >= 40


def test_the_table_has_the_zoos_rows_and_no_other() -> None:
    assert [line[:2] for line in told()] == [(row.name, row.says) for row in ROWS], table.COMMAND


def test_no_camera_is_lost_without_a_word() -> None:
    words = {row.name: (row.refused and row.refused.detail) or row.unwatched for row in ROWS}
    refused = {name: cells for name, _, *cells in told() if _is_refused(cells)}

    assert len(refused) <= MOST_REFUSED
    for name, cells in refused.items():
        word = words[name]
        assert word, name
        assert any(word in cell for cell in cells), name


def test_what_is_not_true_of_a_camera_is_a_known_fault_of_its_row() -> None:
    known = {row.name for row in ROWS if row.known}
    untrue = {name for name, _, *cells in told() if any(c.startswith("no") for c in cells)}

    assert untrue == known


def _is_refused(cells: list[str]) -> bool:
    return any(cell.startswith("refused") for cell in cells)
