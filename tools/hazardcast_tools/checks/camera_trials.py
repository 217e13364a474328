"""Has recorder and detector try the cameras, each in a process of its own, and hears them."""

from __future__ import annotations

import importlib.util
import queue
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from hazardcast.contract import trials
from hazardcast.contract.trials import RecordingTrial, Waiting, WatchingTrial
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.service import processes
from hazardcast.service.processes import Child, Process, Stream

RECORDER, DETECTOR = "recorder.trial", "detector.trial"
DETECTOR_S = 25.0
"""The detector gets so long at least: it opens a camera for 5 s and asks again after up to 2."""
AFTER_RECORDER_S = 5.0
ENDING_S = 12.0
"""A process that is asked to stop tells what it has by then."""
LONGEST_S = 240.0
"""Trials end by themselves before."""
LOOK_S = 0.2


@dataclass
class Tried:
    """What the services said of the cameras."""

    recording: dict[str, RecordingTrial] = field(default_factory=dict)
    watching: dict[str, WatchingTrial] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    """Last line on stderr of a module that told nothing, by module."""


def is_here(module: str) -> bool:
    """Whether this installation has a service's module, as an image of one service has not."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def run(
    modules: Iterable[str], cameras: Iterable[str], *, tell: Callable[[Waiting], None],
    clock: Clock | None = None,
) -> Tried:  # fmt: skip
    """Try `cameras` by each of `modules`, side by side; `tell` hears of those that must wait."""
    return _Trials(clock or SystemClock(), tell).run(tuple(modules), ",".join(cameras))


class _Trials:
    def __init__(self, clock: Clock, tell: Callable[[Waiting], None]) -> None:
        self._clock, self._tell = clock, tell
        self._lines: queue.Queue[tuple[str, Stream, str]] = queue.Queue()
        self._tried = Tried()

    def run(self, modules: tuple[str, ...], cameras: str) -> Tried:
        children = {
            module: Child(
                Process(module, processes.python_module(module), {"cameras": cameras}), self._hear
            )
            for module in modules
        }
        try:
            self._follow(children)
        finally:
            for child in children.values():
                child.reap()
        for line in self._waiting_lines():
            self._take(*line)
        return self._tried

    def _hear(self, name: str, stream: Stream, line: str) -> None:
        self._lines.put((name, stream, line))

    def _follow(self, children: dict[str, Child]) -> None:
        """Until all have ended: the detector when it has had as long as the recorder and more."""
        began_s = self._clock.monotonic()
        detector_until_s = began_s + LONGEST_S
        asked_s: float | None = None
        while any(child.poll() is None for child in children.values()):
            for line in self._waiting_lines(LOOK_S):
                self._take(*line)
            now_s = self._clock.monotonic()
            recorder = children.get(RECORDER)
            if recorder is None or recorder.poll() is not None:
                least_s = max(began_s + DETECTOR_S, now_s + AFTER_RECORDER_S)
                detector_until_s = min(detector_until_s, least_s)
            if asked_s is None and now_s > detector_until_s:
                asked_s = now_s
                for child in children.values():
                    child.terminate()
            if asked_s is not None and now_s > asked_s + ENDING_S:
                return

    def _waiting_lines(self, timeout_s: float = 0.0) -> Iterator[tuple[str, Stream, str]]:
        """What has been said, after waiting for it."""
        try:
            yield self._lines.get(timeout=timeout_s) if timeout_s else self._lines.get_nowait()
            while True:
                yield self._lines.get_nowait()
        except queue.Empty:
            return

    def _take(self, module: str, stream: Stream, line: str) -> None:
        word = trials.read(line) if stream == "out" else None
        if isinstance(word, RecordingTrial):
            self._tried.recording[word.camera] = word
        elif isinstance(word, WatchingTrial):
            self._tried.watching[word.camera] = word
        elif isinstance(word, Waiting):
            self._tell(word)
        elif line.strip():
            self._tried.problems[module] = line.strip()
