"""From topics to sockets: what retained topics say now, and what detectors see.

Events come from the store instead, once they are stored, so that a page can go on where it ended.
"""

from __future__ import annotations

import threading

from console.socket.hub import Hub
from hazardcast.contract import topics
from hazardcast.contract.messages import (
    Alert,
    ClipState,
    Detections,
    Message,
    Pending,
    ServiceStatus,
)
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus, ClearedHandler, Delivery

SETTLED_AFTER_S = 5.0
"""A broker says at once what it retains; what it has not said again by then is gone."""
RECORDER = "recorder"
LIVE = "live"
Key = tuple[str, str]
Cameras = frozenset[str] | None
"""Whom a word concerns; None: no camera, so everybody."""
UNKNOWN: Cameras = frozenset()
"""Nobody knows whose it was: for who sees all cameras."""


class Feed:
    """Handlers run one at a time on the bus's thread."""

    def __init__(self, hub: Hub, bus: Bus, clock: Clock, *, cameras: frozenset[str]) -> None:
        self._hub = hub
        self._bus = bus
        self._clock = clock
        self._cameras = cameras
        self._lock = threading.Lock()
        self._said: dict[Key, Cameras] = {}
        self._doubted: set[Key] = set()
        self._settles_at: float | None = None
        self._why_down: dict[str, str] = {}

    def subscribe(self) -> None:
        """Hear everything that pages show as it is; once, before the bus starts."""
        bus = self._bus
        bus.on_connect(self._connected)
        bus.subscribe(topics.ACTIVE, self._active, cleared=self._cleared("active"))
        bus.subscribe(topics.CLIPS, self._clip, cleared=self._cleared("clips"))
        bus.subscribe(topics.PENDING, self._pending, cleared=self._cleared("pending"))
        bus.subscribe(topics.STATUS, self._status)
        bus.subscribe_bytes(topics.DETECTIONS, self._detections)

    def why_down(self, camera: str) -> str | None:
        """Why the recorder says that a camera is not live; None while it is, or says nothing."""
        return self._why_down.get(camera)

    def tick(self) -> None:
        """Take back what a broker did not say again after it was away."""
        with self._lock:
            if self._settles_at is None or self._clock.monotonic() < self._settles_at:
                return
            self._settles_at = None
            doubted, self._doubted = self._doubted, set()
            gone = [(key, self._said.pop(key, UNKNOWN)) for key in doubted]
        for (topic, key), cameras in gone:
            self._hub.publish_state(topic, key, None, cameras)

    def _connected(self) -> None:
        with self._lock:
            self._doubted = set(self._said)
            self._settles_at = self._clock.monotonic() + SETTLED_AFTER_S

    def _active(self, word: Alert, delivery: Delivery) -> None:
        self._say("active", delivery.parameters["event_id"], word, _of(word.camera))

    def _clip(self, word: ClipState, delivery: Delivery) -> None:
        parameters = delivery.parameters
        cameras = frozenset((word.camera, *(one.camera for one in word.others or ())))
        self._say("clips", "/".join(parameters.values()), word, cameras)

    def _pending(self, word: Pending, delivery: Delivery) -> None:
        camera = word.incident.camera
        self._say("pending", delivery.parameters["event_id"], word, _of(camera))

    def _status(self, word: ServiceStatus, _delivery: Delivery) -> None:
        value = word.model_dump(mode="json")
        self._hub.publish_state("status", f"{word.service}/{word.instance}", value, None)
        if word.service == RECORDER:
            self._why_down |= {
                one.camera: f"{one.state}: {one.detail}" if one.detail else str(one.state)
                for one in word.cameras
            }
            live = [one.camera for one in word.cameras if one.state == LIVE]
            for camera in live:
                self._why_down.pop(camera, None)

    def _detections(self, payload: bytes, delivery: Delivery) -> None:
        """Read only where a page wants it: many come."""
        camera = delivery.parameters["camera"]
        if camera in self._cameras and self._hub.is_watched(camera):
            message = Detections.decode(payload)
            self._hub.publish_detections(camera, message.model_dump(mode="json"))

    def _say(self, topic: str, key: str, word: Message, cameras: Cameras) -> None:
        with self._lock:
            self._said[topic, key] = cameras
            self._doubted.discard((topic, key))
        self._hub.publish_state(topic, key, word.model_dump(mode="json"), cameras)

    def _cleared(self, topic: str) -> ClearedHandler:
        def cleared(delivery: Delivery) -> None:
            key = "/".join(delivery.parameters.values())
            with self._lock:
                cameras = self._said.pop((topic, key), UNKNOWN)
                self._doubted.discard((topic, key))
            self._hub.publish_state(topic, key, None, cameras)

        return cleared


def _of(camera: str | None) -> Cameras:
    return None if camera is None else frozenset({camera})
