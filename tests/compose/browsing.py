"""Chromium before the real console, and what the drawn camera's scene truly holds at a moment."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest
from camera.scenes import Scene, scene_from_url

from tests.conftest import missing
from tests.console.acceptance.tab import plays, probed

Box = tuple[float, float, float, float]
FACTS = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8090/demo-junction.json').read().decode())"
NEAREST_M = 2.0


@contextmanager
def chromium() -> Iterator[Any]:
    """Debian's Chromium without a window."""
    playwright = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or str(missing("chromium"))
    with playwright.sync_playwright() as run:
        browser = run.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def operator(url: str, password: str) -> Iterator[Any]:
    """A desk's tab, signed in as the provisioned admin as a person does it; it must not complain."""
    complaints: list[str] = []
    with chromium() as browser:
        page = probed(browser.new_context(viewport={"width": 1440, "height": 900}))

        def hear(said: Any) -> None:
            if said.type == "error":
                complaints.append(said.text)

        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{url}login")
        page.fill("[name=name]", "admin")
        page.fill("[name=password]", password)
        page.keyboard.press("Enter")
        page.wait_for_url(url)  # it goes there by loading anew
        page.wait_for_selector("hc-tile video")
        plays(page, 1)
        yield page
    assert not complaints


@dataclass
class Truth:
    """The drawn scene as it is."""

    url: str
    started_at: float

    @classmethod
    def told_by(cls, facts: str) -> Truth:
        """From the camera service's own facts."""
        told = json.loads(facts)
        return cls(f"demo://{told['scene']}?period_s={told['period_s']:g}", told["started_at"])

    @cached_property
    def scene(self) -> Scene:
        """The scene; its picture is a function of time."""
        return scene_from_url(self.url)

    def boxes(self, at: float) -> list[Box]:
        """Where vehicles are in the frame of this moment (epoch seconds), px, cut to the frame."""
        view = self.scene.view
        found = []
        for vehicle in self.scene.vehicles(at - self.started_at):
            points, depth = view.project(vehicle.to_world(vehicle.solid.corners))
            if depth.min() < NEAREST_M:
                continue
            (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
            box = (max(0.0, x1), max(0.0, y1), min(view.width, x2), min(view.height, y2))
            if box[2] > box[0] and box[3] > box[1]:
                found.append(box)
        return found

    def overlaps(self, frames: list[dict[str, Any]], *, late_s: float = 0.0) -> list[float]:
        """Of each drawn box its overlap with the vehicle that is there, `late_s` after its frame."""
        overlaps = []
        for frame in frames:
            true = self.boxes(frame["shown"] + late_s)
            overlaps += [
                max((overlap(one["box"], box) for box in true), default=0.0)
                for one in frame["seen"]["objects"]
            ]
        return overlaps


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (_area(one) + _area(other) - both)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
