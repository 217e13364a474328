"""Places where vehicles stand, whatever becomes of their tracks.

Passing traffic hides a standing vehicle, and trackers mix the two up. A place remembers who came to
rest there and how; it stays as long as a box of its size is seen there, or something hides it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from detector.tracking.history import Column
from detector.tracking.motion import Stop, feet
from detector.tracking.tracks import Track
from detector.view.background_history import Glimpses
from hazardcast.vision.geometry.boxes import Bools, Floats, Label, areas, intersections

SAME_IOU = 0.4
HIDDEN_SHARE = 0.25
"""Something that covers this share of a place may hide what stands there …"""
HIDDEN_AT_MOST_S = 8.0
"""… but not for longer than this."""
ABSENT_AT_MOST_S = 3.0
FOLLOWING = 0.05
COMPARED_AFTER_S = 7.5
"""Place age at which before and after are compared, s."""
LEAST_WAY_BL = 0.8
DRIVING_BLPS, DRIVING_IOU = 0.5, 0.7
"""A box like that of a track so fast is of a vehicle that drives."""


@dataclass
class Place:
    """A vehicle that stands."""

    box: Floats
    since_t: float
    """When it came to rest, or when it was first seen standing."""
    stop: Stop | None
    """How it came to rest, None for what always stood there."""
    track_id: int
    seen_t: float
    """When it was last seen itself."""
    hidden_t: float = float("-inf")
    """When something last hid it."""
    way: Floats | None = None
    """(2,) px from where its track was first seen to here; None when it was here from the first."""
    label: Label = Label.CAR
    score: float = 1.0
    """Mean score of its boxes until it stood."""
    likeness: float | None = None
    """Of how the place looked before and since, as `Glimpses` tell it; None: not known."""
    settled_t: float | None = None
    """Since when it looks as it does now, as `Glimpses` tell it; None: not known."""
    compared: bool = False

    @property
    def held_s(self) -> float:
        """How long it has stood."""
        return self.seen_t - self.since_t

    @property
    def onset_t(self) -> float:
        """When it came to stand: boxes that creep are said to stand before they do."""
        return self.since_t if self.settled_t is None else max(self.since_t, self.settled_t)

    @property
    def foot(self) -> Floats:
        """(2,) px of its bottom centre."""
        return np.array([(self.box[0] + self.box[2]) / 2, self.box[3]])

    @property
    def size_px(self) -> float:
        """√(w·h) of its box."""
        return float(np.sqrt(areas(self.box[None])[0]))


@dataclass
class Dwell:
    """The standing vehicles of one view."""

    places: list[Place] = field(default_factory=list)

    def update(self, t: float, found: Floats, tracks: Sequence[Track]) -> None:
        """Take one frame's boxes (N, 4) of vehicles and its tracks into account."""
        self._look(t, found, _driving(found, tracks))
        standing = [track for track in tracks if track.seen and track.anchor.expected is not None]
        known = np.array([place.box for place in self.places]).reshape(-1, 4)
        for track in standing:
            box = np.array(track.anchor.expected)
            if not len(known) or _ious(box, known).max() < SAME_IOU:
                self._begin(track, box, t)
        self.places = [place for place in self.places if not _left(place, t)]

    def compare(self, glimpses: Glimpses) -> None:
        """See whether the places that have been taken for long enough looked otherwise before."""
        for place in self.places:
            if not place.compared and place.held_s >= COMPARED_AFTER_S:
                place.likeness = glimpses.likeness(place.box, place.since_t)
                place.settled_t = glimpses.settled_t(place.box, place.since_t)
                place.compared = True

    def clear(self) -> None:
        """Forget, as after a cut."""
        self.places.clear()

    def taken_before(self, box: Floats, t: float, track_id: int) -> bool:
        """Whether another than `track_id` already stood at `box` (4,) at time `t`."""
        others = [
            place.box
            for place in self.places
            if place.since_t < t and place.track_id != track_id
        ]  # fmt: skip
        return bool(others) and bool(_ious(box, np.array(others)).max() >= SAME_IOU)

    def _look(self, t: float, found: Floats, driving: Bools) -> None:
        if not len(found):
            return
        for place in self.places:
            likeness = np.where(driving, 0.0, _ious(place.box, found))
            best = int(likeness.argmax())
            if likeness[best] >= SAME_IOU:
                place.seen_t = t
                if likeness[best] >= 2 * SAME_IOU:
                    place.box = place.box + FOLLOWING * (found[best] - place.box)
            elif _cover(place.box, found) >= HIDDEN_SHARE:
                place.hidden_t = t

    def _begin(self, track: Track, box: Floats, t: float) -> None:
        stop = track.last_stop
        since_t = stop.rest_t if stop else track.first_t
        rows = track.history.rows
        self.places.append(
            Place(
                box,
                since_t,
                stop,
                track.track_id,
                t,
                way=_way(rows, box),
                label=track.label,
                score=float(rows[:, Column.SCORE].mean()),
            )
        )


def _driving(found: Floats, tracks: Sequence[Track]) -> Bools:
    """(N,) whether a box is of a vehicle that drives: that may hide who stands, it is not it."""
    boxes = [one.box for one in tracks if one.seen and one.speed_blps >= DRIVING_BLPS]
    if not boxes or not len(found):
        return np.zeros(len(found), bool)
    driving: Bools = np.max([_ious(box, found) for box in boxes], axis=0) >= DRIVING_IOU
    return driving


def _way(rows: Floats, box: Floats) -> Floats | None:
    here = np.array([(box[0] + box[2]) / 2, box[3]])
    way: Floats = here - feet(rows[:1])[0]
    size_px = float(np.sqrt(areas(box[None])[0]))
    return way if np.hypot(*way) >= LEAST_WAY_BL * size_px else None


def _left(place: Place, t: float) -> bool:
    absent_s = t - max(place.seen_t, place.hidden_t)
    return absent_s > ABSENT_AT_MOST_S or t - place.seen_t > HIDDEN_AT_MOST_S


def _ious(box: Floats, others: Floats) -> Floats:
    shared = intersections(box[None], others)[0]
    union = areas(box[None])[0] + areas(others) - shared
    likeness: Floats = shared / np.maximum(union, 1e-9)
    return likeness


def _cover(box: Floats, others: Floats) -> float:
    shared = intersections(box[None], others)[0]
    return float(shared.max() / max(float(areas(box[None])[0]), 1.0))
