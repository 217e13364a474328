"""What the judge of impacts learns from: the jolts of all clips, by the service's own code.

`places.csv` says, in fractions of the frame, where each accident happens at about its labelled
time (read by eye). A jolt there and then is a crash, one before the event or in a clip without an
accident is none, one after the event elsewhere (others brake for it) is left out.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from detector.evaluation.cached import DetectionsFile
from detector.evaluation.labels import Clip, clips_of
from detector.evaluation.variation import Variation, passes, rounds
from detector.impact import net
from detector.impact.watch import ImpactWatch
from detector.tracking.tracks import Track, Tracker
from detector.view.background_history import Glimpses

from hazardcast.contract.incident_types import IncidentType
from hazardcast.vision.models.opener import Model
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.colour_histogram import looks
from hazardcast.vision.pixels.sources import FileFrames

FIRST_S, LAST_S = 0.25, 3.5
"""After the event its jolts count as those of a crash from and until."""
JOLT_S = (-0.5, 1.6)
"""… if the jolt itself lies within this of the event."""
BEFORE_S = 0.3
"""Until so long before the event nothing has happened yet."""
WITHIN = 0.3
"""Of the time about the event a vehicle's centre must be at the place for this share."""
LEARNT_FROM = 100
"""The variations that are learnt from are numbered from here: they are not those it is tried on."""
SAME_SCENE = {
    "suburb": "suburb",
    "video02": "video02",
    "highway02": "video02",
    "bridge": "bridge",
    "ubiwhere": "ubiwhere",
    "van_fire": "van_fire",
    "drawn": "drawn",
    "f776655321": "1519",
}


@dataclass(frozen=True)
class Moments:
    """Rows of one clip under one source of boxes."""

    clip: Clip
    source: str
    """Whose boxes they are."""
    group: str
    """Clips of one source video share it."""
    features: np.ndarray
    """(N, F)"""
    t: np.ndarray
    track: np.ndarray
    crash: np.ndarray
    """(N,) whether it is a crash's."""
    counts: np.ndarray
    """(N,) whether anything is known of it."""


def group_of(name: str, source: str = "") -> str:
    """The source video of a clip; where its name does not tell it, the `source` of its label."""
    number = re.search(r"argus_(\d+)", name)
    if number:
        return number.group(1)
    known = (scene for part, scene in SAME_SCENE.items() if part in name)
    return next(known, source or name)


@lru_cache(maxsize=1)
def places() -> dict[str, np.ndarray]:
    """Clip → (4,) x1, y1, x2, y2 in fractions of the frame."""
    with (Path(__file__).parent / "places.csv").open() as file:
        return {
            row["clip"]: np.array([float(row[side]) for side in ("x1", "y1", "x2", "y2")])
            for row in csv.DictReader(file)
        }


def arguments(prog: str) -> argparse.ArgumentParser:
    """What every tool here is told: where the material is."""
    parser = argparse.ArgumentParser(prog=prog)
    parser.add_argument("labels", type=Path)
    parser.add_argument("detections", type=Path, nargs="+", help="boxes kept in files")
    parser.add_argument(
        "--drawn", type=Path, nargs="+", default=[], metavar="LABELS DETECTIONS",
        help="drawn scenes, and boxes of them kept in files",
    )  # fmt: skip
    parser.add_argument("--varied", type=int, default=0, metavar="N",
                        help="learn from N variations of every clip as well")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=3)
    return parser


def material(asked: argparse.Namespace) -> tuple[list[str], list[Moments]]:
    """Names of the features, and the moments of every clip under every file of detections."""
    real = clips_of(asked.labels)
    shown = [*passes(real, 0), *rounds(real, LEARNT_FROM, LEARNT_FROM + asked.varied)]
    tasks = [(path, *one) for path in asked.detections for one in shown]
    for path in asked.drawn[1:]:
        tasks += [(path, *one) for one in passes(clips_of(asked.drawn[0]), 0)]
    with ProcessPoolExecutor(asked.jobs) as pool:
        found = list(pool.map(_moments, tasks, chunksize=1))
    names = next(names for names, _ in found if names)
    return names, [moments for _, moments in found if moments is not None]


