"""The screen of `hazardcast up`."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hazardcast_tools.cli.lines import PrefixedLines
from hazardcast_tools.stack.local_stack import Machine

from hazardcast.machine.clock import SystemClock
from hazardcast.service.processes import Process
from hazardcast.testing import eventually


def test_lines_of_a_process_neither_steer_the_terminal_nor_pass_for_anothers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = PrefixedLines()

    lines("alerter", "err", "bad \x1b[2J\x1b]0;owned\x07 \u202egnp\rcamera     | all well\tnow")
    lines.own("stopped\x1b[2J")
    lines.close()

    assert capsys.readouterr().out == (
        "alerter    | bad �[2J�]0;owned� �gnp�camera     | all well   now\nstopped�[2J\n"
    )


def test_a_process_whose_lines_cannot_be_shown_goes_on() -> None:
    heard: list[str] = []

    def sink(_name: str, _stream: str, line: str) -> None:
        heard.append(line)
        raise BrokenPipeError

    machine = Machine(sink=sink, clock=SystemClock(), restart=False)
    chatty = "for n in range(20_000): print('x' * 80)\nprint('end', flush=True)"
    machine.start([Process("chatty", (sys.executable, "-c", chatty))])

    eventually(lambda: heard and heard[-1] == "end", within_s=20)

    machine.stop()
    assert len(heard) == 20_001


SUPERVISOR = """
import signal
import subprocess
import sys
from pathlib import Path
from hazardcast_tools.cli.lines import PrefixedLines
from hazardcast.machine.clock import SystemClock
from hazardcast.service.lifecycle import stop_on_signals
from hazardcast_tools.stack.local_stack import Machine
from hazardcast.service.processes import Process
lines, stop = PrefixedLines(), stop_on_signals()
machine = Machine(sink=lines, clock=SystemClock(), restart=True)
chatty = "import pathlib, sys, time\\n"
chatty += "for n in range(20_000): print('x' * 80)\\n"
chatty += "sys.stdout.flush()\\npathlib.Path(sys.argv[1]).touch()\\ntime.sleep(60)"
machine.start([Process("chatty", (sys.executable, "-c", chatty, sys.argv[1]))])
machine.run(stop, lambda death: lines.own(str(death)), lambda: None)
lines.own("stopping")
machine.stop()
lines.close()
"""


def test_a_held_terminal_holds_up_neither_a_process_nor_the_end(tmp_path: Path) -> None:
    done = tmp_path / "done"
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(done)], stdout=subprocess.PIPE
    )
    assert supervisor.stdout

    eventually(done.exists, within_s=20, what="the child went on though nobody read")
    supervisor.send_signal(signal.SIGTERM)

    assert supervisor.wait(8) == 0
    told = supervisor.stdout.read().decode().splitlines()
    assert len(told) < 2_000, "what nobody read is dropped, not waited for"
