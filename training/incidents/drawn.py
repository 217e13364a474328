"""Renders drawn scenes without a crash, labelled, so that the judge learns them as calm.

`python -m training.incidents.drawn FOLDER`; then `training.incidents.detect FOLDER FILE`.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from pathlib import Path

SCENES = {
    "normal": 90, "normal?period_s=240": 90, "queue": 120, "queue?period_s=90": 90,
    "fire?impact_s=12": 40, "fire?impact_s=20": 40, "blockage?impact_s=12": 50, "blockage?impact_s=20": 50,
}  # fmt: skip
"""Scene → seconds."""


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m training.incidents.drawn")
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "MANIFEST.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label", "t_event_s", "quality"])
        for number, (scene, length_s) in enumerate(SCENES.items()):
            path = folder / f"drawn_{number}.mp4"
            command = [sys.executable, "-m", "camera.render", scene, str(path)]
            subprocess.run([*command, "--seconds", str(length_s)], check=True)
            rows.writerow([path.name, "normal", "", "A"])


if __name__ == "__main__":
    main()