@lru_cache(maxsize=2)
def _file(path: Path) -> DetectionsFile:
    return DetectionsFile(path)


def judged_by(judge: Callable[[], net.ImpactNet | None]) -> None:
    """Put another network in the place of the shipped one, in this process."""
    vars(net)["load"] = judge


def _moments(task: tuple[Path, Clip, Variation | None]) -> tuple[list[str], Moments | None]:
    path, clip, variation = task
    image.single_threaded()
    judged_by(lambda: None)  # nothing has been learnt yet
    kept = _file(path).model(clip.name)
    boxes: Model = kept
    width, height = kept.size
    clip = placed(clip, width, height)
    frames = iter(FileFrames(clip.path, fps=max(kept.fps, 4.0)))
    if variation is not None:
        boxes = variation.model(kept)
        frames = variation.frames(frames, begin_s=variation.begin_s(clip))
        clip = variation.label(clip, width)
    tracker, glimpses = Tracker(), Glimpses()
    watch = ImpactWatch(glimpses)
    rows: list[tuple[float, int, float]] = []
    told_of: list[dict[str, float]] = []
    at_place: dict[int, list[bool]] = {}
    for frame in frames:
        found = boxes.detect(frame)
        tracks = tracker.update(replace(found, looks=looks(frame, found.xyxy)), frame.t)
        glimpses.update(frame)
        _note_places(clip, frame.t, tracks, frame.width / width, at_place)
        for track, jolt, told in watch.candidates(frame, tracks):
            rows.append((frame.t, track.track_id, jolt.t))
            told_of.append(told)
    if not rows:
        return [], None
    crash, counts = _truth(clip, np.array(rows), at_place)
    table = np.array([list(told.values()) for told in told_of], np.float32)
    t, track_ids, _ = np.array(rows).T
    return list(told_of[0]), Moments(
        clip, path.name, group_of(clip.name, clip.source), table, t, track_ids, crash, counts
    )


def is_crash(clip: Clip) -> bool:
    """Whether the judge learns a crash from the clip: its place is known."""
    return clip.name in places() or (clip.box is not None and clip.type is IncidentType.COLLISION)


def placed(clip: Clip, width: int, height: int) -> Clip:
    """The clip with the place of its accident, which is read by eye where the label has none."""
    if clip.name not in places():
        return clip
    x1, y1, x2, y2 = places()[clip.name] * np.array([width, height] * 2)
    return replace(clip, box=(x1, y1, x2 - x1, y2 - y1))


def _note_places(
    clip: Clip, t: float, tracks: Sequence[Track], scale: float, at_place: dict[int, list[bool]]
) -> None:
    event = clip.t_event_s
    if event is None or clip.box is None or not is_crash(clip):
        return
    if not event - 0.4 <= t <= event + 1.0:
        return
    x, y, width, height = clip.box
    for track in tracks:
        if track.seen:
            x1, y1, x2, y2 = track.box / scale
            inside = x < (x1 + x2) / 2 < x + width and y < (y1 + y2) / 2 < y + height
            at_place.setdefault(track.track_id, []).append(inside)


def _truth(
    clip: Clip, rows: np.ndarray, at_place: dict[int, list[bool]]
) -> tuple[np.ndarray, np.ndarray]:
    crash, counts = np.zeros(len(rows), bool), np.ones(len(rows), bool)
    if not is_crash(clip):
        return crash, counts & (clip.type is not IncidentType.BLOCKAGE)
    if not clip.scored:
        return crash, ~counts
    t, track_ids, jolt_t = rows.T
    event = clip.t_event_s
    assert event is not None, f"{clip.name}: a scored crash has its time"
    involved = [key for key, inside in at_place.items() if np.mean(inside) > WITHIN]
    crash = (
        np.isin(track_ids, involved)
        & (t >= event + FIRST_S)
        & (t <= event + LAST_S)
        & (jolt_t >= event + JOLT_S[0])
        & (jolt_t <= event + JOLT_S[1])
    )
    return crash, crash | (t < event - BEFORE_S)
