"""What the camera service knows about the picture it makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hazardcast.cli.web import HttpError, get_json
from hazardcast.demo.scene import CAMERA
from hazardcast.fleet import Place


@dataclass(frozen=True)
class Truth:
    """Times in epoch seconds; None where the camera does not know."""

    impact_at: float | None = None
    started_at: float | None = None
    duration_s: float | None = None

    def position_s(self, moment: float) -> float | None:
        """Where in the looped file `moment` lies."""
        if self.started_at is None or not self.duration_s:
            return None
        return (moment - self.started_at) % self.duration_s


def ask(place: Place) -> Truth:
    """Ask the camera service; unknown when it does not answer."""
    try:
        answer = get_json(f"{place.camera_server}/{CAMERA}.json")
    except HttpError:
        return Truth()
    return Truth(*(_number(answer, name) for name in ("impact_at", "started_at", "duration_s")))


def _number(answer: Any, name: str) -> float | None:
    value = answer.get(name) if isinstance(answer, dict) else None
    return float(value) if isinstance(value, int | float) else None
