"""Processes that die: at random moments, with a file, or because they hang."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from privacy import folders as shelf
from privacy.folders import Folders
from privacy.supervisor import Supervisor

from hazardcast.machine.clock import SystemClock
from hazardcast.testing import eventually
from tests.privacy import kills
from tests.privacy.conftest import Record

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def test_twenty_kills_at_random_moments_lose_double_and_show_nothing(ffmpeg: str) -> None:
    """In a process of its own: it forks, which no process may that has used OpenCV's threads."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.privacy.kills", "--kills", "20"],
        cwd=ROOT, capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip

    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 lost, 0 doubled, 0 unverified visible" in run.stdout


class TestSupervisor:
    """Workers as the service runs them."""

    @pytest.fixture
    def folders(self, tmp_path: Path) -> Folders:
        made = Folders(tmp_path / "privacy")
        made.make()
        return made

    @pytest.fixture
    def hanging(self, tmp_path: Path) -> Path:
        module = tmp_path / "hanging.py"
        module.write_text(
            "import time\n\n\ndef apply_blur(frame, thread_id=0):\n    time.sleep(600)\n"
        )
        return module

    @pytest.fixture
    def supervisor(
        self, folders: Folders, ffmpeg: str, hanging: Path, request: pytest.FixtureRequest
    ) -> Iterator[Supervisor]:
        plan = kills.plan_for(folders.root, ffmpeg)
        if request.param == "hangs":
            plan = plan.model_copy(update={"blur_module_path": str(hanging), "max_attempts": 1})
        made = Supervisor(plan, 1, clock=SystemClock(), stalled_s=2.0)
        yield made
        made.close()

    @pytest.mark.parametrize("supervisor", ["works"], indirect=True)
    def test_a_killed_workers_file_is_done_by_the_next(
        self, supervisor: Supervisor, folders: Folders, record: Record
    ) -> None:
        name = kills.add(folders, record(), 0)

        def held() -> bool:
            supervisor.look()
            return list(shelf.held_elsewhere(folders)) == [name]

        def shown() -> bool:
            supervisor.look()
            return shelf.listed(folders.out) == [name]

        eventually(held, within_s=60, what="the file is claimed")
        os.kill(supervisor.pids[1], signal.SIGKILL)
        eventually(shown, within_s=60, what="the file is shown")
        assert supervisor.restarts == 1

    @pytest.mark.parametrize("supervisor", ["hangs"], indirect=True)
    def test_a_module_that_hangs_is_ended_and_its_file_put_aside(
        self, supervisor: Supervisor, folders: Folders, record: Record
    ) -> None:
        name = kills.add(folders, record(), 0)

        def aside() -> bool:
            supervisor.look()
            return shelf.listed(folders.quarantine) == [name]

        eventually(aside, within_s=90, what="the file is put aside")
        assert not shelf.listed(folders.out)
