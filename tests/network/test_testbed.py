"""The testbed keeps its word: it loses what it says, and leaves nothing behind."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
import pytest

from benchmarks import testbed
from benchmarks.testbed import Node, Testbed

pytestmark = pytest.mark.network
SENT = 2000

CRASH = """
import os, signal, sys, tempfile
from pathlib import Path
from benchmarks.testbed import Testbed
bed = Testbed(Path(tempfile.gettempdir()), vehicles=1)
sleeper = bed.cars[0].spawn("sleep", "60")
print(os.getpid(), sleeper.process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def share_lost(bed: Testbed, car: Node, *, pause_s: float) -> float:
    receiver = car.inside(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sender = bed.station.inside(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    with receiver, sender:
        receiver.bind(("", 9000))
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
        receiver.setblocking(False)
        heard = 0
        for _ in range(SENT):
            sender.sendto(b"x", (car.address, 9000))
            time.sleep(pause_s)
            heard += _waiting(receiver)
        time.sleep(0.2)
        return 1 - (heard + _waiting(receiver)) / SENT


def _waiting(receiver: socket.socket) -> int:
    count = 0
    try:
        while receiver.recv(10):
            count += 1
    except BlockingIOError:
        return count
    return count


def test_links_lose_what_they_are_told_to(make_bed: Callable[[int], Testbed]) -> None:
    bed = make_bed(1)
    (car,) = bed.cars
    assert share_lost(bed, car, pause_s=0) == 0
    bed.lose(car, 0.3)
    assert 0.25 < share_lost(bed, car, pause_s=0) < 0.35
    bed.mend(car)
    with bed.bursts([car], share=0.2):
        assert 0.1 < share_lost(bed, car, pause_s=0.002) < 0.3
    assert share_lost(bed, car, pause_s=0) == 0


def test_what_a_crash_left_is_swept_away(namespaces: None) -> None:
    died = subprocess.run([sys.executable, "-c", CRASH], capture_output=True, text=True, check=False)  # fmt: skip
    owner, sleeper = died.stdout.split()

    def left() -> bool:
        listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
        return f"{testbed.PREFIX}-{owner}-" in listed.stdout

    assert left()
    testbed.sweep()

    assert not left()
    assert not psutil.pid_exists(int(sleeper)) or psutil.Process(int(sleeper)).status() == "zombie"
