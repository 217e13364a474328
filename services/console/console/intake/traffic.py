"""Detections of a camera, gathered: tracks of ten seconds, and ten minutes' traffic. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from console.store.statistics import MINUTE_S, SPEED_STEP_MPS, quantile
from hazardcast.contract.messages import DetectedObject, Detections

BLOCK_S = 10
WINDOW_S = 600
FASTEST_STEPS = 160
MOST_FRAMES = 40 * BLOCK_S
"""Of a block: a detector that is faster is thinned."""
MOST_TRACKS = 100_000
LATE_S = 30.0
"""Frames older than the newest by more than this are another run's, and not counted."""

Frame = list[Any]
"""[ts, width, height, [[track, label, score, x1, y1, x2, y2, speed or None], …]]."""


def frame(word: Detections) -> Frame:
    """A frame as it is kept: short, because there are millions."""
    objects = [
        [
            one.track_id,
            one.label,
            round(one.score, 2),
            *(round(value, 1) for value in one.box),
            None if one.speed_mps is None else round(one.speed_mps, 1),
        ]
        for one in word.objects
    ]
    return [round(word.ts, 3), word.width, word.height, objects]


def window(ts: float, length_s: int) -> int:
    """The start of the window that a moment lies in, epoch seconds."""
    return int(ts // length_s) * length_s


@dataclass
class Block:
    """What was seen in ten seconds."""

    start: int
    frames: list[Frame] = field(default_factory=list)

    def add(self, word: Detections) -> None:
        """Take a frame."""
        if len(self.frames) < MOST_FRAMES:
            self.frames.append(frame(word))


@dataclass
class _Class:
    tracks: set[int] = field(default_factory=set)
    most_at_once: int = 0
    seconds: set[int] = field(default_factory=set)


@dataclass
class _Minute:
    counts: dict[str, int] = field(default_factory=dict)
    """Tracks by class, each in the minute in which it was seen first."""
    seconds: set[int] = field(default_factory=set)
    speeds: list[int] = field(default_factory=lambda: [0] * FASTEST_STEPS)

    def result(self) -> dict[str, Any]:
        return {"counts": self.counts, "seconds": len(self.seconds), "speeds": _short(self.speeds)}


@dataclass
class Window:
    """Ten minutes of one camera, as they are counted."""

    start: int
    frames: int = 0
    classes: dict[str, _Class] = field(default_factory=dict)
    minutes: dict[int, _Minute] = field(default_factory=dict)
    model: str = ""
    changed: bool = False
    before: Mapping[str, Any] | None = None
    """What was stored of these minutes when this began to be; None: not looked up yet."""

    def add(self, word: Detections) -> None:
        """Count a frame."""
        second = int(word.ts) - self.start
        minute = self.minutes.setdefault(second // MINUTE_S, _Minute())
        minute.seconds.add(second)
        self.frames += 1
        self.model = word.model
        self.changed = True
        here: dict[str, int] = {}
        for one in word.objects:
            here[one.label] = here.get(one.label, 0) + 1
            self._count(one, minute, second)
        for label, number in here.items():
            self.classes[label].most_at_once = max(self.classes[label].most_at_once, number)

    def _count(self, one: DetectedObject, minute: _Minute, second: int) -> None:
        counted = self.classes.setdefault(one.label, _Class())
        counted.seconds.add(second)
        if one.track_id not in counted.tracks and len(counted.tracks) < MOST_TRACKS:
            counted.tracks.add(one.track_id)
            minute.counts[one.label] = minute.counts.get(one.label, 0) + 1
        if one.speed_mps is not None:
            minute.speeds[min(int(one.speed_mps / SPEED_STEP_MPS), FASTEST_STEPS - 1)] += 1

    def result(self) -> dict[str, Any]:
        """What is to be said of it so far."""
        return {
            "frames": self.frames,
            "coverage_s": sum(len(one.seconds) for one in self.minutes.values()),
            "classes": {
                label: {
                    "tracks": len(one.tracks),
                    "most_at_once": one.most_at_once,
                    "seen_s": len(one.seconds),
                }
                for label, one in self.classes.items()
            },
            "minutes": {str(at): one.result() for at, one in sorted(self.minutes.items())},
            "model": self.model,
        }


def joined(result: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """A window that two processes counted, one after the other, with its speeds reckoned."""
    before = before or {}
    minutes = _joined_minutes(result["minutes"], before.get("minutes", {}))
    speeds = added(*(one["speeds"] for one in minutes.values()))
    return {
        "frames": result["frames"] + before.get("frames", 0),
        "coverage_s": min(WINDOW_S, result["coverage_s"] + before.get("coverage_s", 0)),
        "classes": _joined_classes(result["classes"], before.get("classes", {})),
        "minutes": minutes,
        "speed_p50_mps": quantile(speeds, 0.5),
        "speed_p85_mps": quantile(speeds, 0.85),
        "model": result["model"] or before.get("model", ""),
    }


def _joined_classes(new: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    classes = {label: dict(counts) for label, counts in before.items()}
    for label, one in new.items():
        held = classes.get(label, {"tracks": 0, "most_at_once": 0, "seen_s": 0})
        classes[label] = {
            "tracks": held["tracks"] + one["tracks"],
            "most_at_once": max(held["most_at_once"], one["most_at_once"]),
            "seen_s": min(WINDOW_S, held["seen_s"] + one["seen_s"]),
        }
    return classes


def _joined_minutes(new: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    nothing: dict[str, Any] = {"counts": {}, "seconds": 0, "speeds": []}
    return {
        at: _joined_minute(new.get(at, nothing), before.get(at, nothing))
        for at in sorted({*new, *before}, key=int)
    }


def _joined_minute(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "counts": summed(one["counts"], other["counts"]),
        "seconds": min(MINUTE_S, one["seconds"] + other["seconds"]),
        "speeds": added(one["speeds"], other["speeds"]),
    }


def summed(*counts: Mapping[str, int]) -> dict[str, int]:
    """Counts by class, added up."""
    return {
        label: sum(one.get(label, 0) for one in counts)
        for label in sorted({label for one in counts for label in one})
    }


def added(*speeds: Sequence[int]) -> list[int]:
    """Counts by step of speed, added up."""
    return [sum(steps) for steps in zip_longest(*speeds, fillvalue=0)]


def _short(counts: list[int]) -> list[int]:
    while counts and not counts[-1]:
        counts = counts[:-1]
    return counts


PENALTIES = {"critical": 60.0, "high": 40.0, "medium": 20.0, "low": 10.0}
LEAST_COVERAGE_S = 60


def safety_score(severities: list[str], coverage_s: int) -> float | None:
    """100 less a penalty for each incident by its severity, not below 0; None: hardly looked at."""
    if coverage_s < LEAST_COVERAGE_S and not severities:
        return None
    return max(0.0, 100.0 - sum(PENALTIES.get(one, 0.0) for one in severities))


class Traffic:
    """One camera's present block and window."""

    def __init__(self) -> None:
        self.block: Block | None = None
        self.window: Window | None = None

    def add(self, word: Detections) -> tuple[Block | None, Window | None]:
        """Take a frame; what it completes is handed out."""
        block = self._turn_block(word.ts)
        done = self._turn_window(word.ts)
        if self.block and window(word.ts, BLOCK_S) == self.block.start:
            self.block.add(word)
        if self.window and window(word.ts, WINDOW_S) == self.window.start:
            self.window.add(word)
        return block, done

    def _turn_block(self, ts: float) -> Block | None:
        start = window(ts, BLOCK_S)
        if self.block and abs(ts - self.block.start) < LATE_S and start <= self.block.start:
            return None
        done, self.block = self.block, Block(start)
        return done

    def _turn_window(self, ts: float) -> Window | None:
        start = window(ts, WINDOW_S)
        if self.window and self.window.start - LATE_S < ts and start <= self.window.start:
            return None
        done, self.window = self.window, Window(start)
        return done

    def close_before(self, now: float) -> tuple[Block | None, Window | None]:
        """What is over though no later frame says so."""
        block = self.block if self.block and now > self.block.start + 2 * BLOCK_S else None
        done = self.window if self.window and now > self.window.start + WINDOW_S + LATE_S else None
        self.block = None if block else self.block
        self.window = None if done else self.window
        return block, done
