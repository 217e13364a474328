from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hazardcast.receiving.sliding_bitmap import WINDOW, SlidingBitmap

STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 3 * WINDOW)), max_size=120)


@given(st.integers(0, WINDOW), STEPS)
def test_it_agrees_with_a_plain_set_whatever_the_order(
    start: int, steps: list[tuple[bool, int]]
) -> None:
    bitmap, highest, marked = SlidingBitmap(start), start, set[int]()
    for is_mark, number in steps:
        if is_mark:
            is_news = number > highest - WINDOW and number not in marked
            assert bitmap.mark(number) is is_news
            if is_news:
                marked.add(number)
        else:
            bitmap.reach(number)
        highest = max(highest, number)
        marked = {one for one in marked if one > highest - WINDOW}

    assert bitmap.highest == highest
    tried = range(-1, highest + 3)
    assert {number for number in tried if bitmap.marked(number)} == marked
    assert all(bitmap.forgotten(number) == (number <= highest - WINDOW) for number in tried)


def test_the_oldest_number_that_can_be_told_is_told() -> None:
    bitmap = SlidingBitmap(0)
    bitmap.mark(0)

    bitmap.reach(WINDOW - 1)
    assert bitmap.marked(0)
    bitmap.reach(WINDOW)
    assert not bitmap.marked(0)
    assert bitmap.forgotten(0)
