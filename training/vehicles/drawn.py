"""Lessons from the drawn scenes, where every vehicle's box is known.

`python -m training.vehicles.drawn FOLDER` adds them to what `training.vehicles.material` keeps
there. Their views differ from the one that users see, and so do the times of what happens.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from camera.scenes import Scene
    from camera.scenes.view import View

from training.vehicles.material import DRAWN, EVERY, FPS, WIDTH_PX, keep

LENGTH_S = 60.0
SCENES = ("normal", "queue", "queue", "collision", "collision", "fire", "blockage")
PER_SCENE = 2
LABELS = {"truck": 7}
"""COCO's; everything else is a car."""
SEEN, GUESSED = 0.5, 0.25
"""Who shows this share of itself must be found; who shows at least that much may be."""
UNSURE = 0.3


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m training.vehicles.drawn")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=3)
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.jobs) as pool:
        list(pool.map(partial(_collect, folder=asked.folder), range(len(SCENES) * PER_SCENE)))


def _collect(number: int, folder: Path) -> None:
    """Watch one scene from a view of its own; runs in a worker."""
    from camera.scenes import Scene  # noqa: PLC0415

    from hazardcast.vision.models.background import BackgroundModel  # noqa: PLC0415
    from hazardcast.vision.pixels import image  # noqa: PLC0415
    from hazardcast.vision.pixels.frame import Frame  # noqa: PLC0415

    image.single_threaded()
    rng = np.random.default_rng(number)
    name = SCENES[number % len(SCENES)]
    scene = Scene(name, impact_s=rng.uniform(8, 25), period_s=rng.uniform(80, 300), view=_view(rng))
    background, pictures, roads, rows = BackgroundModel(), [], [], []
    for index in range(int(LENGTH_S * FPS)):
        frame = Frame(scene.draw(index / FPS), index / FPS, index)
        background.detect(frame)
        if index % EVERY:
            continue
        small = frame.shrunk(WIDTH_PX)
        road = background.road_for(small)
        pictures.append(small)
        roads.append(None if road is small else road)
        rows.append(_boxes(scene, index / FPS) * _scales(WIDTH_PX / frame.width))
    keep(f"{DRAWN}/{name}_{number}", pictures, roads, rows, folder)


def _view(rng: np.random.Generator) -> View:
    """About the view that users see, from a little elsewhere."""
    from camera.scenes.view import View  # noqa: PLC0415

    x, y, z = View().position_m
    return View(
        position_m=(x + rng.normal(0, 1.0), y + rng.normal(0, 2.0), z * rng.uniform(0.8, 1.3)),
        yaw_deg=View().yaw_deg + rng.normal(0, 4.0),
        pitch_deg=View().pitch_deg + rng.normal(0, 1.5),
        focal_widths=View().focal_widths * rng.uniform(0.85, 1.25),
    )


def _scales(scale: float) -> np.ndarray:
    return np.array([scale, scale, scale, scale, 1, 1])


def _boxes(scene: Scene, t_s: float) -> np.ndarray:
    """(K, 6) x1, y1, x2, y2 px, score, label of the vehicles that can be seen."""
    from camera.scenes import painter  # noqa: PLC0415

    size = scene.view.width, scene.view.height
    eye = np.array(scene.view.position_m[:2])
    vehicles = scene.vehicles(t_s)
    vehicles.sort(key=lambda one: np.hypot(*(np.array([one.x_m, one.y_m]) - eye)))
    covered, rows = np.zeros(size[::-1], bool), []
    for vehicle in vehicles:
        box = painter.box(scene.view, vehicle)
        if box is None:
            continue
        x1, y1, x2, y2 = np.clip(np.round(box), 0, [*size, *size]).astype(int)
        hidden = covered[y1:y2, x1:x2]
        shown = (~hidden).sum() / max(1.0, (box[2] - box[0]) * (box[3] - box[1]))
        covered[y1:y2, x1:x2] = True
        if shown >= GUESSED:
            score = 1.0 if shown >= SEEN else UNSURE
            rows.append([x1, y1, x2, y2, score, LABELS.get(vehicle.kind, 2)])
    return np.array(rows, np.float32).reshape(-1, 6)


if __name__ == "__main__":
    main()
