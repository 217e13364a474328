"""The faults that there are: in which lane each comes, whom it blinds, what is lost by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Lane = Literal["station", "broker", "car", "quiet", "video"]
CARS = ("car-1", "car-2", "car-3")
BY_NAME = "car-3"
"""Hears neither multicast nor broker: it is told by unicast, and known by its name alone."""


@dataclass(frozen=True)
class Kind:
    """A fault. In a lane one comes at a time; lanes run side by side."""

    name: str
    lane: Lane
    least_s: float
    most_s: float
    blinds: Literal["nobody", "air", "everybody", "its car", "mqtt door"] = "nobody"
    """Whom nothing need be told while it lasts; `mqtt door`: what was reported over MQTT may wait."""
    ends_station: bool = False
    """The alerter's process ends: what its disk did not take is gone."""
    apart: bool = False
    """Never while the alerter ends: what only it knew, it cannot find again meanwhile."""
    forgets: bool = False
    """The broker loses what it had acknowledged and not yet delivered."""
    forgets_sessions: bool = False
    """And who had subscribed: what it acknowledges before that is said anew reaches nobody."""
    station_clock: bool = False
    no_video: bool = False
    """Pictures may be missing from clips while it lasts."""
    only: tuple[str, ...] = CARS
    """Of the cars' lane: whom it can befall."""


MULTICAST = tuple(car for car in CARS if car != BY_NAME)

KINDS: tuple[Kind, ...] = (
    Kind("alerter killed", "station", 1, 3, "everybody", ends_station=True),
    Kind("alerter ended and started", "station", 1, 3, "everybody", ends_station=True),
    Kind("alerter stopped", "station", 3, 6, "everybody"),
    Kind("station's clock 2 h ahead", "station", 4, 6, "everybody", station_clock=True),
    Kind("station's clock 2 h behind", "station", 4, 6, "everybody", station_clock=True),
    Kind("station's interface down", "station", 3, 6, "air"),
    Kind("station's address another", "station", 3, 6, "air"),
    Kind("station's interface made anew", "station", 1, 3, "air"),
    Kind("broker killed", "broker", 2, 6, "mqtt door", forgets=True),
    Kind("broker killed, its memory lost", "broker", 2, 6, "mqtt door", forgets=True, forgets_sessions=True),
    Kind("broker ended and started", "broker", 1, 4, "mqtt door"),
    Kind("broker stopped", "broker", 3, 8, "mqtt door"),
    Kind("car killed", "car", 1, 4, "its car"),
    Kind("car ended and started", "car", 1, 3, "its car"),
    Kind("car stopped", "car", 2, 6, "its car"),
    Kind("car's clock 2 h ahead", "car", 3, 5, "its car"),
    Kind("car's clock 2 h behind", "car", 3, 5, "its car"),
    Kind("car's interface down", "car", 2, 5, "its car"),
    Kind("car's address another", "car", 2, 5, "its car"),
    Kind("car's interface made anew", "car", 1, 3, "its car", only=MULTICAST),
    Kind("car's link loses 30 %", "car", 4, 7),
    Kind("car's console not read", "car", 4, 7),
    Kind("car's console gone", "car", 1, 2),
    Kind("car's disk full", "car", 4, 7),
    Kind("car's disk read-only", "car", 4, 7),
    Kind("names not answered", "quiet", 6, 14, apart=True),
    Kind("names unknown", "quiet", 6, 14, apart=True),
    Kind("station's disk full", "quiet", 5, 9, apart=True),
    Kind("station's disk read-only", "quiet", 5, 9, apart=True),
    Kind("station's log not read", "quiet", 5, 9),
    Kind("station's log gone", "quiet", 1, 2),
    Kind("silent connection on every port", "quiet", 5, 9),
    Kind("air loses 30 %", "quiet", 5, 9),
    Kind("camera flaps", "video", 4, 8, no_video=True),
    Kind("camera frozen", "video", 4, 8, no_video=True),
    Kind("recorder killed", "video", 1, 3, no_video=True),
    Kind("recorder ended and started", "video", 1, 3, no_video=True),
    Kind("recorder stopped", "video", 2, 5, no_video=True),
    Kind("recorder's log not read", "video", 4, 8),
    Kind("clipper killed", "video", 1, 4),
    Kind("clipper ended and started", "video", 1, 4),
    Kind("clipper stopped", "video", 2, 6),
    Kind("clipper's log not read", "video", 4, 8),
    Kind("video's disk full", "video", 4, 7, no_video=True),
)  # fmt: skip
NAMED = {kind.name: kind for kind in KINDS}
