"""`python -m camera.render collision out.mp4 --seconds 40`: a drawn scene as a video file."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from camera import drawing
from camera.encoder import FileEncoder
from camera.scenes import Scene, scene_from_url
from hazardcast.contract.errors import HazardcastError
from hazardcast.media.ffmpeg import find_ffmpeg


def main(arguments: list[str] | None = None) -> int:
    """Render and print where the incident begins; exit code 0, or 2 when the scene is not known."""
    options = _options(arguments)
    try:
        scene = scene_from_url(f"demo://{options.scene}".replace("demo://demo://", "demo://"))
        render(scene, options.out, seconds=options.seconds, ffmpeg=find_ffmpeg(options.ffmpeg))
    except HazardcastError as error:
        sys.stderr.write(f"camera.render: {error}\n")
        return 2
    truth = {"scene": scene.name, "impact_s": scene.onset_s(0.0), "fps": scene.fps}
    sys.stdout.write(json.dumps(truth) + "\n")
    return 0


def render(scene: Scene, out: Path, *, seconds: float, ffmpeg: str) -> None:
    """Write the first `seconds` of `scene` to `out`."""
    view = scene.view
    encoder = FileEncoder(ffmpeg, out, width=view.width, height=view.height, fps=scene.fps)
    for number in range(round(seconds * scene.fps)):
        encoder.write(drawing.to_i420(scene.draw(number / scene.fps)))
    if encoder.close():
        raise HazardcastError(f"{out}: ffmpeg could not write the file")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m camera.render", description=__doc__)
    parser.add_argument("scene", help="a name, or with parameters: collision?impact_s=12")
    parser.add_argument("out", type=Path, help="the video file to write")
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--ffmpeg", type=Path, default=None)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
