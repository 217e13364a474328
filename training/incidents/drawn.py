"""Renders drawn scenes, labelled: what the judge must not take for a crash there, and what it must.

`python -m training.incidents.drawn FOLDER`; then `training.incidents.detect FOLDER FILE`.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
from camera.scenes import scene_from_url

CALM = {
    "normal": 90, "normal?period_s=240": 90, "queue": 120, "queue?period_s=90": 90,
    "fire?impact_s=12": 40, "fire?impact_s=20": 40, "blockage?impact_s=12": 50, "blockage?impact_s=20": 50,
}  # fmt: skip
"""Scene → seconds."""
CRASHES_S = (11, 17, 24, 31)
"""When the drawn collision happens; other traffic differs each time."""
AFTER_S = 6
MARGIN_PX = 60


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m training.incidents.drawn")
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    scenes = [(scene, length_s, "normal", "", "") for scene, length_s in CALM.items()]
    scenes += [crash(impact_s) for impact_s in CRASHES_S]
    with (folder / "MANIFEST.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label", "t_event_s", "bbox_xywh", "quality"])
        for number, (scene, length_s, label, event_s, box) in enumerate(scenes):
            path = folder / f"drawn_{number}.mp4"
            command = [sys.executable, "-m", "camera.render", scene, str(path)]
            subprocess.run([*command, "--seconds", str(length_s)], check=True)
            rows.writerow([path.name, label, event_s, box, "A"])


def crash(impact_s: int) -> tuple[str, int, str, str, str]:
    """A drawn collision with its place: where the two vehicles are as they meet."""
    name = f"collision?impact_s={impact_s}"
    scene = scene_from_url(f"demo://{name}")
    actors = [(one.x_m, one.y_m, 0.7) for one in scene.story.actors(impact_s)]
    columns, rows = scene.view.project(np.array(actors))[0].T
    left, top = columns.min() - MARGIN_PX, rows.min() - MARGIN_PX
    width, height = np.ptp(columns) + 2 * MARGIN_PX, np.ptp(rows) + 2 * MARGIN_PX
    box = "-".join(str(round(float(side))) for side in (left, top, width, height))
    return name, impact_s + AFTER_S, "collision", str(impact_s), box


if __name__ == "__main__":
    main()
