"""ITS time: milliseconds of TAI since 2004-01-01T00:00:00 UTC (ETSI TS 102 894-2 TimestampIts).

TAI does not jump at leap seconds, so it runs ahead of UTC by the leap seconds since 2004; the
standard's own example is 2007-01-01T00:00:00Z = 94 694 401 000.
"""

from __future__ import annotations

ITS_EPOCH_MS = 1_072_915_200_000
"""2004-01-01T00:00:00Z in milliseconds since 1970."""

LEAP_SECONDS_AT_S = (1_136_073_600, 1_230_768_000, 1_341_100_800, 1_435_708_800, 1_483_228_800)
"""The first second after each leap second since 2004 (IERS Bulletin C): 2006, 2009, 2012, 2015 and
2017.

None has been announced since; the tables' next entry will be a line here.
"""


def its_ms(epoch_s: float) -> int:
    """ITS time of a moment in epoch seconds (UTC), rounded to the millisecond.

    Raises:
        ValueError: before 2004.
    """
    unix_ms = round(epoch_s * 1000)
    if unix_ms < ITS_EPOCH_MS:
        raise ValueError(f"{epoch_s} is before 2004-01-01, where ITS time begins")
    leap_s = sum(unix_ms >= at_s * 1000 for at_s in LEAP_SECONDS_AT_S)
    return unix_ms - ITS_EPOCH_MS + leap_s * 1000


def epoch_s(its_time_ms: int) -> float:
    """Epoch seconds (UTC) of an ITS time; a leap second itself reads as the second after it."""
    leap_s = sum(its_time_ms >= its_ms(at_s) for at_s in LEAP_SECONDS_AT_S)
    return (its_time_ms + ITS_EPOCH_MS) / 1000 - leap_s
