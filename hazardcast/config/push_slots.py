"""`push: {slots: 4}` of a `cameras.yaml` makes the cameras push-1 to push-4."""

from __future__ import annotations

from typing import Any, NamedTuple

from hazardcast.config.yaml_lines import Path
from hazardcast.media import camera_url

MOST_SLOTS = 64
URL = f"{camera_url.PUSH}://"


class Problem(NamedTuple):
    """What is wrong, and where in the file's data."""

    path: Path
    text: str


def ids(slots: int) -> list[str]:
    """The ids of the slots."""
    return [f"push-{number}" for number in range(1, slots + 1)]


def problem(data: dict[str, Any]) -> Problem | None:
    """A camera that is called as a slot, and is something else."""
    cameras = data.get("cameras")
    for name in ids(_slots(data)):
        written = cameras.get(name) if isinstance(cameras, dict) else None
        if isinstance(written, dict) and not is_pushed({"url": URL, **written}):
            said = "this is the id of a slot; call the camera otherwise, or leave its url out"
            return Problem(("cameras", name, "url"), f"cameras.{name}.url: {said}")
    return None


def with_slots(data: dict[str, Any]) -> Any:
    """The file's cameras with those of its slots, over which goes what is written of them."""
    cameras, slots = data.get("cameras"), ids(_slots(data))
    if not slots or not isinstance(cameras or {}, dict):
        return cameras
    written = cameras or {}
    both = {name: _slot(written.get(name)) for name in slots}
    return {**written, **both}


def _slot(written: Any) -> Any:
    return {"url": URL, **(written or {})} if isinstance(written or {}, dict) else written


def _slots(data: dict[str, Any]) -> int:
    """How many are asked for; none where that is not understood, which is told later."""
    push = data.get("push")
    slots = push.get("slots") if isinstance(push, dict) else None
    good = isinstance(slots, int) and not isinstance(slots, bool) and 0 <= slots <= MOST_SLOTS
    return slots if good and isinstance(slots, int) else 0


def is_pushed(camera: dict[str, Any]) -> bool:
    """Whether a client brings its pictures."""
    url = camera.get("url")
    return isinstance(url, str) and camera_url.scheme_of(url.strip()) == camera_url.PUSH
