"""`python -m privacy.worker SLOT PLAN`: a killable process that does files, one after another."""

from __future__ import annotations

import json
import logging
import sys
import threading
from pathlib import Path

from pydantic import ValidationError

from hazardcast.contract.errors import ConfigError
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.service import lifecycle, logs
from hazardcast.vision.pixels import image
from privacy.claiming import Slot
from privacy.folders import Folders, Name
from privacy.plan import Eyes, Plan
from privacy.workbench import NoSpaceError, Tools, UnjudgedError, Workbench

log = logging.getLogger(__name__)
IDLE_S = 0.2
NO_SPACE_S = 10.0
BEAT_S = 1.0
STATE = "state.json"


class StoppedError(UnjudgedError):
    """The worker was asked to stop in the middle of a file."""


class Beat:
    """Tells that the work goes on, and ends it when it is asked to."""

    def __init__(self, path: Path, clock: Clock, stop: threading.Event) -> None:
        self._path, self._clock, self._stop = path, clock, stop
        self._told = float("-inf")
        self._name: Name | None = None
        self._pictures = 0

    def begin(self, name: Name | None) -> None:
        """Another file, or none."""
        self._name, self._pictures, self._told = name, 0, float("-inf")
        self._tell()

    def __call__(self) -> None:
        """One more picture.

        Raises:
            StoppedError: it is time to stop.
        """
        self._pictures += 1
        if self._stop.is_set():
            raise StoppedError
        if self._clock.monotonic() - self._told >= BEAT_S:
            self._tell()

    def _tell(self) -> None:
        self._told = self._clock.monotonic()
        content = {
            "camera": self._name.camera if self._name else None,
            "file": self._name.file if self._name else None,
            "pictures": self._pictures,
            "at": self._clock.now(),
        }
        try:
            self._path.write_text(json.dumps(content), encoding="utf-8")
        except OSError as error:
            log.debug("state cannot be told", extra={"why": error.strerror})


def run(plan: Plan, number: int, clock: Clock, stop: threading.Event) -> None:
    """Do files until `stop` is set.

    Raises:
        ConfigError: a model, a module or a setting is not what it must be.
        BlockingIOError: another process holds this slot.
    """
    image.single_threaded()
    folders = Folders(plan.root)
    folders.make()
    slot = Slot(folders, number, clock=clock)
    try:
        eyes = Eyes(plan)
        tools = Tools(
            plan.ffmpeg, plan.recipe(), eyes.of, eyes.faces, eyes.digests, plan.digest()
        )  # fmt: skip
        beat = Beat(slot.folder / STATE, clock, stop)
        bench = Workbench(
            folders, slot, tools, clock=clock, max_attempts=plan.max_attempts, beat=beat
        )
        _work(slot, bench, beat, clock, stop)
    finally:
        slot.close()


def _work(
    slot: Slot, bench: Workbench, beat: Beat, clock: Clock, stop: threading.Event
) -> None:  # fmt: skip
    beat.begin(None)
    while not stop.is_set():
        name = next(iter(slot.held()), None) or slot.claim()
        if name is None:
            clock.wait(stop, IDLE_S)
            continue
        beat.begin(name)
        try:
            bench.do(name)
        except StoppedError:
            break
        except NoSpaceError:
            log.warning("no space left: waiting", extra={"file": name.file})
            clock.wait(stop, NO_SPACE_S)
        beat.begin(None)


def main(arguments: list[str]) -> None:
    """Run with a slot's number and a plan as JSON."""
    try:
        plan = Plan.model_validate_json(arguments[1])
    except ValidationError as error:
        sys.exit(f"privacy.worker: {error}")
    stop = lifecycle.stop_on_signals()
    logs.configure("INFO", "text")
    try:
        run(plan, int(arguments[0]), SystemClock(), stop)
    except (ConfigError, BlockingIOError) as error:
        logs.last_word(f"hazardcast: privacy: {error}")
        sys.exit(lifecycle.EXIT_BAD_CONFIGURATION)


if __name__ == "__main__":
    main(sys.argv[1:])
