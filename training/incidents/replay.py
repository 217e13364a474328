"""Collision, rollover and blockage rules over boxes kept in a file: seconds for all clips.

Tracks, rules and incidents are the service's own; the picture is not looked at, so scene states and
fire are left out. `python -m training.incidents.replay LABELS DETECTIONS...` prints one line each.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from detector.evaluation.cached import CachedDetections, DetectionsFile
from detector.evaluation.labels import Clip, clips_of
from detector.evaluation.scoring import ClipResult, judge
from detector.evaluation.summary import summary
from detector.incidents import IncidentBook, Report
from detector.pipeline import HABIT_AFTER_S
from detector.rules.blockage import blockages
from detector.rules.collision import collisions
from detector.rules.hypothesis import Observation
from detector.rules.rollover import rollovers
from detector.tracking.motion import feet
from detector.tracking.tracks import Track, Tracker
from detector.view.stationary import Dwell
from detector.view.usual_stops import Habits

from hazardcast.vision.geometry.boxes import Label
from hazardcast.vision.pixels.frame import Frame

RULES = (collisions, rollovers, blockages)


def reports(boxes: CachedDetections) -> Iterator[Report]:
    """What the rules report of one clip."""
    width, height = boxes.size
    blank = np.zeros((height, width, 3), np.uint8)
    tracker, dwell, habits, book = Tracker(), Dwell(), Habits(), IncidentBook()
    for index, t in enumerate(boxes.times.tolist()):
        found = boxes.detect(Frame(blank, t, index))
        tracks = tracker.update(found, t)
        dwell.update(t, found.xyxy[found.labels != Label.PERSON], tracks)
        _remember_stops(habits, tracks, t)
        seen = Observation(t, width, height, tracks, dwell, habits, (), tracker.past)
        hypotheses = [hypothesis for rule in RULES for hypothesis in rule(seen)]
        yield from book.update(t, hypotheses, tracks, rest=False)


def _remember_stops(habits: Habits, tracks: list[Track], t: float) -> None:
    for track in tracks:
        if track.label.is_vehicle and track.stationary and track.was_fast_since(t - 5.0):
            stop = track.last_stop
            if stop and stop.held_s >= HABIT_AFTER_S:
                foot = feet(track.history.rows[-1:])[0]
                habits.add(track.track_id, stop.rest_t, foot, stop.size_px)


def replay(clip: Clip, boxes: CachedDetections) -> ClipResult:
    """One clip's result, judged as `hazardcast evaluate` judges it."""
    length_s = float(boxes.times[-1] - boxes.times[0]) if len(boxes.times) else 0.0
    return judge(clip, len(boxes.times), list(reports(boxes)), duration_s=length_s)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m training.incidents.replay")
    parser.add_argument("labels", type=Path)
    parser.add_argument("detections", type=Path, nargs="+")
    asked = parser.parse_args()
    for path in asked.detections:
        file = DetectionsFile(path)
        results = [replay(clip, file.model(clip.name)) for clip in clips_of(asked.labels)]
        print(path.name, summary(results))


if __name__ == "__main__":
    main()
