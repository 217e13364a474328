"""Tracks: the same road user followed from frame to frame."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from detector import kalman
from detector.association import SURE_SCORE, associate
from detector.boxes import Boxes, Floats, Label, areas, intersections
from detector.history import Column, History

CONFIRMED_AFTER = 3
"""A track counts once it was seen this often."""
LOST_MOVING_S = 1.5
LOST_STATIONARY_S = 30.0
"""A standing vehicle hidden by passing traffic is still there."""
STATIONARY_BLPS = 0.15
"""Slower than this (body lengths per second, body = √(w·h)) is standing."""
FAST_BLPS = 0.6
GROUP_COVER = 0.6
"""A track of which this share lies in another track's box is hidden in it (merged blobs)."""
LATEST_STEP_S = 3.0
"""After a longer pause positions say nothing any more: all tracks end."""


@dataclass
class Track:
    """One road user; `history` grows while it is seen."""

    track_id: int
    history: History = field(default_factory=History)
    votes: Counter[int] = field(default_factory=Counter)
    hits: int = 0
    unseen_s: float = 0.0
    seen: bool = True
    """Whether it was found in the latest frame."""
    fast_t: float = float("-inf")
    """When it last was at `FAST_BLPS` or more."""

    @property
    def label(self) -> Label:
        """The class it was taken for most often."""
        return Label(self.votes.most_common(1)[0][0])

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
    def speed_blps(self) -> float:
        """Its speed when last seen, body lengths per second."""
        row = self.history.rows[-1]
        return float(np.hypot(row[Column.VX], row[Column.VY]) / row[Column.SIZE])

    def was_fast_since(self, t: float) -> bool:
        """Whether it moved clearly at or after `t`."""
        return self.fast_t >= t

    @property
    def stationary(self) -> bool:
        """Whether it stood when last seen."""
        return self.hits > CONFIRMED_AFTER and self.speed_blps < STATIONARY_BLPS


class Tracker:
    """Follows the boxes of one camera."""

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        """Every live track, unconfirmed and lost ones included."""
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
        self._last_t = t
        if dt_s > LATEST_STEP_S:
            self.reset()
        self._advance(dt_s)
        pairs = self._associate(found)
        self._correct(pairs, found, t)
        self._follow_hidden(dict(pairs), found, t)
        self._drop_lost()
        self._begin(pairs, found, t)
        return self.confirmed()

    def confirmed(self) -> list[Track]:
        """The tracks that are believed."""
        return [track for track in self.tracks if track.confirmed]

    def reset(self) -> None:
        """Forget everything, as after a cut."""
        self.tracks.clear()
        self._filters = kalman.none()

    def _advance(self, dt_s: float) -> None:
        observed = np.array([track.seen for track in self.tracks], bool)
        self._filters.predict(dt_s, observed)
        for track in self.tracks:
            track.seen = False
            track.unseen_s += dt_s

    def _associate(self, found: Boxes) -> list[tuple[int, int]]:
        persons = np.array([track.label is Label.PERSON for track in self.tracks], bool)
        alive = np.array([track.unseen_s < 0.6 for track in self.tracks], bool)
        return associate(self._filters.boxes(), persons, alive, found)

    def _correct(self, pairs: list[tuple[int, int]], found: Boxes, t: float) -> None:
        if not pairs:
            return
        rows, columns = np.array(pairs).T
        self._filters.correct(rows, found.xyxy[columns])
        for row, column in pairs:
            self._see(self.tracks[row], found, column, t)

    def _see(self, track: Track, found: Boxes, column: int, t: float) -> None:
        score = float(found.scores[column])
        track.history.append(t, found.xyxy[column], score)
        track.votes[int(found.labels[column])] += 1
        track.hits += 1
        track.unseen_s, track.seen = 0.0, True
        if track.confirmed and track.speed_blps >= FAST_BLPS:
            track.fast_t = t

    def _follow_hidden(self, matched: dict[int, int], found: Boxes, t: float) -> None:
        """Keep tracks that merged into one blob with another: a blob without class has no parts.

        The hidden track keeps its size and moves as predicted, but not out of the blob; so two
        blobs that hit each other and stop are two tracks that stop.
        """
        blobs = np.flatnonzero(found.labels == Label.OBJECT)
        hidden = [
            row for row, track in enumerate(self.tracks) if row not in matched and track.confirmed
        ]
        if not len(blobs) or not hidden:
            return
        predicted = self._filters.boxes()[hidden]
        cover = intersections(predicted, found.xyxy[blobs]) / areas(predicted)[:, None]
        for row, box, shares in zip(hidden, predicted, cover, strict=True):
            best = int(shares.argmax())
            if shares[best] >= GROUP_COVER:
                inside = _moved_into(box, found.xyxy[blobs[best]])
                self._filters.correct(np.array([row]), inside[None])
                track = self.tracks[row]
                track.history.append(t, inside, SURE_SCORE)
                track.unseen_s, track.seen = 0.0, True

    def _drop_lost(self) -> None:
        keep = np.array([not _given_up(track) for track in self.tracks], bool)
        if not keep.all():
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


def _moved_into(box: Floats, outer: Floats) -> Floats:
    """`box` moved (and shrunk if need be) so that it lies within `outer`."""
    low, high = outer[:2], outer[2:]
    size = np.minimum(box[2:] - box[:2], high - low)
    start = np.clip(box[:2], low, high - size)
    return np.concatenate([start, start + size])
