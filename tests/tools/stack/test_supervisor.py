"""The supervisor over children that exist only in the test, and once over real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from hazardcast_tools.stack.supervisor import MOST_BACKOFF_S, SETTLED_S, Supervisor

from hazardcast.service.processes import Child, Process, Stream
from hazardcast.testing import ManualClock, eventually


@dataclass
class FakeChild:
    name: str
    stubborn: bool = False
    code: int | None = None
    asked: bool = False
    reaped: bool = False
    pid: int = 1

    def poll(self) -> int | None:
        return self.code

    def terminate(self) -> None:
        self.asked = True
        if not self.stubborn:
            self.code = 0

    def reap(self) -> None:
        self.reaped = True
        self.code = -9 if self.code is None else self.code


@dataclass
class Nursery:
    """Makes children and remembers them, in order."""

    stubborn: frozenset[str] = frozenset()
    born: list[FakeChild] = field(default_factory=list)

    def __call__(self, process: Process) -> FakeChild:
        child = FakeChild(process.name, process.name in self.stubborn)
        self.born.append(child)
        return child

    def latest(self, name: str) -> FakeChild:
        return [child for child in self.born if child.name == name][-1]


TABLE = [Process("broker", ("b",), foundation=True), Process("recorder", ("r",))]


def supervisor(nursery: Nursery, clock: ManualClock, *, restart: bool = True) -> Supervisor:
    made = Supervisor(TABLE, nursery, clock=clock, restart=restart)
    made.start()
    return made


def test_everything_is_started_in_the_order_of_the_table(clock: ManualClock) -> None:
    nursery = Nursery()
    supervisor(nursery, clock)

    assert [child.name for child in nursery.born] == ["broker", "recorder"]


def test_a_dead_process_is_started_again_after_its_wait(clock: ManualClock) -> None:
    nursery = Nursery()
    watched = supervisor(nursery, clock)
    nursery.latest("recorder").code = 1

    (death,) = watched.tick()
    assert death.name == "recorder"
    assert death.code == 1
    assert death.again_in_s is not None
    assert watched.tick() == []
    assert len(nursery.born) == 2, "not before its time"

    clock.advance(death.again_in_s)
    watched.tick()
    assert [child.name for child in nursery.born] == ["broker", "recorder", "recorder"]


def test_what_a_dead_process_left_behind_is_ended_too(clock: ManualClock) -> None:
    nursery = Nursery()
    watched = supervisor(nursery, clock)
    nursery.latest("recorder").code = -9

    watched.tick()

    assert nursery.latest("recorder").reaped


def test_waits_grow_with_every_death_but_never_beyond_the_bound(clock: ManualClock) -> None:
    nursery = Nursery()
    watched = supervisor(nursery, clock)
    waits = []
    for _ in range(12):
        nursery.latest("recorder").code = 1
        (death,) = watched.tick()
        assert death.again_in_s is not None
        waits.append(death.again_in_s)
        clock.advance(death.again_in_s)
        watched.tick()

    assert waits[0] <= 1.0
    assert max(waits) <= MOST_BACKOFF_S
    assert waits[-1] >= MOST_BACKOFF_S / 2


def test_a_long_life_forgives_earlier_deaths(clock: ManualClock) -> None:
    nursery = Nursery()
    watched = supervisor(nursery, clock)
    for _ in range(6):
        nursery.latest("recorder").code = 1
        watched.tick()
        clock.advance(MOST_BACKOFF_S)
        watched.tick()

    clock.advance(SETTLED_S)
    nursery.latest("recorder").code = 1
    (death,) = watched.tick()

    assert death.again_in_s is not None
    assert death.again_in_s <= 1.0


def test_without_restarts_a_death_is_only_told(clock: ManualClock) -> None:
    nursery = Nursery()
    watched = supervisor(nursery, clock, restart=False)
    nursery.latest("recorder").code = 3

    (death,) = watched.tick()
    clock.advance(1000)
    watched.tick()

    assert death.again_in_s is None
    assert len(nursery.born) == 2


def test_stopping_asks_first_and_kills_the_stubborn_after_the_grace(clock: ManualClock) -> None:
    nursery = Nursery(stubborn=frozenset({"recorder"}))
    watched = supervisor(nursery, clock)
    before = clock.monotonic()

    assert watched.stop(grace_s=10.0) == ["recorder"]

    assert all(child.asked and child.reaped for child in nursery.born)
    assert clock.monotonic() - before >= 10.0


def test_the_broker_outlives_those_who_lean_on_it(clock: ManualClock) -> None:
    order: list[str] = []

    class Noted(FakeChild):
        def terminate(self) -> None:
            order.append(self.name)
            super().terminate()

    watched = Supervisor(TABLE, lambda p: Noted(p.name), clock=clock, restart=True)
    watched.start()
    watched.stop()

    assert order == ["recorder", "broker"]


def test_nothing_is_started_again_once_stopped(clock: ManualClock) -> None:
    nursery = Nursery()
    watched = supervisor(nursery, clock)
    nursery.latest("recorder").code = 1
    watched.tick()

    watched.stop()
    clock.advance(1000)
    watched.tick()

    assert len(nursery.born) == 2


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-u", "-c", code)


def test_a_childs_lines_come_with_its_name_and_stream() -> None:
    heard: list[tuple[str, Stream, str]] = []
    code = "import sys; print('hello'); print('oh', file=sys.stderr); print('tail', end='')"
    child = Child(Process("speaker", python(code)), lambda *line: heard.append(line))

    eventually(lambda: child.poll() is not None)
    child.reap()

    assert sorted(heard) == [
        ("speaker", "err", "oh"), ("speaker", "out", "hello"), ("speaker", "out", "tail"),
    ]  # fmt: skip


def test_a_child_gets_its_settings_and_the_rest_of_the_environment() -> None:
    heard: list[str] = []
    code = "import os; print(os.environ['HAZARDCAST_MQTT_PORT'], 'PATH' in os.environ)"
    child = Child(
        Process("reader", python(code), {"mqtt_port": "18830"}), lambda *line: heard.append(line[2])
    )

    eventually(lambda: child.poll() is not None)
    child.reap()

    assert heard == ["18830 True"]


@pytest.mark.network
def test_grandchildren_end_with_a_child_that_was_killed() -> None:
    heard: list[str] = []
    code = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(p.pid); time.sleep(60)"
    )
    child = Child(Process("parent", python(code)), lambda *line: heard.append(line[2]))
    eventually(lambda: heard)

    os.kill(child.pid, signal.SIGKILL)
    eventually(lambda: child.poll() is not None)
    child.reap()

    eventually(lambda: gone(int(heard[0])), what="the grandchild ends")


@pytest.mark.network
@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl")
def test_no_orphan_is_left_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "supervising.py"
    script.write_text(
        "import sys, time\n"
        "from hazardcast.service.processes import Child, Process\n"
        "nap = (sys.executable, '-c', 'import time; time.sleep(60)')\n"
        "children = [Child(Process(str(n), nap), print) for n in range(2)]\n"
        "print(*[child.pid for child in children], flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    assert all(psutil.pid_exists(pid) for pid in pids)
    eventually(lambda: all("time.sleep" in " ".join(psutil.Process(pid).cmdline()) for pid in pids))

    parent.kill()
    parent.wait()

    eventually(lambda: all(gone(pid) for pid in pids), what="the children end")


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
