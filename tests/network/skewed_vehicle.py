"""`skewed_vehicle.py SECONDS LATER`: a vehicle-agent on a machine whose clock is off by SECONDS.

The whole process lives by the wrong clock: what it reads itself, and the times that the kernel stamps
on datagrams. No time daemon vouches for it. At SIGUSR1 the clock is set, to be off by LATER.
"""

from __future__ import annotations

import runpy
import signal
import sys
from unittest import mock

from vehicle_agent import service

from hazardcast.machine.clock import SystemClock
from hazardcast.net.multicast import Packet

offs_s = [float(sys.argv[1])]
right_now = SystemClock.now
right_stamp = vars(Packet)["kernel_time"].fget


def now(clock: SystemClock) -> float:
    return right_now(clock) + offs_s[-1]


def stamp(packet: Packet) -> float | None:
    seconds: float | None = right_stamp(packet)
    return None if seconds is None else seconds + offs_s[-1]


def set_clock(*_: object) -> None:
    offs_s.append(float(sys.argv[2]))


mock.patch.object(SystemClock, "now", now).start()
mock.patch.object(Packet, "kernel_time", property(stamp)).start()
mock.patch.object(service, "kernel_bound_s", return_value=None).start()
signal.signal(signal.SIGUSR1, set_clock)
runpy.run_module("vehicle_agent", run_name="__main__")
