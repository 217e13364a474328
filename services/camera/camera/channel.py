"""One camera's stream on its way to any number of clients."""

from __future__ import annotations

import threading
from collections import deque

from camera import metrics
from camera.transport_stream import Chunk

MOST_WAITING_BYTES = 4 << 20
"""What may wait for one client (several seconds of video) before it is cut off."""


class Subscription:
    """What waits for one client; the stream never waits for it."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._begun = False
        self.closed_because: str | None = None

    def offer(self, chunk: Chunk, tables: bytes) -> None:
        """Queue a chunk; the first one that counts is a keyframe, with the tables before it."""
        with self._changed:
            if not self._begun:
                if not chunk.keyframe:
                    return
                self._begun = True
                self._push(tables)
            self._push(chunk.data)
            if self._waiting_bytes > MOST_WAITING_BYTES:
                self._close("slow")

    def _push(self, data: bytes) -> None:
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        self._changed.notify()

    def _close(self, reason: str) -> None:
        self.closed_because = self.closed_because or reason
        self._waiting.clear()
        self._waiting_bytes = 0
        self._changed.notify_all()

    def close(self, reason: str) -> None:
        """Nothing more follows."""
        with self._changed:
            self._close(reason)

    def take(self, timeout_s: float) -> bytes | None:
        """Everything that waits, joined; empty after `timeout_s`, None once it is closed."""
        with self._changed:
            if not self._waiting and self.closed_because is None:
                self._changed.wait(timeout_s)
            if self.closed_because is not None:
                return None
            data = b"".join(self._waiting)
            self._waiting.clear()
            self._waiting_bytes = 0
            return data


class Channel:
    """Hands every chunk to every client."""

    def __init__(self, camera: str) -> None:
        self._camera = camera
        self._lock = threading.Lock()
        self._clients: list[Subscription] = []

    def send(self, chunk: Chunk, tables: bytes) -> None:
        """Give `chunk` to all; who cannot keep up is let go."""
        with self._lock:
            for client in self._clients:
                client.offer(chunk, tables)
            self._clients = [c for c in self._clients if c.closed_because is None]
        metrics.STREAM_BYTES.labels(camera=self._camera).inc(len(chunk.data))

    def join(self) -> Subscription:
        """A new client."""
        subscription = Subscription()
        with self._lock:
            self._clients.append(subscription)
            metrics.CLIENTS.labels(camera=self._camera).inc()
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """The client went, or was let go."""
        subscription.close("left")
        reason = subscription.closed_because or "left"
        with self._lock:
            self._clients = [c for c in self._clients if c is not subscription]
            metrics.CLIENTS.labels(camera=self._camera).dec()
        metrics.CLIENTS_GONE.labels(camera=self._camera, reason=reason).inc()

    def cut(self, reason: str) -> None:
        """The stream ends here: whoever connects again gets the next one from its start."""
        with self._lock:
            for client in self._clients:
                client.close(reason)
            self._clients = []
