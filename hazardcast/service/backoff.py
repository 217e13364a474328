"""How long to wait before what failed is tried again: doubling, with chance in it. Pure.

Those that lost the same thing together must not come back in step (Brooker, "Exponential Backoff
and Jitter", AWS Architecture Blog, 2015).
"""

from __future__ import annotations

import random

MOST_DOUBLINGS = 16


def backoff_s(
    failures: int, *, first_s: float = 1.0, most_s: float = 30.0, least_s: float | None = None
) -> float:
    """Seconds until the next try.

    Args:
        failures: how many were in a row before the last one.
        first_s: the most that is waited after a first failure.
        most_s: the most that is ever waited.
        least_s: the least that is ever waited; by default half of the most for these `failures`.
    """
    ceiling_s = min(most_s, first_s * 2.0 ** min(failures, MOST_DOUBLINGS))
    return random.uniform(ceiling_s / 2 if least_s is None else least_s, ceiling_s)
