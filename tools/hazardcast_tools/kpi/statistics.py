"""What a count proves, and where a spread lies. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
_HALVINGS = 60


@dataclass(frozen=True)
class Spread:
    """Quantiles of some times, in seconds; of few, the upper ones are the worst itself."""

    count: int
    p50_s: float
    p95_s: float
    p99_s: float
    max_s: float


def spread(values_s: Sequence[float]) -> Spread | None:
    """The spread of `values_s`, None of nothing; quantiles are values that occurred."""
    if not values_s:
        return None
    ordered = sorted(values_s)
    p50_s, p95_s, p99_s = (_nearest_rank(ordered, share) for share in (0.5, 0.95, 0.99))
    return Spread(len(ordered), p50_s, p95_s, p99_s, ordered[-1])


def _nearest_rank(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def proven(successes: int, tries: int, *, confidence: float = CONFIDENCE) -> float:
    """The probability of success that the count proves at least.

    The exact lower bound of Clopper and Pearson (Biometrika 26, 1934), one-sided: with any smaller
    probability, so many successes would come with a chance of less than 1 - `confidence`.

    Raises:
        ValueError: more successes than tries, or fewer than none.
    """
    if not 0 <= successes <= tries:
        raise ValueError(f"{successes} successes of {tries} tries")
    if successes == 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _at_least(successes, tries, middle) < 1.0 - confidence:
            low = middle
        else:
            high = middle
    return low


def tries_to_prove(share: float, *, misses: int = 0, confidence: float = CONFIDENCE) -> int:
    """The fewest tries, `misses` of them failures, that prove at least `share`."""
    high = misses + 1
    while proven(high - misses, high, confidence=confidence) < share:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        enough = middle > misses and proven(middle - misses, middle, confidence=confidence) >= share
        low, high = (low, middle) if enough else (middle, high)
    return high


def _at_least(successes: int, tries: int, probability: float) -> float:
    """The chance of at least so many successes, summed over the fewer misses."""
    if probability in (0.0, 1.0):
        return probability
    yes, no = math.log(probability), math.log1p(-probability)
    return math.fsum(
        math.exp(_log_choose(tries, misses) + (tries - misses) * yes + misses * no)
        for misses in range(tries - successes + 1)
    )


def _log_choose(tries: int, misses: int) -> float:
    return math.lgamma(tries + 1) - math.lgamma(misses + 1) - math.lgamma(tries - misses + 1)
