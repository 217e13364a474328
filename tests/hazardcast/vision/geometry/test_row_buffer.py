from __future__ import annotations

import numpy as np

from hazardcast.vision.geometry.row_buffer import FIRST_ROOM, Rows


def test_rows_come_in_at_one_end_and_go_at_the_other() -> None:
    rows = Rows(2)
    for number in range(5 * FIRST_ROOM):
        rows.append((float(number), -float(number)))
        rows.drop_before(number - 9.5)

    assert len(rows) == 10
    assert rows.array[:, 0].tolist() == [
        float(n) for n in range(5 * FIRST_ROOM - 10, 5 * FIRST_ROOM)
    ]
    assert np.array_equal(rows.array[:, 1], -rows.array[:, 0])


def test_what_was_handed_out_stays_as_it_was() -> None:
    rows = Rows(1)
    for number in range(FIRST_ROOM):
        rows.append((float(number),))
    held = rows.array

    rows.drop_before(FIRST_ROOM - 2.0)
    for number in range(3 * FIRST_ROOM):
        rows.append((1000.0 + number,))

    assert held[:, 0].tolist() == [float(n) for n in range(FIRST_ROOM)]


def test_no_row_is_left_when_all_are_too_old() -> None:
    rows = Rows(1)
    rows.append((1.0,))
    rows.drop_before(2.0)

    assert len(rows) == 0
    assert rows.array.shape == (0, 1)


def test_of_more_rows_than_are_to_be_kept_the_oldest_go() -> None:
    rows = Rows(1, at_most=3)
    for number in range(3 * FIRST_ROOM):
        rows.append((float(number),))

    assert rows.array[:, 0].tolist() == [3.0 * FIRST_ROOM - back for back in (3, 2, 1)]
