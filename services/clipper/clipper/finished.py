"""The finished clips in memory: the answer to repeated requests and reconnects."""

from __future__ import annotations

import threading

from clipper.jobs import Identity, identity
from clipper.library import Library
from clipper.manifest import Manifest
from hazardcast.contract.messages import ClipState
from hazardcast.contract.vocabulary import ClipStage

MOST_REPEATED = 200


class FinishedClips:
    """The library's manifests, found by what was asked for. Safe to use from several threads."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._clips: dict[Identity, tuple[str, ClipState]] = {}
        for stem, manifest in library.manifests():
            self.add(stem, manifest)

    def add(self, stem: str, manifest: Manifest) -> ClipState:
        """Take in a finished clip; returns what is to be said of it."""
        state = manifest.clip_state(self._library.video_path(stem))
        with self._lock:
            self._clips[identity(manifest.request)] = (stem, state)
        return state

    def find(self, wanted: Identity) -> ClipState | None:
        """The clip that answers a request, if it is still there."""
        with self._lock:
            stem, state = self._clips.get(wanted, ("", None))
        return state if self._library.manifest(stem) else None

    def hold(self, wanted: Identity) -> None:
        """Keep the clip that answers a request from retention."""
        with self._lock:
            stem, _ = self._clips[wanted]
        self._library.hold(stem)

    def recent(self) -> list[ClipState]:
        """The newest clips, the newest last."""
        with self._lock:
            states = [state for _, state in self._clips.values()]
        return sorted(states, key=lambda state: state.updated_at)[-MOST_REPEATED:]

    def of_event(self, event_id: str) -> list[ClipState]:
        """The finished clips of one event."""
        with self._lock:
            return [state for key, (_, state) in self._clips.items() if key.event_id == event_id]

    def incomplete(self, *, since: float) -> list[tuple[str, ClipState]]:
        """(stem, state) of the clips made since then that lack some of their window."""
        with self._lock:
            recent = [one for one in self._clips.values() if one[1].updated_at >= since]
        return [one for one in recent if one[1].state != ClipStage.READY]

    def remove(self, stem: str) -> str | None:
        """Forget a clip; returns its event if no other clip of that event is left."""
        with self._lock:
            gone = {key: state for key, (name, state) in self._clips.items() if name == stem}
            for key in gone:
                del self._clips[key]
            left = {state.event_id for _, state in self._clips.values()}
        events = {state.event_id for state in gone.values()} - left
        return next(iter(events), None)
