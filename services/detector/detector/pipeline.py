"""One camera's way from a frame to incidents; the same for live cameras and for files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from detector.incidents import IncidentBook, Report
from detector.memory import Memory
from detector.rules.aftermath import aftermaths
from detector.rules.blockage import blockages
from detector.rules.collision import collisions
from detector.rules.fire import fires
from detector.rules.hypothesis import Hypothesis, Observation
from detector.rules.impact import impacts
from detector.rules.rollover import rollovers
from detector.tracking.motion import feet
from detector.tracking.tracks import LATEST_STEP_S, Track
from detector.view.conditions import ConditionWatch, picked
from detector.view.ground import GroundPoints
from detector.view.tampering import THUMB_PX, SceneState, SceneWatch
from hazardcast.vision.geometry import boxes
from hazardcast.vision.geometry.boxes import Boxes, Floats, Label
from hazardcast.vision.models.opener import Model
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.colour_histogram import looks
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.image import Image

RULES: tuple[Callable[[Observation], list[Hypothesis]], ...] = (
    impacts,
    aftermaths,
    collisions,
    rollovers,
    blockages,
    fires,
)
HABIT_AFTER_S = 1.0
"""A vehicle that has stood for this long has stopped."""


@dataclass(frozen=True)
class Areas:
    """Polygons in fractions of the frame, as in `cameras.yaml`."""

    road: tuple[tuple[float, float], ...] | None = None
    ignore: tuple[tuple[tuple[float, float], ...], ...] = ()

    def drop_outside(self, found: Boxes, width: int, height: int) -> Boxes:
        """The boxes that stand on the road and on no ignored area."""
        scale = np.array([width, height], np.float32)
        keep = np.ones(len(found), bool)
        if self.ignore:
            ignored = tuple(np.array(polygon, np.float32) * scale for polygon in self.ignore)
            keep &= ~boxes.covered_by(found.xyxy, ignored)
        if self.road:
            keep &= boxes.covered_by(found.xyxy, (np.array(self.road, np.float32) * scale,))
        return found if keep.all() else found.take(keep)

    def mask(self, width: int, height: int) -> Image | None:
        """(H, W) 255 where nothing is to be looked for, None when that is nowhere."""
        if not self.ignore:
            return None
        return _mask(self.ignore, width, height)


@dataclass(frozen=True)
class Outcome:
    """What came of one frame."""

    tracks: Sequence[Track]
    """The confirmed tracks that were seen in it."""
    reports: Sequence[Report]
    scene: SceneState
    hypotheses: Sequence[Hypothesis] = ()
    """What the rules made of it, believed or not."""
    resting: bool = False
    """Whether incidents rested, because the picture could not be trusted."""
    picture: tuple[str, ...] = ()
    """What people should know of the picture: a moment ago's state, night, rain."""
    speeds_mps: Mapping[int, float] = field(default_factory=dict)
    """Track → speed over the road, where the ground is known."""


@lru_cache(maxsize=32)
def _mask(ignore: tuple[tuple[tuple[float, float], ...], ...], width: int, height: int) -> Image:
    scale = np.array([width, height], np.float32)
    polygons = tuple(np.array(polygon, np.float32) * scale for polygon in ignore)
    return image.filled(polygons, width, height)


class Pipeline:
    """Model, tracks, rules and incidents of one camera."""

    def __init__(
        self, model: Model, *, areas: Areas | None = None, ground: GroundPoints | None = None
    ) -> None:
        self.model = model
        self.book = IncidentBook()
        self._areas = areas or Areas()
        self._scene = SceneWatch()
        self._conditions = ConditionWatch()
        self._memory = Memory(ground)
        self._last_t = float("-inf")

    def process(self, frame: Frame) -> Outcome:
        """Take the next frame into account."""
        return self.reason(frame, self.detect(frame))

    def detect(self, frame: Frame) -> Boxes:
        """What the model finds in the frame where the areas let it look."""
        height, width = frame.image.shape[:2]
        return self._areas.drop_outside(self.model.detect(frame), width, height)

    def reason(self, frame: Frame, found: Boxes) -> Outcome:
        """Tracks, rules and incidents, given the boxes of the frame."""
        height, width = frame.image.shape[:2]
        scene = self._look(frame)
        memory = self._memory
        view = memory.look_at(width, height)
        found = replace(found, looks=looks(frame, found.xyxy))
        tracks = memory.tracker.update(found, frame.t)
        memory.dwell.update(frame.t, found.xyxy[found.labels != Label.PERSON], tracks)
        memory.glimpses.update(frame)
        memory.dwell.compare(memory.glimpses)
        self._remember_stops(tracks, frame.t)
        flames = memory.flames.update(frame, self._areas.mask(width, height))
        past = memory.tracker.past
        view.learn(past)
        struck = memory.impacts.update(frame, tracks)
        seen = Observation(
            frame.t, width, height, tracks, memory.dwell, memory.road.habits, flames, past, view,
            glimpses=memory.glimpses, impacts=struck, rested=memory.impacts.rested,
            suspected=memory.impacts.suspected,
        )  # fmt: skip
        hypotheses = [hypothesis for rule in RULES for hypothesis in rule(seen)]
        rest = self._scene.suppressed(frame.t)
        reports = self.book.update(frame.t, hypotheses, tracks, rest=rest)
        seen_now = [track for track in tracks if track.seen]
        picture = self._picture(frame)
        return Outcome(seen_now, reports, scene, hypotheses, rest, picture, view.speeds(seen_now))

    def forget(self, frame: Frame) -> None:
        """From this frame on it is another camera: nothing that was learnt is true of it."""
        self._memory.reset()
        self._scene, self._conditions = SceneWatch(), ConditionWatch()
        self.book.resume(frame.t)

    def _look(self, frame: Frame) -> SceneState:
        """How the picture is; what is no longer true of it is forgotten."""
        thumb = image.grey(frame.shrunk(THUMB_PX))
        self._follow_clock(frame.t, thumb)
        before = self._scene.last
        scene = self._scene.update(thumb, frame.t)
        if scene is SceneState.CUT:
            self._memory.cut(before, thumb)
        elif scene is SceneState.TURNED:
            self._memory.turned()
        return scene

    def _picture(self, frame: Frame) -> tuple[str, ...]:
        conditions = self._conditions.update(picked(frame.image), frame.t)
        shown = self._scene.shown(frame.t)
        moment = () if shown is SceneState.CLEAR else (shown.value,)
        return moment + tuple(sorted(conditions))

    def _follow_clock(self, t: float, thumb: Image) -> None:
        """After a pause, or when the clock was set back, begin anew but keep open incidents."""
        step_s, self._last_t = t - self._last_t, t
        if step_s <= 0 or step_s > LATEST_STEP_S:
            self._memory.resume(self._scene.last, thumb)
            self._scene = SceneWatch()
            self.book.resume(t)

    def _remember_stops(self, tracks: Sequence[Track], t: float) -> None:
        for track in tracks:
            if track.label.is_vehicle and track.stationary and track.was_fast_since(t - 5.0):
                stop = track.last_stop
                if stop and stop.held_s >= HABIT_AFTER_S:
                    self._memory.road.habits.add(
                        track.track_id, stop.rest_t, _foot(track), stop.size_px
                    )


def _foot(track: Track) -> Floats:
    foot: Floats = feet(track.history.rows[-1:])[0]
    return foot
