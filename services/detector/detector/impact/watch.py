"""Watches one camera's vehicles for jolts and has each judged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detector.impact import delta_v, net
from detector.impact.colours import Colours
from detector.impact.delta_v import Jolt
from detector.impact.features import UNKNOWN, Party, box_at, features, nearest
from detector.impact.rest import Aftermaths
from detector.impact.samples import Samples
from detector.impact.verdict import Impact
from detector.impact.voting import Suspicion, Suspicions
from detector.tracking.tracks import Track
from detector.view.background_history import Glimpses
from hazardcast.vision.geometry.boxes import joined
from hazardcast.vision.pixels.frame import Frame

LEAST_CHANGE_BLPS = 0.4
LEAST_SPEED_BLPS = 0.3
"""Of its boxes before: what stands is not judged, whatever passes before it."""
LEAST_WIDTH = 0.02
TOUCHING_BL = 0.3
DISAGREEMENT_BLPS, DISAGREEMENT_SHARE = 0.8, 0.75
"""Boxes and pixels may tell speeds so far apart, or apart by this share of the greater."""


class ImpactWatch:
    """The jolts of one camera's vehicles."""

    def __init__(self, glimpses: Glimpses) -> None:
        self._glimpses = glimpses
        self._samples = Samples()
        self._colours = Colours()
        self._parties: dict[int, Party] = {}
        self._judge = net.load()
        self._suspicions = Suspicions()
        self._aftermaths = Aftermaths()
        self.rested: list[Impact] = []
        """Jolts of the last seconds whose vehicles have since come to rest."""

    def reset(self) -> None:
        """Forget, as after a cut."""
        self._samples.reset()
        self._colours.reset()
        self._parties.clear()
        self._suspicions.clear()
        self._aftermaths.reset()
        self.rested = []

    def update(self, frame: Frame, tracks: Sequence[Track]) -> list[Impact]:
        """The jolts that are worth judging after this frame, each with its likelihood."""
        found = self._judged(frame, tracks)
        self.rested = self._aftermaths.update(frame.t, found, self._samples.of)
        return found

    def _judged(self, frame: Frame, tracks: Sequence[Track]) -> list[Impact]:
        found = self.candidates(frame, tracks)
        self._suspicions.forget(frame.t)
        if not found:
            return []
        likelihoods = self._judge.likelihoods([told for _, _, told in found])
        return [
            self._impact(
                track, jolt, self._suspicions.add(track.track_id, frame.t, likelihood), told
            )
            for (track, jolt, told), likelihood in zip(found, likelihoods, strict=True)
        ]

    @property
    def suspected(self) -> dict[int, float]:
        """Track → how likely, at most, it was of late that it has crashed."""
        return self._suspicions.greatest

    def candidates(
        self, frame: Frame, tracks: Sequence[Track]
    ) -> list[tuple[Track, Jolt, dict[str, float]]]:
        """Vehicles with a jolt that may have been a crash, and its features."""
        sampled = self._samples.update(frame, tracks)
        self._colours.update(frame, sampled)
        for track in sampled:
            rows = self._samples.of(track.track_id)
            self._parties[track.track_id] = Party(
                track.track_id, rows, delta_v.find(rows), track.label
            )
        alive = {track.track_id for track in sampled}
        self._parties = {key: one for key, one in self._parties.items() if key in alive}
        found = []
        for track in sampled:
            party = self._parties[track.track_id]
            if party.jolt is None or not party.known or not worth_a_look(party, frame.width):
                continue
            told = features(party, self._others(track), frame_size=(frame.width, frame.height))
            if consistent(told):
                found.append((track, party.jolt, told | self._appearance(track, party.jolt.t)))
        return found

    def _appearance(self, track: Track, jolt_t: float) -> dict[str, float]:
        """How much its place looks as before it came, and as the vehicle did."""
        likeness = self._glimpses.likeness_at_once(track.box, jolt_t)
        return {
            "likeness": UNKNOWN if likeness is None else likeness,
            "colours_kept": self._colours.kept(track.track_id, jolt_t),
        }

    def _others(self, track: Track) -> list[Party]:
        return [one for key, one in self._parties.items() if key != track.track_id]

    def _impact(
        self, track: Track, jolt: Jolt, suspicion: Suspicion, told: dict[str, float]
    ) -> Impact:
        party = self._parties[track.track_id]
        mate, gaps = nearest(party, jolt, self._others(track))
        touched = mate is not None and min(gaps) <= TOUCHING_BL
        then = np.array(box_at(party.rows, jolt.t))
        return Impact(
            track_id=track.track_id,
            partner_id=mate.track_id if mate and touched else None,
            t=jolt.t,
            place=joined(then, track.box),
            suspicion=suspicion,
            told=told,
            label=track.label,
        )


def worth_a_look(party: Party, frame_width: int) -> bool:
    """Whether the vehicle is large enough, and its jolt strong enough, to look at it closely."""
    large = party.width_px >= LEAST_WIDTH * frame_width
    return large and party.change_blps >= LEAST_CHANGE_BLPS


def consistent(told: dict[str, float]) -> bool:
    """Whether its boxes moved as its pixels did: what covers a standing vehicle is not it."""
    pixels, boxes = told["before"], told["box_before"]
    allowed = max(DISAGREEMENT_BLPS, DISAGREEMENT_SHARE * max(pixels, boxes))
    return boxes >= LEAST_SPEED_BLPS and abs(pixels - boxes) <= allowed
