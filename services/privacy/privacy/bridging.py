"""From looks at some frames to regions of every frame, both ways in time; pure.

A look every fifth frame misses what happens between, and flickers: a head that is found, lost for
half a second and found again was there all the time. So regions of one thing are joined into a
track, gaps are filled between both ends, and a track goes on before its first and after its last
look. A frame's regions are known once everything within `AHEAD_S` after it has been looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from hazardcast.vision.geometry.boxes import Floats, Ints, grown, ious
from privacy.regions import Found, Kind

START_SCORE = 0.30
"""One look of a track must have reached it; the others may be as low as the detector tells."""
GAP_S = 1.0
"""A longer gap between two looks is none: the thing was gone."""
TAIL_S = 0.5
"""A track goes on for so long before its first look and after its last one."""
AHEAD_S = max(GAP_S, TAIL_S)
TAIL_GROWTH_PER_S = 0.4
"""Growth on each side in a tail: where the thing went is less sure by the moment."""
PADDING = 0.10
"""On each side of every region, share of its sides."""
SAME_GROWN, GROWN_PER_S = 0.5, 1.0
SAME_IOU = 0.05
"""Two regions of one kind are one thing's where both, grown on each side by a share of their sides
that grows with the time between them, overlap so."""
PACE_S = AHEAD_S - TAIL_S
"""Over how long a track's motion is taken at most: of its first looks no more is known in time."""


@dataclass(frozen=True)
class Placed:
    """What one frame has covered: `xyxy` (N, 4) px, `kinds` (N,), `tracks` (N,) numbers."""

    xyxy: Floats
    kinds: Ints
    tracks: Ints

    def __len__(self) -> int:
        return len(self.xyxy)


@dataclass
class Track:
    """One thing, as seen by looks in turn."""

    number: int
    kind: Kind
    times: list[float] = field(default_factory=list)
    boxes: list[Floats] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    def add(self, t: float, box: Floats, score: float) -> None:
        """One more look that saw it."""
        self.times.append(t)
        self.boxes.append(box)
        self.scores.append(score)

    def pace(self, *, at_end: bool) -> Floats:
        """(4,) px/s of its sides at its last looks, or its first."""
        ends = (-1, -2) if at_end else (0, 1)
        if len(self.times) < 2 or abs(self.times[ends[0]] - self.times[ends[1]]) > PACE_S:
            return np.zeros(4, np.float32)
        step_s = self.times[ends[0]] - self.times[ends[1]]
        motion = (self.boxes[ends[0]] - self.boxes[ends[1]]) / np.float32(step_s)
        # What grows by one look may only have been cut off by another thing: it moves as a whole.
        across, down = (motion[0] + motion[2]) / 2, (motion[1] + motion[3]) / 2
        return np.array([across, down, across, down], np.float32)

    def expected(self, t: float) -> Floats:
        """(4,) where it should be at `t`, after its last look."""
        return self.boxes[-1] + self.pace(at_end=True) * np.float32(t - self.times[-1])

    def at(self, t: float) -> Floats | None:
        """(4,) where it is at `t`; None where it is not."""
        first, last = self.times[0], self.times[-1]
        if first <= t <= last:
            return self._between(t)
        away = first - t if t < first else t - last
        if away > TAIL_S:
            return None
        end = -1 if t > last else 0
        there = self.boxes[end]
        moved = there + self.pace(at_end=t > last) * np.float32(t - self.times[end])
        both = np.concatenate([np.minimum(there, moved)[:2], np.maximum(there, moved)[2:]])
        larger: Floats = grown(both[None], TAIL_GROWTH_PER_S * away)[0]
        return larger

    def _between(self, t: float) -> Floats:
        after = int(np.searchsorted(np.array(self.times), t))
        if self.times[after] == t:
            return self.boxes[after]
        before = after - 1
        share = np.float32((t - self.times[before]) / (self.times[after] - self.times[before]))
        return self.boxes[before] * (1 - share) + self.boxes[after] * share


class Bridge:
    """Looks go in by time, regions of frames come out; nothing older than needed is kept."""

    def __init__(self, width: int, height: int, *, bridged: bool = True) -> None:
        """For pictures of `width` × `height` px; not `bridged`, each look counts for itself."""
        self._picture = np.array([width, height, width, height], np.float32)
        self._tracks: list[Track] = []
        self._number = 0
        self._bridged = bridged

    def look(self, t: float, found: Found) -> None:
        """Take what was found at `t`, seconds, later than all before."""
        open_tracks = [one for one in self._tracks if t - one.times[-1] <= GAP_S]
        taken: set[int] = set()
        for row, track in _matches(t, open_tracks, found):
            track.add(t, found.xyxy[row], float(found.scores[row]))
            taken.add(row)
        for row in range(len(found)):
            if row not in taken:
                self._begin(t, found, row)

    def _begin(self, t: float, found: Found, row: int) -> None:
        track = Track(self._number, Kind(int(found.kinds[row])))
        track.add(t, found.xyxy[row], float(found.scores[row]))
        self._tracks.append(track)
        self._number += 1

    def forget(self, before: float) -> None:
        """Let tracks go that no frame from `before` on can need."""
        self._tracks = [one for one in self._tracks if one.times[-1] >= before - AHEAD_S]

    def at(self, t: float) -> Placed:
        """What is covered of the frame at `t`, padded and cut to the picture."""
        rows = [
            (box, int(track.kind), track.number)
            for track in self._tracks
            if max(track.scores) >= START_SCORE and (box := self._of(track, t)) is not None
        ]
        xyxy = np.array([box for box, _, _ in rows], np.float32).reshape(-1, 4)
        xyxy = np.clip(grown(xyxy, PADDING), 0, self._picture)
        seen = np.flatnonzero((xyxy[:, 2] - xyxy[:, 0] >= 1) & (xyxy[:, 3] - xyxy[:, 1] >= 1))
        kinds = np.array([kind for _, kind, _ in rows], np.int64)
        numbers = np.array([number for _, _, number in rows], np.int64)
        return Placed(xyxy[seen], kinds[seen], numbers[seen])

    def _of(self, track: Track, t: float) -> Floats | None:
        if self._bridged:
            return track.at(t)
        return track.boxes[track.times.index(t)] if t in track.times else None


def _matches(t: float, tracks: list[Track], found: Found) -> Iterator[tuple[int, Track]]:
    """(row, track) of those that are one thing, the most alike first."""
    if not tracks or not len(found):
        return
    alike = np.stack([_alike(t, one, found) for one in tracks], axis=1)
    while alike.size and (best := float(alike.max())) >= SAME_IOU:
        row, column = divmod(int(alike.argmax()), alike.shape[1])
        alike[row, :] = alike[:, column] = 0.0
        if best > 0:
            yield row, tracks[column]


def _alike(t: float, track: Track, found: Found) -> Floats:
    """(N,) how much each region may be the track's next one: buffered IoU (C-BIoU)."""
    share = SAME_GROWN + GROWN_PER_S * (t - track.times[-1])
    theirs = grown(found.xyxy, share)
    places = np.stack([track.expected(t), track.boxes[-1]])
    overlap: Floats = ious(theirs, grown(places, share)).max(axis=1)
    return np.where(found.kinds == int(track.kind), overlap, 0.0)
