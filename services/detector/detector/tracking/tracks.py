"""Tracks: the same road user followed from frame to frame."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

import numpy as np

from detector.tracking import kalman
from detector.tracking.association import SURE_SCORE, Expected, associate
from detector.tracking.history import Column, History
from detector.tracking.motion import Stop, last_stop
from detector.tracking.occlusion import grouped
from detector.tracking.standing import Anchor
from hazardcast.vision.geometry.boxes import Bools, Boxes, Floats, Label

CONFIRMED_AFTER = 3
"""A track counts once it was seen this often."""
LOST_MOVING_S = 1.5
LOST_STATIONARY_S = 30.0
"""A standing vehicle hidden by passing traffic is still there."""
STATIONARY_BLPS = 0.15
"""Slower than this (body lengths per second, body = √(w·h)) is standing."""
FAST_BLPS = 0.6
MOVING_BLPS = 0.5
LOOK_RATE = 0.3
"""Of what a track is said to look like, so much is its newest frame's."""
HIDDEN_S = 3.0
"""A track hidden in another's blob is followed for this long."""
PAST_S = 40.0
LATEST_STEP_S = 3.0
"""After a longer pause positions say nothing any more: all tracks end."""


@dataclass
class Track:
    """One road user; `history` grows while it is seen."""

    track_id: int
    history: History = field(default_factory=History)
    votes: Counter[int] = field(default_factory=Counter)
    anchor: Anchor = field(default_factory=Anchor)
    look: Floats | None = None
    """(COLOURS,) what it looks like, averaged over its last frames."""
    label: Label = Label.OBJECT
    """The class it was taken for most often."""
    speed_blps: float = 0.0
    """Its speed when last seen, body lengths per second."""
    hits: int = 0
    unseen_s: float = 0.0
    seen: bool = True
    """Whether it was found in the latest frame."""
    hidden_s: float = 0.0
    """For how long it has been followed only as a part of another's blob."""
    fast_t: float = float("-inf")
    """When it last was at `FAST_BLPS` or more."""
    _stop: tuple[float, Stop | None] = (float("-inf"), None)

    @property
    def confirmed(self) -> bool:
        """Whether it was seen often enough to be believed."""
        return self.hits >= CONFIRMED_AFTER

    @property
    def box(self) -> Floats:
        """(4,) where it was last seen."""
        return self.history.rows[-1, Column.X1 : Column.Y2 + 1]

    @property
    def last_score(self) -> float:
        """How sure the model was of it when last seen."""
        return float(self.history.rows[-1, Column.SCORE])

    @property
    def last_t(self) -> float:
        """When it was last seen."""
        return float(self.history.rows[-1, Column.T])

    @property
    def first_t(self) -> float:
        """When it was first seen, as far as remembered."""
        return float(self.history.rows[0, Column.T])

    @property
    def last_stop(self) -> Stop | None:
        """How it came to its present rest; None while it moves or was never seen moving."""
        if self.fast_t == float("-inf") or self.speed_blps > MOVING_BLPS:
            return None
        if self._stop[0] != self.last_t:
            self._stop = (self.last_t, last_stop(self.history))
        return self._stop[1]

    def was_fast_since(self, t: float) -> bool:
        """Whether it moved clearly at or after `t`."""
        return self.fast_t >= t

    def note_look(self, look: Floats) -> None:
        """Take into account what it looks like now."""
        self.look = look if self.look is None else self.look + LOOK_RATE * (look - self.look)

    @property
    def stationary(self) -> bool:
        """Whether it stood when last seen."""
        return self.hits > CONFIRMED_AFTER and self.speed_blps < STATIONARY_BLPS


