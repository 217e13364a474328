"""What the demo's one camera sees, and what is expected of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from hazardcast.contract.errors import ConfigError
from hazardcast.machine import refusals
from hazardcast.media.camera_url import DEMO_SCENES
from hazardcast.service import video_file

CAMERA = "demo-junction"
DEFAULT_SOURCE = "demo://collision"
SEGMENT_S = 2.0
MARGIN_S = 2.0
"""Asked for beyond each end of the clip, as the detector may be wrong about the moment."""
START_UP_S = 8.0
"""From the camera's first frame until the recorder has certainly begun."""
QUIET_SCENES = ("normal", "queue")
CLOCK_STRIP = [[0, 0], [1, 0], [1, 0.08], [0, 0.08]]
"""Where drawn scenes have their burnt-in clock and caption, which change all the time."""


@dataclass(frozen=True)
class DemoScene:
    """A source with its expected outcome."""

    source: str
    pre_s: float
    post_s: float

    @property
    def is_drawn(self) -> bool:
        """Drawn by the camera service, which knows the truth about it."""
        return urlsplit(self.source).scheme == "demo"

    @property
    def name(self) -> str:
        """`collision`, or the file's name."""
        return urlsplit(self.source).netloc if self.is_drawn else Path(self.source).name

    @property
    def expects_alert(self) -> bool:
        """Whether an alert is right; for the quiet scenes it would be a false alarm."""
        return not (self.is_drawn and self.name in QUIET_SCENES)

    @property
    def expected_type(self) -> str | None:
        """The type of incident that a drawn scene shows; None when any may come."""
        return self.name if self.is_drawn and self.expects_alert else None

    @property
    def clip_pre_s(self) -> float:
        """What the clipper is asked to keep from before the incident."""
        return self.pre_s + MARGIN_S

    @property
    def clip_post_s(self) -> float:
        """What the clipper is asked to keep from after the incident."""
        return self.post_s + MARGIN_S

    @property
    def camera_url(self) -> str:
        """The source as `cameras.yaml` has it; a drawn incident waits for the pre-roll."""
        if not self.is_drawn or not self.expects_alert or urlsplit(self.source).query:
            return self.source
        return f"{self.source}?impact_s={self.clip_pre_s + START_UP_S:g}"

    def cameras_yaml(self) -> str:
        """The demo's configuration file."""
        position = {"lat_deg": 37.12345, "lon_deg": 127.12345}
        camera: dict[str, object] = {
            "url": self.camera_url,
            "position": position,
            "heading_deg": 90,
            "road": "segment_A",
            "distance_m": 500,
            "segment_s": SEGMENT_S,
        }
        if self.is_drawn:
            camera["zones"] = {"ignore": [CLOCK_STRIP]}
        site = {"station_id": 4097, "name": "Demo", "position": position, "road": "segment_A"}
        return yaml.safe_dump({"site": site, "cameras": {CAMERA: camera}}, sort_keys=False)


def demo_scene(source: str, *, pre_s: float, post_s: float) -> DemoScene:
    """Understand `--source`.

    Raises:
        ConfigError: there is no such file or drawn scene.
    """
    parts = urlsplit(source)
    if parts.scheme == "demo":
        if parts.netloc not in DEMO_SCENES:
            raise ConfigError(f"--source: no drawn scene {source}; use {_scenes()} or a video file")
        return DemoScene(source, pre_s, post_s)
    file = Path(source).absolute()
    problem = video_file.system_problem(file)
    if problem is None and not refusals.is_utf8(file):
        problem = "its name is not UTF-8; give it another"
    if problem:
        shown = refusals.shown(Path(source))
        raise ConfigError(f"--source: {shown}: {problem}; use a video file or {_scenes()}")
    return DemoScene(str(file), pre_s, post_s)


def check_source(scene: DemoScene, program: str) -> None:
    """Look into a file before everything is started for it.

    Raises:
        ConfigError: ffmpeg reads no video from it; the error says why.
    """
    if scene.is_drawn:
        return
    if problem := video_file.problem_of(Path(scene.source), program):
        raise ConfigError(f"--source: {scene.source}: {problem}")


def _scenes() -> str:
    return ", ".join(f"demo://{name}" for name in DEMO_SCENES)
