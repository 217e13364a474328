"""Whether what came of a camera is true, picture by picture, by the clock burnt into each. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.zoo.film import LEVELS
from tests.zoo.row import Row
from tests.zoo.watching import Kept, Shown, Watched

ALIKE_LEVELS = 6.0
LEAST_SEEN = 0.9
"""Of a clip's pictures the detector, which may drop some, has seen so many."""
LEAST_READABLE = 0.8
"""Where pictures are spoilt on the way."""
ALIKE_SHAPES = 0.01
REORDERED = 4
WAKING_S = 1.0
"""A decoder that comes in between key frames shows spoilt pictures for so long."""


@dataclass
class Verdict:
    """What is wrong; nothing is where all three are empty."""

    recorded: list[str] = field(default_factory=list)
    clip: list[str] = field(default_factory=list)
    detector: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not (self.recorded or self.clip or self.detector)

    @property
    def faults(self) -> list[str]:
        return [f"{part}: {one}" for part in ("recorded", "clip", "detector") for one in getattr(self, part)]  # fmt: skip


class Truth:
    """What the film's pictures show and when each was taken."""

    def __init__(self, row: Row, began: Sequence[float]) -> None:
        self._places = {clock: place for place, clock in enumerate(row.film.clock_ms)}
        self._base_ms, self._began = row.film.base_ms, began

    def place(self, clock_ms: int | None) -> int | None:
        return None if clock_ms is None else self._places.get(clock_ms)

    def error_s(self, clock_ms: int, wall: float) -> float:
        """How far `wall` is from when the picture was taken, for the viewer that fits best."""
        taken_s = (clock_ms - self._base_ms) / 1000
        return min((wall - began - taken_s for began in self._began), key=abs)


def judge(row: Row, watched: Watched) -> Verdict:
    """Compare everything with the film."""
    truth, verdict = Truth(row, watched.began), Verdict()
    if row.refused is not None:
        verdict.recorded = _refused(row, watched)
        return verdict
    verdict.recorded = _recorded(row, watched, truth)
    verdict.clip = _clip(row, watched, truth)
    verdict.detector = _detector(row, watched, truth)
    return verdict


def _refused(row: Row, watched: Watched) -> list[str]:
    assert row.refused is not None
    told = [(state, detail) for _, state, detail in watched.states]
    if any(state == row.refused.state and row.refused.detail in detail for state, detail in told):
        return []
    return [f"not refused in the words expected, but {told}"]


def _recorded(row: Row, watched: Watched, truth: Truth) -> list[str]:
    if not watched.kept:
        return [f"nothing is recorded; said: {_last(watched)}"]
    faults = []
    length_s = sum(one.end - one.start for one in watched.kept)
    if length_s < row.record_s:
        faults.append(f"{length_s:.1f} s recorded, wanted {row.record_s:g}; said: {_last(watched)}")
    for kept in watched.kept:
        faults += _whole(row, _settled(kept, watched), truth, "in a file")
        faults += _named(row, kept, truth)
    for before, after in pairwise(watched.kept):
        faults += _seam(row, before, after, truth)
    causes = {run.cause for run in watched.runs[:-1]}
    if unexpected := causes - set(row.breaks):
        faults.append(f"begun anew: {sorted(map(str, unexpected))}")
    return faults + _beside(row, watched.film_facts, watched.facts, watched.kept[-1].shown)


def _last(watched: Watched) -> str:
    return "; ".join(f"{at:.0f} s {state} {detail}" for at, state, detail in watched.states[-4:])


def _settled(kept: Kept, watched: Watched) -> list[Shown]:
    """Without the last few of a run: it ends while B-frames of them are still to come."""
    ends = [run.ended_at for run in watched.runs if run.ended_at]
    is_last = kept is watched.kept[-1] or any(abs(kept.end - end) < 0.01 for end in ends)
    return kept.shown[:-REORDERED] if is_last else kept.shown


