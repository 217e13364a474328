"""`behind_alerter.py SECONDS`: an alerter whose machine came up SECONDS behind; SIGUSR1 sets its clock right."""

from __future__ import annotations

import runpy
import signal
import sys

from hazardcast.machine.clock import SystemClock

behind_s = [float(sys.argv[1])]
right_now = SystemClock.now


def now(clock: SystemClock) -> float:
    return right_now(clock) - behind_s[-1]


setattr(SystemClock, "now", now)  # noqa: B010 - a method, which nobody may assign to
signal.signal(signal.SIGUSR1, lambda *_: behind_s.append(0.0))
runpy.run_module("alerter", run_name="__main__")
