"""How long recordings will be kept: by each camera's limits, and by what the disk holds of all.

The recorder removes the oldest of all cameras first where the disk gets full, so that then all
reach back equally far, except those whose own limits end earlier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Stream:
    """One camera's recording."""

    bit_rate_bps: float
    most_age_s: float
    most_bytes: float

    @property
    def bytes_per_s(self) -> float:
        """What a second of it takes."""
        return self.bit_rate_bps / 8

    @property
    def own_s(self) -> float:
        """How far it reaches back by its own limits."""
        if self.bytes_per_s <= 0:
            return self.most_age_s
        return min(self.most_age_s, self.most_bytes / self.bytes_per_s)


def needed_bytes(streams: Mapping[str, Stream]) -> float:
    """What all take when each reaches back as far as its own limits let it."""
    return sum(stream.bytes_per_s * stream.own_s for stream in streams.values())


def kept_s(streams: Mapping[str, Stream], room_bytes: float) -> dict[str, float]:
    """How far each camera will reach back, s.

    Args:
        streams: the cameras.
        room_bytes: what the disk holds of all of them together.
    """
    reach_s = 0.0
    left = max(0.0, room_bytes)
    growing = sorted(streams.values(), key=lambda stream: stream.own_s)
    while growing:
        rate = sum(stream.bytes_per_s for stream in growing)
        step_s = growing[0].own_s - reach_s
        if rate * step_s > left:
            reach_s += left / rate
            break
        left -= rate * step_s
        reach_s = growing.pop(0).own_s
    return {name: min(stream.own_s, reach_s) for name, stream in streams.items()}