class Tracker:
    """Follows the boxes of one camera."""

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        """Every live track, unconfirmed and lost ones included."""
        self.past: deque[Track] = deque()
        """Confirmed tracks that ended within `PAST_S`, oldest first."""
        self._filters = kalman.none()
        self._last_t: float | None = None
        self._next_id = 1

    def update(self, found: Boxes, t: float) -> list[Track]:
        """Take one frame's boxes; returns the confirmed tracks, lost ones included.

        Args:
            found: the frame's boxes.
            t: the frame's time in seconds; frames that are not newer than the last are ignored.
        """
        if self._last_t is not None and t <= self._last_t:
            return self.confirmed()
        dt_s = t - self._last_t if self._last_t is not None else 0.0
        if dt_s > LATEST_STEP_S:
            self.reset()
        self._last_t = t
        self._advance(dt_s)
        groups = self._follow_grouped(found, t, dt_s)
        found = found.take(~groups) if groups.any() else found
        pairs = self._associate(found)
        self._correct(pairs, found, t)
        self._drop_lost(t)
        self._begin(pairs, found, t)
        return self.confirmed()

    def confirmed(self) -> list[Track]:
        """The tracks that are believed."""
        return [track for track in self.tracks if track.confirmed]

    def reset(self) -> None:
        """Forget everything, as after a cut; numbers of tracks go on."""
        self.tracks.clear()
        self.past.clear()
        self._last_t = None
        self._filters = kalman.none()

    def _advance(self, dt_s: float) -> None:
        observed = np.array([track.seen for track in self.tracks], bool)
        self._filters.predict(dt_s, observed)
        for track in self.tracks:
            track.seen = False
            track.unseen_s += dt_s

    def _associate(self, found: Boxes) -> list[tuple[int, int]]:
        free = [row for row, track in enumerate(self.tracks) if not track.seen]
        tracks = [self.tracks[row] for row in free]
        looks = [track.look for track in tracks if track.look is not None]
        expected = Expected(
            boxes=self._expected()[free],
            persons=np.array([track.label is Label.PERSON for track in tracks], bool),
            alive=np.array([track.unseen_s < 0.6 for track in tracks], bool),
            looks=np.array(looks) if looks and len(looks) == len(tracks) else None,
        )
        return [(free[row], column) for row, column in associate(expected, found)]

    def _correct(self, pairs: list[tuple[int, int]], found: Boxes, t: float) -> None:
        if not pairs:
            return
        believed = [self._see(self.tracks[row], found, column, t) for row, column in pairs]
        self._filters.correct(np.array([row for row, _ in pairs]), np.array(believed))

    def _see(self, track: Track, found: Boxes, column: int, t: float) -> Floats:
        """Add the box to the track; returns the box that is believed."""
        slow = track.stationary
        box = track.anchor.note(found.xyxy[column], slow=slow, dt_s=track.unseen_s)
        track.history.append(t, box, float(found.scores[column]))
        track.speed_blps = track.history.speed_blps
        track.votes[int(found.labels[column])] += 1
        track.label = Label(max(track.votes, key=track.votes.__getitem__))
        if found.looks is not None:
            track.note_look(found.looks[column])
        track.hits += 1
        track.unseen_s, track.hidden_s, track.seen = 0.0, 0.0, True
        if track.confirmed and track.speed_blps >= FAST_BLPS:
            track.fast_t = t
        return box

    def _follow_grouped(self, found: Boxes, t: float, dt_s: float) -> Bools:
        """Follow the tracks that are hidden in a group; returns which boxes are groups."""
        eligible = [
            track.confirmed and track.unseen_s < 0.6 and track.hidden_s < HIDDEN_S
            for track in self.tracks
        ]
        members, groups = grouped(self._steady(), np.array(eligible, bool), found)
        for row, box in members.items():
            self._filters.correct(np.array([row]), box[None])
            self.tracks[row].history.append(t, box, SURE_SCORE)
            self.tracks[row].speed_blps = self.tracks[row].history.speed_blps
            self.tracks[row].unseen_s, self.tracks[row].seen = 0.0, True
            self.tracks[row].hidden_s += dt_s
        return groups

    def _expected(self) -> Floats:
        """(N, 4) where the tracks should be now: on their anchors, or as they moved."""
        boxes = self._filters.boxes()
        for row, track in enumerate(self.tracks):
            if track.anchor.expected is not None:
                boxes[row] = track.anchor.expected
        return boxes

    def _steady(self) -> Floats:
        """(N, 4) where the tracks should be now, as large as they were when last seen."""
        boxes = self._expected()
        if not len(boxes):
            return boxes
        last = np.array([track.box for track in self.tracks])
        centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (last[:, 2:] - last[:, :2]) / 2
        return np.concatenate([centre - half, centre + half], axis=1)

    def _drop_lost(self, t: float) -> None:
        while self.past and self.past[0].last_t < t - PAST_S:
            self.past.popleft()
        keep = np.array([not _given_up(track) for track in self.tracks], bool)
        if not keep.all():
            ended = (track for track, kept in zip(self.tracks, keep, strict=True) if not kept)
            self.past.extend(track for track in ended if track.confirmed)
            self._filters.keep(keep)
            self.tracks = [track for track, kept in zip(self.tracks, keep, strict=True) if kept]

    def _begin(self, pairs: list[tuple[int, int]], found: Boxes, t: float) -> None:
        taken = np.zeros(len(found), bool)
        taken[[column for _, column in pairs]] = True
        new = np.flatnonzero(~taken & (found.scores >= SURE_SCORE))
        self._filters.extend(found.xyxy[new])
        for column in new:
            track = Track(self._next_id)
            self._next_id += 1
            self._see(track, found, int(column), t)
            self.tracks.append(track)


def _given_up(track: Track) -> bool:
    if not track.confirmed:
        return track.unseen_s > 0.5
    return track.unseen_s > (LOST_STATIONARY_S if track.stationary else LOST_MOVING_S)
