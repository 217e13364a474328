"""A drawn camera: its picture is a pure function of scene time."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from camera import drawing
from camera.drawing import Frame
from camera.scenes import arrivals, backdrop, burning, litter, painter, signals, traffic
from camera.scenes.layout import MAIN_ROADS
from camera.scenes.painter import Vehicle
from camera.scenes.stories import STORIES, Story
from camera.scenes.traffic import Trips
from camera.scenes.view import View

NOISE_SIGMA = 2.2
NOISE_MEAN = 24
_NOISE_MARGIN_PX = 64


@dataclass(frozen=True)
class Scene:
    """One scene; it repeats every `period_s`, with the incident at `impact_s` of each cycle."""

    name: str
    impact_s: float = 20.0
    period_s: float = 300.0
    view: View = field(default_factory=View)
    fps: float = 15.0

    @cached_property
    def story(self) -> Story:
        """The plot."""
        return STORIES[self.name](self.impact_s, self.period_s)

    @cached_property
    def trips(self) -> Trips:
        """The ordinary traffic of one cycle."""
        story = self.story
        seed = sorted(STORIES).index(self.name)
        return traffic.simulate(
            arrivals.schedule(story.busy_roads, story.slots(), period_s=self.period_s, seed=seed),
            start_s=-arrivals.WARM_UP_S,
            end_s=self.period_s,
            obstacles_at=lambda t_s: story.obstacles(t_s) if t_s >= 0 else [],
            red_at=lambda road, t_s: story.lamp(road, t_s) != "green",
        )

    @cached_property
    def backdrop(self) -> Frame:
        """The empty view."""
        return backdrop.draw(self.view)

    @cached_property
    def _noise(self) -> Frame:
        size = (self.view.height + _NOISE_MARGIN_PX, self.view.width + _NOISE_MARGIN_PX, 3)
        random = np.random.default_rng(1)
        return np.clip(random.normal(NOISE_MEAN, NOISE_SIGMA, size), 0, 255).astype(np.uint8)

    def prepare(self) -> None:
        """Do what is done once (about a second), so that the first frame is not late."""
        _ = self.backdrop, self.trips, self._noise

    def cycle_s(self, t_s: float) -> float:
        """Time within the cycle."""
        return t_s % self.period_s

    def onset_s(self, t_s: float) -> float | None:
        """Scene time at which the incident of the present cycle begins, None without incident."""
        return t_s - self.cycle_s(t_s) + self.impact_s if self.story.incident else None

    def vehicles(self, t_s: float) -> list[Vehicle]:
        """Every vehicle on the roads."""
        cycle_s = self.cycle_s(t_s)
        return self.trips.at(cycle_s) + self.story.actors(cycle_s)

    def draw(self, t_s: float) -> Frame:
        """The frame at scene time `t_s`, shape (height, width, 3)."""
        cycle_s = self.cycle_s(t_s)
        frame = self.backdrop.copy()
        if scattered := self.story.litter(cycle_s):
            litter.paint(frame, self.view, scattered, cycle_s)
        self._paint_traffic(frame, cycle_s)
        signals.paint(frame, self.view, self.story.lamp(MAIN_ROADS[0], cycle_s))
        return self._exposed(frame, t_s)

    def _paint_traffic(self, frame: Frame, cycle_s: float) -> None:
        """The vehicles, and a fire behind those that pass in front of it."""
        vehicles, fire = self.vehicles(cycle_s), self.story.fire(cycle_s)
        if fire is None:
            painter.paint(frame, self.view, vehicles, cycle_s)
            return
        nearer = [vehicle for vehicle in vehicles if vehicle.y_m < fire.at_m[1] - 1.0]
        painter.paint(frame, self.view, [v for v in vehicles if v not in nearer], cycle_s)
        burning.paint(frame, self.view, fire, cycle_s)
        painter.paint(frame, self.view, nearer, cycle_s)

    def _exposed(self, frame: Frame, t_s: float) -> Frame:
        """Passing clouds change the light by a few per cent; the sensor adds noise."""
        light = 1.0 + 0.025 * np.sin(2 * np.pi * t_s / 47) + 0.015 * np.sin(2 * np.pi * t_s / 13)
        number = round(t_s * 1000)
        left, top = (number * 7919) % _NOISE_MARGIN_PX, (number * 104729) % _NOISE_MARGIN_PX
        height, width = frame.shape[:2]
        noise = self._noise[top : top + height, left : left + width]
        return drawing.expose(frame, float(light), noise, NOISE_MEAN)
