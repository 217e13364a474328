"""`wrong_clock.py FILE MODULE`: a service on a machine whose clock is off by the seconds in FILE.

The file is read again and again. What the process reads itself and the times that the kernel
stamps on datagrams are off alike, as on a machine whose clock is wrong; no time daemon vouches for
it. libfaketime could not do the second, and with it every `time.sleep` of Python 3.11 fails
(EINVAL, 0.9.10).
"""

from __future__ import annotations

import runpy
import sys
import time
from pathlib import Path
from unittest import mock

from hazardcast.machine.clock import SystemClock
from hazardcast.net.multicast import Packet

EVERY_S = 0.2
right_now = SystemClock.now
right_stamp = vars(Packet)["kernel_time"].fget
looked = [float("-inf"), 0.0]


def off_s() -> float:
    at = time.monotonic()
    if at - looked[0] > EVERY_S:
        looked[:] = [at, float(Path(sys.argv[1]).read_text())]
    return looked[1]


def now(clock: SystemClock) -> float:
    return right_now(clock) + off_s()


def stamp(packet: Packet) -> float | None:
    seconds: float | None = right_stamp(packet)
    return None if seconds is None else seconds + off_s()


mock.patch.object(SystemClock, "now", now).start()
mock.patch.object(Packet, "kernel_time", property(stamp)).start()
if sys.argv[2] == "vehicle_agent":
    from vehicle_agent import service

    mock.patch.object(service, "kernel_bound_s", return_value=None).start()
runpy.run_module(sys.argv[2], run_name="__main__")