def _whole(row: Row, shown: Sequence[Shown], truth: Truth, where: str, holes: int = 0) -> list[str]:
    """Every picture can be read, and each is followed by the film's next."""
    places = [truth.place(one.clock_ms) for one in shown]
    readable = [place for place in places if place is not None]
    if row.spoils:
        if len(readable) < LEAST_READABLE * len(places) or readable != sorted(set(readable)):
            return [f"{len(places) - len(readable)} of {len(places)} pictures unreadable {where}"]
        return []
    if len(readable) < len(places):
        return [f"{len(places) - len(readable)} of {len(places)} pictures unreadable {where}"]
    steps = [later - earlier for earlier, later in pairwise(readable)]
    if doubled := sum(step <= 0 for step in steps):
        return [f"{doubled} pictures doubled or out of order {where}"]
    lost = [(at, step - 1) for at, step in zip(readable, steps, strict=False) if step > 1]
    told = ", ".join(f"{count} after {at}" for at, count in lost)
    return [f"pictures lost {where}: {told}"] if len(lost) > holes else []


def _named(row: Row, kept: Kept, truth: Truth) -> list[str]:
    clocks = [
        one.clock_ms
        for one in kept.shown
        if one.clock_ms is not None and truth.place(one.clock_ms) is not None
    ]
    if not clocks:
        return ["a file without a picture"]
    errors = [truth.error_s(clocks[0], kept.start), truth.error_s(clocks[-1], kept.end)]
    worst = max(errors, key=abs)
    return [f"a name is wrong by {worst:.2f} s"] if abs(worst) > row.tolerance_s else []


def _seam(row: Row, before: Kept, after: Kept, truth: Truth) -> list[str]:
    """Nothing is lost between two files, or the names tell it and it may be."""
    last = [p for one in before.shown if (p := truth.place(one.clock_ms)) is not None]
    first = [p for one in after.shown if (p := truth.place(one.clock_ms)) is not None]
    if not last or not first or row.spoils:
        return []
    step = first[0] - last[-1]
    if step <= 0:
        return ["the same pictures in two files"]
    if step > 1 and not row.breaks:
        return [f"{step - 1} pictures lost between two files"]
    return []


def _clip(row: Row, watched: Watched, truth: Truth) -> list[str]:
    clip = watched.clip
    if clip.state is None or clip.state.state not in {"ready", "partial"} or not clip.shown:
        said = f"{clip.state.state} {clip.state.detail}" if clip.state else "nothing said"
        return [f"no clip: {said}"]
    faults = []
    holes = _holes(watched.kept, truth)
    pauses = len(row.film.pauses)  # the camera sent nothing then, and the clip says so
    if clip.state.state != "ready" and not holes and len(clip.state.gaps) > pauses:
        faults.append(f"{clip.state.state}: coverage {clip.state.coverage:.3f}, {clip.state.gaps}")
    faults += _whole(row, clip.shown, truth, "in the clip", holes)
    if any(later.at <= earlier.at for earlier, later in pairwise(clip.shown)):
        faults.append("times in the clip that do not rise")
    first = clip.manifest["first_frame_at"]
    errors = [
        truth.error_s(one.clock_ms, first + one.at)
        for one in clip.shown
        if one.clock_ms is not None and truth.place(one.clock_ms) is not None
    ]
    worst = max(errors, key=abs, default=float("inf"))
    if abs(worst) > row.tolerance_s:
        faults.append(f"a picture's time is wrong by {worst:.2f} s")
    if not row.spoils and clip.manifest["frames"] != len(clip.shown):
        faults.append(f"{clip.manifest['frames']} pictures told, {len(clip.shown)} shown")
    if first + clip.shown[-1].at < clip.state.requested.end - row.tolerance_s - 1 / row.film.fps:
        faults.append("it ends too early")
    if first > clip.state.requested.start + row.tolerance_s:
        faults.append("it begins too late")
    if clip.complaints and not row.spoils:
        faults.append(f"ffmpeg complains: {clip.complaints.splitlines()[0][:150]}")
    return faults + _beside(row, watched.film_facts, clip.facts, clip.shown)


def _holes(kept: Sequence[Kept], truth: Truth) -> int:
    """Places between files where pictures are missing."""
    places = [[truth.place(one.clock_ms) or 0 for one in part.shown] for part in kept]
    return sum(b[0] - a[-1] > 1 for a, b in pairwise(places) if a and b)


