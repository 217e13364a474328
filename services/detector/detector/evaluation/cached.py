"""Detections kept in a file instead of a model: rules can be tried without inference.

The file is JSON, gzipped or not: `{clip: {"wh": [width, height], "frames": [[t, [[x1, y1, x2, y2,
score, class], …]], …]}}`, boxes in pixels of a `width` × `height` picture, COCO classes (127: of
no known class), `clip` as the labels' `path` has it.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.geometry.boxes import (
    ROAD_USERS,
    Boxes,
    Floats,
    Label,
    clipped,
    empty,
    make,
    nms,
)
from hazardcast.vision.pixels.frame import Frame

KEPT = [int(label) for label in (*ROAD_USERS, Label.OBJECT)]
LEAST_ROUNDED_FPS = 4.0
MAGIC_GZIP = b"\x1f\x8b"


@dataclass
class CachedDetections:
    """One clip's detections, given out by the frames' times."""

    name: str
    size: tuple[int, int]
    """Width and height that the boxes refer to."""
    times: Floats
    """(N,) seconds, ascending."""
    rows: list[Any]
    """Per time: [x1, y1, x2, y2, score, class] each."""

    @property
    def fps(self) -> float:
        """At which rate the frames were looked at.

        The mean, as 8 of 30 frames are not evenly apart; to half a frame, as a clip has few.
        """
        if len(self.times) < 2:
            return 1.0
        mean_fps = float((len(self.times) - 1) / np.ptp(self.times))
        return round(2 * mean_fps) / 2 if mean_fps >= LEAST_ROUNDED_FPS else mean_fps

    def detect(self, frame: Frame) -> Boxes:
        """The boxes of the nearest time, none when that is over half a period away."""
        if not len(self.times):
            return empty()
        nearest = int(np.abs(self.times - frame.t).argmin())
        if abs(self.times[nearest] - frame.t) > 0.55 / self.fps:
            return empty()
        rows = np.array(self.rows[nearest], np.float32).reshape(-1, 6)
        rows = rows[np.isin(rows[:, 5].astype(int), KEPT)]
        height, width = frame.image.shape[:2]
        scale = np.array([width / self.size[0], height / self.size[1]] * 2, np.float32)
        found = make(rows[:, :4] * scale, rows[:, 4], rows[:, 5])
        return nms(clipped(found, width, height))


class DetectionsFile:
    """A file of detections of several clips.

    Raises:
        ConfigError: it cannot be read or is of another shape; the error names file, clip and field.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._clips = _read(path)

    def model(self, clip: str) -> CachedDetections:
        """The model of one clip; a clip that is not in the file is an error that names it."""
        if clip not in self._clips:
            raise ConfigError(f"{self.path}: has no detections of {clip!r}")
        data, where = self._clips[clip], f"{self.path}: {clip}"
        try:
            width, height = (int(side) for side in data["wh"])
            times = np.array([float(frame[0]) for frame in data["frames"]])
            rows = [np.array(frame[1], float).reshape(-1, 6) for frame in data["frames"]]
        except KeyError as error:
            raise ConfigError(f"{where}: {error.args[0]}: missing") from None
        except (TypeError, ValueError, IndexError) as error:
            raise ConfigError(f"{where}: frames: {' '.join(str(error).split())}") from None
        if min(width, height) < 1 or np.any(np.diff(times) <= 0):
            raise ConfigError(f"{where}: wh must be positive, and times must rise")
        return CachedDetections(self.path.name.split(".")[0], (width, height), times, rows)


def _read(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
        clips = json.loads(gzip.decompress(data) if data[:2] == MAGIC_GZIP else data)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (gzip.BadGzipFile, zlib.error, ValueError, EOFError) as error:
        raise ConfigError(f"{path}: not JSON, gzipped or not: {error}") from None
    if not isinstance(clips, dict) or not all(isinstance(one, dict) for one in clips.values()):
        raise ConfigError(f"{path}: expected an object of clips, each an object with wh and frames")
    return clips
