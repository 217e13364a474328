"""What the camera service knows about the picture it makes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hazardcast.contract.service_names import SERVICES
from hazardcast.net import ports
from hazardcast_tools.demo.house import House
from hazardcast_tools.demo.scene import CAMERA
from hazardcast_tools.http_client import HttpError, get_json, get_text

SKIPPED_METRIC = "hazardcast_camera_frames_late_total"


@dataclass(frozen=True)
class Truth:
    """Times in epoch seconds; None where the camera does not know."""

    impact_at: float | None = None
    started_at: float | None = None
    duration_s: float | None = None
    fps: float | None = None
    skipped: int = 0
    """Frames that the camera itself left out, as the machine was too slow to draw them."""

    def position_s(self, moment: float) -> float | None:
        """Where in the looped file `moment` lies."""
        if self.started_at is None or not self.duration_s:
            return None
        return (moment - self.started_at) % self.duration_s


def ask(house: House) -> Truth:
    """Ask the camera service; unknown when it does not answer."""
    try:
        answer = get_json(f"{house.place.camera_server}/{CAMERA}.json")
        port = house.metrics_ports[SERVICES.index("camera")]
        metrics = get_text(f"http://{ports.LOOPBACK}:{port}/metrics")
    except HttpError:
        return Truth()
    return Truth(
        impact_at=_number(answer, "impact_at"),
        started_at=_number(answer, "started_at"),
        duration_s=_number(answer, "duration_s"),
        fps=_number(answer, "fps"),
        skipped=_skipped(metrics),
    )


def _skipped(metrics: str) -> int:
    found = re.search(rf"^{SKIPPED_METRIC}\{{[^}}]*\}} (\S+)$", metrics, re.MULTILINE)
    return int(float(found[1])) if found else 0


def _number(answer: Any, name: str) -> float | None:
    value = answer.get(name) if isinstance(answer, dict) else None
    return float(value) if isinstance(value, int | float) else None
