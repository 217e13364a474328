"""Run a service on a wall clock that can be set: `python shifted_clock.py OFFSET_FILE MODULE`.

The file holds the seconds by which the machine's clock is wrong; the monotonic clock stays right, as
it does when an administrator or NTP sets the time.
"""

import runpy
import sys
from pathlib import Path

from hazardcast.machine import clock

_right = clock.SystemClock.now


def _shifted(self: clock.SystemClock) -> float:
    return _right(self) + float(_offset.read_text())


if __name__ == "__main__":
    _offset, module = Path(sys.argv[1]), sys.argv[2]
    clock.SystemClock.now = _shifted  # type: ignore[method-assign]
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
