"""What is known of one camera's view: the road's plane and the usual traffic, learnt as it goes."""

from __future__ import annotations

from collections.abc import Sequence

from detector.tracking.history import Column
from detector.tracking.motion import feet
from detector.tracking.tracks import Track
from detector.view.ground import Ground, SizeMap
from detector.view.traffic_flow import FlowField
from hazardcast.vision.geometry.boxes import Label

LEAST_ROWS = 8
"""A track seen less often says nothing of the traffic."""


class View:
    """Learns from tracks that ended; asks nothing of those that go on."""

    def __init__(self, width: int, height: int, *, ground: Ground | None = None) -> None:
        self.size = (width, height)
        self.flow = FlowField(width, height)
        self._given = ground
        self._sizes = SizeMap(width, height)
        self._learnt: set[int] = set()

    @property
    def ground(self) -> Ground | None:
        """As given, else as learnt from cars' sizes, else None."""
        return self._given or self._sizes.ground

    def speed_mps(self, track: Track) -> float | None:
        """How fast a track goes over the road; None while the ground is not known."""
        if self.ground is None:
            return None
        last = track.history.rows[-1]
        speed = self.ground.speed_mps(feet(last[None])[0], last[[Column.VX, Column.VY]])
        return speed if speed == speed else None  # noqa: PLR0124 - NaN above the horizon

    def speeds(self, tracks: Sequence[Track]) -> dict[int, float]:
        """Track → metres per second, of those for which it is known."""
        if self.ground is None:
            return {}
        told = ((track.track_id, self.speed_mps(track)) for track in tracks)
        return {number: speed for number, speed in told if speed is not None}

    def learn(self, ended: Sequence[Track]) -> None:
        """Take tracks that ended into account, each once."""
        for track in ended:
            if track.track_id in self._learnt or not track.label.is_vehicle:
                continue
            self._learnt.add(track.track_id)
            rows = track.history.rows
            if len(rows) < LEAST_ROWS:
                continue
            self.flow.add(feet(rows), rows[:, [Column.VX, Column.VY]], rows[:, Column.SIZE])
            if track.label is Label.CAR:
                for row in (len(rows) // 4, 3 * len(rows) // 4):
                    self._sizes.add(rows[row, Column.X1 : Column.Y2 + 1])
        self._learnt &= {track.track_id for track in ended}
