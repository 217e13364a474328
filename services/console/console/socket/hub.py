"""Where threads say what happened and every socket hears it.

The present state of each topic is kept for the sockets to come. Publishing never waits: each word
is made into text once, and handed to the event loop that serves the sockets.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from console.doors.viewer import Viewer
from console.socket.narrowing import narrowed
from console.socket.outbox import Outbox
from console.store.database import StoreUnavailableError
from console.store.store import Store


class EventsAfter(Protocol):
    """What the store answers to a page that was away."""

    def events(
        self, after_seq: int, limit: int, cameras: Collection[str] | None = None
    ) -> list[dict[str, Any]]:
        """Events after a sequence number, oldest first, of what a viewer may see."""
        ...


class Listener:
    """One socket, as the hub knows it; touched on the event loop only."""

    def __init__(self, viewer: Viewer, wake: Callable[[], None]) -> None:
        self.viewer = viewer
        self.watched: frozenset[str] = frozenset()
        self.outbox = Outbox()
        self.sent_seq = -1
        """Events up to here have been told."""
        self.held: list[tuple[int, str | None, str]] | None = None
        """Events that wait until what was missed has been told; None: none does."""
        self._wake = wake

    def event(self, seq: int, camera: str | None, text: str) -> None:
        """An event, unless it was told or is not this viewer's."""
        if self.held is not None:
            self.held.append((seq, camera, text))
        elif seq > self.sent_seq and self.viewer.may_see(camera):
            self.sent_seq = seq
            self.word(text)

    def release(self) -> None:
        """Tell what was held."""
        held, self.held = self.held or [], None
        for seq, camera, text in held:
            self.event(seq, camera, text)

    def state(self, key: tuple[str, str], cameras: frozenset[str] | None, text: str) -> None:
        """A state, where it is this viewer's, as far as it is."""
        if self.viewer.may_see_any(cameras):
            self.outbox.state(key, narrowed(key[0], text, self.viewer))
            self._wake()

    def detections(self, camera: str, text: str) -> None:
        """What a detector saw, where the page wants it."""
        if camera in self.watched and self.viewer.may_see(camera):
            self.outbox.detections(camera, text)
            self._wake()

    def word(self, text: str) -> None:
        """A word that must not be lost."""
        self.outbox.word(text)
        self._wake()

    def media(self, number: int, answer: object) -> None:
        """An answer to what was asked for under a number."""
        self.outbox.media(number, answer)
        self._wake()


def said(op: str, **values: Any) -> str:
    """A word to the page."""
    return json.dumps({"op": op, **values}, separators=(",", ":"), allow_nan=False)


class Hub:
    """Says to all sockets what any thread publishes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: set[Listener] = set()
        self._watched: dict[str, int] = {}
        self._states: dict[tuple[str, str], tuple[frozenset[str] | None, str]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.newest_seq = 0
        """Of the newest event that was published."""

    def publish_event(self, seq: int, camera: str | None, event: Mapping[str, Any]) -> None:
        """An event has been stored."""
        self.newest_seq = max(self.newest_seq, seq)
        if self._listeners:
            text = said("event", event=event)
            self._each(lambda listener: listener.event(seq, camera, text))

    def publish_events(self, events: list[dict[str, Any]]) -> None:
        """Events that were stored together, as the store tells them."""
        for event in events:
            self.publish_event(int(event["seq"]), event.get("camera"), event)

    def publish_detections(self, camera: str, message: Mapping[str, Any]) -> None:
        """What a detector saw; costs nothing where no page wants it."""
        if self._watched.get(camera):
            text = said("detections", camera=camera, message=message)
            self._each(lambda listener: listener.detections(camera, text))

    def is_watched(self, camera: str) -> bool:
        """Whether a page wants a camera's detections."""
        return bool(self._watched.get(camera))

    def publish_state(
        self,
        topic: str,
        key: str,
        value: Mapping[str, Any] | None,
        cameras: frozenset[str] | None,
    ) -> None:
        """What a retained topic says now.

        Args:
            topic: of which kind.
            key: which one.
            value: what it says; None: it was cleared.
            cameras: whose; None: of none, for everybody; empty: not known whose.
        """
        text = said("state", topic=topic, key=key, value=value)
        with self._lock:
            if value is None:
                self._states.pop((topic, key), None)
            else:
                self._states[topic, key] = (cameras, text)
        self._each(lambda listener: listener.state((topic, key), cameras, text))

    def _each(self, tell: Callable[[Listener], None]) -> None:
        loop = self._loop
        if loop is None or not self._listeners:
            return

        def tell_all() -> None:
            for listener in list(self._listeners):
                tell(listener)

        try:
            loop.call_soon_threadsafe(tell_all)
        except RuntimeError:
            return  # the server stops, and all sockets with it

    def attach(self, listener: Listener) -> None:
        """A socket begins: it gets the present states, and what is said from now on."""
        self._loop = asyncio.get_running_loop()
        self._listeners.add(listener)  # first: what is said meanwhile is said twice, not never
        with self._lock:
            states = list(self._states.items())
        for key, (cameras, text) in states:
            listener.state(key, cameras, text)

    def detach(self, listener: Listener) -> None:
        """A socket has ended."""
        self._listeners.discard(listener)
        self.watch(listener, frozenset())

    def watch(self, listener: Listener, cameras: frozenset[str]) -> None:
        """The page wants these cameras' detections, and no others."""
        listener.outbox.withdraw(listener.watched - cameras)
        for camera in cameras - listener.watched:
            self._watched[camera] = self._watched.get(camera, 0) + 1
        for camera in listener.watched - cameras:
            self._watched[camera] -= 1
        listener.watched = cameras

    def __len__(self) -> int:
        return len(self._listeners)


def open_hub(store: Store) -> Hub:
    """A hub that says what the store has just stored, and knows what it stored before."""
    hub = Hub()
    try:
        hub.newest_seq = store.newest_seq()
    except StoreUnavailableError:
        hub.newest_seq = 0  # told with the next event
    store.listen(hub.publish_events)
    return hub