def _detector(row: Row, watched: Watched, truth: Truth) -> list[str]:
    seen = {one.clock_ms: one for one in watched.seen if truth.place(one.clock_ms) is not None}
    if row.unwatched and not watched.seen and row.unwatched in watched.detector_state:
        return []
    if not seen:
        return [f"of {len(watched.seen)} pictures none is seen rightly: {watched.detector_state}"]
    faults = []
    readable = sum(truth.place(one.clock_ms) is not None for one in watched.seen)
    least = LEAST_READABLE if row.spoils else 1.0
    waking = round(WAKING_S * row.film.fps) if _joins_blind(row) else 0
    if readable < least * (len(watched.seen) - waking):
        faults.append(f"{len(watched.seen) - readable} of {len(watched.seen)} pictures unreadable")
    errors = [truth.error_s(clock, one.at) for clock, one in seen.items() if clock is not None]
    worst = max(errors, key=abs)
    if abs(worst) > row.tolerance_s:
        faults.append(f"a picture's time is wrong by {worst:.2f} s")
    faults += _same(row, watched, seen)
    return faults + _alike(row, watched)


def _joins_blind(row: Row) -> bool:
    return getattr(row.manner, "join", "key") == "middle" or getattr(row.manner, "middle", False)


def _same(row: Row, watched: Watched, seen: dict[int | None, Shown]) -> list[str]:
    """The detector has seen what the clip shows, at the same time."""
    if not watched.clip.shown:
        return []
    first = watched.clip.manifest["first_frame_at"]
    begin, end = min(one.at for one in seen.values()), max(one.at for one in seen.values())
    both = [
        (first + one.at, seen.get(one.clock_ms))
        for one in watched.clip.shown
        if begin + 0.5 <= first + one.at <= end - 0.5
    ]
    found = [(wall, one) for wall, one in both if one is not None]
    if len(found) < LEAST_SEEN * len(both) - 1 or not found:
        return [f"has seen {len(found)} of the clip's {len(both)} pictures"]
    apart = max(abs(wall - one.at) for wall, one in found)
    is_one_film = getattr(row.manner, "join", "key") != "own"
    if is_one_film and apart > row.tolerance_s:
        return [f"dates a picture {apart:.2f} s otherwise than the clip"]
    return []


def _alike(row: Row, watched: Watched) -> list[str]:
    """Brightness and shape are what a viewer of the recording gets."""
    last = watched.seen[-1]
    faults = _levels(last)
    if watched.facts:
        wanted = _shape(watched.facts)
        if abs(last.size[0] / last.size[1] / wanted - 1) > ALIKE_SHAPES:
            faults.append(f"sees {last.size[0]}x{last.size[1]}, shown is a shape of {wanted:.3f}")
    return faults


def _levels(shown: Shown) -> list[str]:
    if all(abs(a - b) <= ALIKE_LEVELS for a, b in zip(shown.levels, LEVELS, strict=True)):
        return []
    return [f"brightness {tuple(round(one) for one in shown.levels)} instead of {LEVELS}"]


def _shape(facts: dict[str, Any]) -> float:
    """Width by height as a player shows it."""
    across, _, down = (facts.get("sample_aspect_ratio") or "1:1").partition(":")
    ratio = int(across) / int(down) if int(down or 0) and int(across) else 1.0
    return float(facts["width"] * ratio / facts["height"])


def _beside(row: Row, film: dict[str, Any], found: dict[str, Any], shown: Sequence[Shown]) -> list[str]:  # fmt: skip
    """What stands beside the pictures came along."""
    faults = _levels(shown[-1]) if shown and not row.spoils else []
    if not film or not found:
        return faults
    if abs(_shape(found) / _shape(film) - 1) > ALIKE_SHAPES:
        faults.append(f"a shape of {_shape(found):.3f} instead of {_shape(film):.3f}")
    if film["rotation"] != found["rotation"]:
        faults.append(f"rotation {found['rotation']} instead of {film['rotation']}")
    copied = film["codec_name"] == found["codec_name"]
    if copied and film["interlaced"] != found["interlaced"]:
        faults.append(f"interlaced: {found['interlaced']} instead of {film['interlaced']}")
    sound = getattr(row.manner, "sound", None) or (row.film.sound and "aac")
    if sound and not found["sound"]:
        faults.append("no sound")
    return faults
