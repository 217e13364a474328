"""Everything that is learnt of one camera's view, in one place, so that it is forgotten as one.

Three ages: what moves or stands now (seconds), how places looked before (a minute), and the road
(hours): where vehicles drive, how large they are, where they usually stop. A camera that was turned
shows another road, and what was learnt of the last would be wrong of it: speeds in metres, stops
that count as usual, ways that count as the road.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from detector.fire.watch import FireWatch
from detector.impact.watch import ImpactWatch
from detector.tracking.tracks import Tracker
from detector.view.background_history import Glimpses
from detector.view.ground import GroundPoints
from detector.view.learned import View
from detector.view.stationary import Dwell
from detector.view.turning import same_view
from detector.view.usual_stops import Habits
from hazardcast.vision.pixels.image import Image


@dataclass
class Road:
    """What is learnt over hours."""

    habits: Habits = field(default_factory=Habits)
    view: View | None = None

    @property
    def known(self) -> bool:
        """Whether anything was learnt of it."""
        return self.habits.known or (self.view is not None and self.view.flow.vehicles > 0)


@dataclass(frozen=True)
class _LaidBy:
    """The road of a view that was cut away, and the view's last picture."""

    picture: Image
    road: Road


class Memory:
    """What one camera's pipeline knows from earlier frames, open incidents aside."""

    def __init__(self, ground: GroundPoints | None = None) -> None:
        self._ground = ground
        self.road = Road()
        self._laid_by: _LaidBy | None = None
        self.tracker = Tracker()
        self.dwell = Dwell()
        self.glimpses = Glimpses()
        self.flames = FireWatch()
        self.impacts = ImpactWatch(self.glimpses)

    def reset(self) -> None:
        """Forget everything: it may be another view."""
        self.interrupt()
        self.road, self._laid_by = Road(), None

    def interrupt(self) -> None:
        """Forget all but the road: frames are missing, and the view is the same as before."""
        self.tracker.reset()
        self.dwell.clear()
        self.glimpses.reset()
        self.flames.reset()
        self.impacts.reset()

    def turned(self) -> None:
        """The camera was turned while vehicles were followed: they still are, on another road."""
        self.road, self._laid_by = Road(), None

    def resume(self, before: Image | None, after: Image) -> None:
        """Time leapt or pictures are missing; keep the road if it is still the same view.

        Args:
            before: the last grey thumbnail (H, W), if any.
            after: the first one now.
        """
        if same_view(before, after):
            self.interrupt()
        else:
            self.reset()

    def cut(self, before: Image | None, after: Image) -> None:
        """Another view: forget everything, but lay the road by.

        A broken picture, or a hand before the lens, is a cut to and fro; then nothing was turned,
        and the road of the view that is back is true of it.

        Args:
            before: the last grey thumbnail (H, W) of the old view, if any.
            after: the first one of the new view.
        """
        laid_by = self._laid_by
        left = laid_by
        if before is not None and self.road.known:
            left = _LaidBy(before, self.road)
        self.reset()
        self._laid_by = left
        if laid_by and same_view(laid_by.picture, after):
            self.road = laid_by.road

    def look_at(self, width: int, height: int) -> View:
        """What is known of a view of so many pixels; another size of picture is another view."""
        if self.road.view is None or self.road.view.size != (width, height):
            if self.road.view is not None:
                self.reset()
            ground = self._ground.ground(width, height) if self._ground else None
            self.road.view = View(width, height, ground=ground)
        return self.road.view
