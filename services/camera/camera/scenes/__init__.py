"""Drawn scenes: a junction seen by a fixed camera, as a pure function of scene time."""

from __future__ import annotations

from camera.scenes.address import scene_from_url
from camera.scenes.scene import Scene

__all__ = ["Scene", "scene_from_url"]
