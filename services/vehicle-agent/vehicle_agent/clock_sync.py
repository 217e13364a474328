"""What the kernel knows of its clock's error: adjtimex(2), read only."""

from __future__ import annotations

import ctypes

_STA_UNSYNC = 0x0040
_TIME_ERROR = 5


class _TimeValue(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("fraction", ctypes.c_long))


class _Timex(ctypes.Structure):
    """`struct timex` of linux/timex.h, as far as `status` and `maxerror`; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time", _TimeValue),
        ("room", ctypes.c_long * 32),
    )


def kernel_bound_s() -> float | None:
    """Bound on the wall clock's error (maxerror), seconds; None when nothing disciplines it.

    The bound is the NTP root distance, which a time daemon sets and the kernel widens by 500 ppm
    (RFC 5905 §11.1). None too where the system has no adjtimex or does not permit it.
    """
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return None
    timex = _Timex()
    state = adjtimex(ctypes.byref(timex))
    if state < 0 or state == _TIME_ERROR or timex.status & _STA_UNSYNC:
        return None
    return float(timex.maxerror) / 1e6
