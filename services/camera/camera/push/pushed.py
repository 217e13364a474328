"""A camera whose pictures a client brings: one client at a time, and each is a run of its own."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from camera import drawing, encoder, metrics
from camera.encoder import Size, Stream
from camera.push.jpeg import Header, Refused
from camera.source import LocalCamera
from camera.transport_stream import Splitter
from hazardcast.contract.messages import Detections
from hazardcast.contract.vocabulary import CameraState
from hazardcast.machine.clock import Clock

MOST_SIZE: Size = (1920, 1080)
MOST_FPS = 30.0
IDLE_S = 5.0
NO_PICTURE = f"no picture for {IDLE_S:g} s"
BURST = 3.0
"""Frames that a hiccup of the network may bring at once."""
LOOK_S = 0.5
DRAIN_S = 1.0
MOST_DELAY_S = 2.0
"""A moment that is told and lies further off is another clock's."""
WAITS = "waits for a client"


class Publisher:
    """The one client of a camera, as long as it stays."""

    def __init__(
        self,
        camera: PushedCamera,
        say: Callable[[Mapping[str, Any]], None],
        hang_up: Callable[[], None],
    ) -> None:
        self._camera, self._hang_up = camera, hang_up
        self.since = camera.clock.now()
        """Epoch seconds."""
        self.say = say
        """Tells the client something; never waits."""
        self.wants_results = False
        self.offered_s = camera.clock.monotonic()
        self.ended_because: str | None = None
        self.frames = self.dropped = self.refused = 0
        self.last_refusal: str | None = None
        self.delay_s: float | None = None

    def taken(self, at: float) -> None:
        """When the client says that its next picture was taken, epoch seconds."""
        delay_s = self._camera.clock.now() - at
        self.delay_s = round(delay_s, 3) if abs(delay_s) <= MOST_DELAY_S else None

    def counts(self) -> dict[str, Any]:
        """What became of its pictures."""
        return {
            "frames": self.frames,
            "dropped": self.dropped,
            "refused": self.refused,
            "last_refusal": self.last_refusal,
        }

    def end(self, because: str) -> None:
        """Let it go: whoever reads from it goes on, tells it why, and leaves."""
        self.ended_because = self.ended_because or because
        metrics.PUSH_TURNED_AWAY.labels(reason="let_go").inc()
        self._hang_up()

    def offer(self, picture: bytes, header: Header) -> None:
        """Hand over a picture whose header has been judged; the newest wins."""
        self._camera.put(self, picture, header)

    def refuse(self, refused: Refused) -> None:
        """Count what cannot be used, and tell the client."""
        self.refused += 1
        self.last_refusal = str(refused)
        metrics.PUSH_REFUSED.labels(camera=self._camera.id, reason=refused.reason).inc()
        self.say({"error": str(refused)})

    def leave(self) -> None:
        """It went, or was let go: all that was held for it is given back."""
        self._camera.let_go(self)


class PushedCamera(LocalCamera):
    """Encodes what its client brings, on pictures of the size of the first."""

    may_come = True

    def __init__(self, camera_id: str, clock: Clock, ffmpeg: str) -> None:
        super().__init__(camera_id, clock, ffmpeg)
        self.clock = clock
        self._changed = threading.Condition()
        self._publisher: Publisher | None = None
        self._waiting: tuple[bytes, Header] | None = None
        self._allowance, self._counted_s = BURST, clock.monotonic()
        self._size: Size | None = None
        self._runs = 0
        metrics.PUBLISHERS.labels(camera=self.id).set(0)
        self._become(CameraState.ENDED, WAITS)

    def facts(self) -> dict[str, Any]:
        """Whether a client is there since when, and what became of its pictures."""
        publisher = self._publisher
        return {
            "camera": self.id,
            "state": self.state,
            "runs": self._runs,
            "dated": "on arrival",
            "size": self._size,
            "client_since": publisher and round(publisher.since, 3),
            "delay_s": publisher and publisher.delay_s,
            **(publisher.counts() if publisher else {}),
        }

    @property
    def publisher(self) -> Publisher | None:
        """Its client, if one is there."""
        return self._publisher

    def check_stall(self) -> None:
        """A client that brings nothing is let go; an encoder that hangs is begun anew."""
        publisher = self._publisher
        if publisher is None:
            return
        idle_s = self._clock.monotonic() - publisher.offered_s
        if idle_s > IDLE_S:
            publisher.end(NO_PICTURE)
        else:
            super().check_stall()

    def admit(
        self, say: Callable[[Mapping[str, Any]], None], hang_up: Callable[[], None]
    ) -> Publisher | None:
        """A client takes this camera; None while another has it."""
        with self._changed:
            if self._publisher is not None:
                return None
            self._publisher = Publisher(self, say, hang_up)
            self._waiting = None
            metrics.PUBLISHERS.labels(camera=self.id).set(1)
            self._changed.notify_all()
            return self._publisher

    def tell(self, seen: Detections) -> None:
        """What the detector saw in a frame: to a client that asked for it, boxes and counts."""
        publisher = self._publisher
        if publisher and publisher.wants_results:
            objects = [one.model_dump(mode="json", exclude_none=True) for one in seen.objects]
            counts = Counter(one.label for one in seen.objects)
            told = {"ts": seen.ts, "width": seen.width, "height": seen.height}
            publisher.say({**told, "objects": objects, "counts": dict(counts)})

    def let_go(self, publisher: Publisher) -> None:
        """The client is gone."""
        with self._changed:
            if self._publisher is publisher:
                self._publisher = self._waiting = None
                metrics.PUBLISHERS.labels(camera=self.id).set(0)
                self._changed.notify_all()

    def put(self, publisher: Publisher, picture: bytes, header: Header) -> None:
        """The newest picture; one that still waits gives way, and so does what comes too fast."""
        with self._changed:
            if self._publisher is not publisher:
                return
            publisher.frames += 1
            publisher.offered_s = self._clock.monotonic()
            if not self._allowed():
                self._drop(publisher, "rate")
                return
            if self._waiting is not None:
                self._drop(publisher, "slow")
            self._waiting = picture, header
            self._changed.notify_all()

    def pause_s(self, publisher: Publisher) -> float:
        """How long a client that can wait, as one that sends a file, should before its next."""
        with self._changed:
            publisher.offered_s = self._clock.monotonic()  # it is we who let it wait
            self._earn()
            if self._waiting is not None:
                return 1 / MOST_FPS
            return max(0.0, (1 - self._allowance) / MOST_FPS)

    def _earn(self) -> None:
        now_s = self._clock.monotonic()
        earned = (now_s - self._counted_s) * MOST_FPS
        self._allowance, self._counted_s = min(BURST, self._allowance + earned), now_s

    def _allowed(self) -> bool:
        self._earn()
        if self._allowance < 1 - 1e-6:
            return False
        self._allowance -= 1
        return True

    def _drop(self, publisher: Publisher, reason: str) -> None:
        publisher.dropped += 1
        metrics.PUSH_DROPPED.labels(camera=self.id, reason=reason).inc()

    def _produce(self, stop: threading.Event) -> None:
        while publisher := self._next_client(stop):
            self._become(CameraState.CONNECTING, "a client is there; its first picture is awaited")
            try:
                self._one_run(publisher, stop)
            finally:
                self.channel.cut("the client went")
                self._close_streams()
                self._size = None
            if not stop.is_set() and self._publisher is not publisher:
                self._become(CameraState.ENDED, WAITS)

    def _next_client(self, stop: threading.Event) -> Publisher | None:
        with self._changed:
            while self._publisher is None and not stop.is_set():
                self._changed.wait(LOOK_S)
            return None if stop.is_set() else self._publisher

    def _one_run(self, publisher: Publisher, stop: threading.Event) -> None:
        first = self._picture(publisher, stop)
        if first is None:
            return
        self._runs += 1
        self._size = size = drawing.bounded(first, MOST_SIZE)
        command = encoder.pushed_command(self._ffmpeg, width=size[0], height=size[1])
        stream = self._open(command, takes_frames=True)
        reader = threading.Thread(
            target=self._forward, args=(stream,), name=f"stream of {self.id}", daemon=True
        )
        reader.start()
        try:
            picture: drawing.Frame | None = first
            while picture is not None:
                stream.write(drawing.to_i420(drawing.fitted(picture, size)))
                picture = self._picture(publisher, stop)
        finally:
            if not stop.is_set():
                stream.end_input()  # its last pictures may be on their way
                reader.join(DRAIN_S)
            stream.kill()
            reader.join()

    def _picture(self, publisher: Publisher, stop: threading.Event) -> drawing.Frame | None:
        """The next one that can be decoded; None when the client is gone."""
        while (came := self._next(publisher, stop)) is not None:
            picture, header = came
            decoded = drawing.decoded(picture, _share(header, self._size or MOST_SIZE))
            if decoded is not None:
                return decoded
            publisher.refuse(Refused("damaged", "the JPEG cannot be decoded"))
        return None

    def _next(self, publisher: Publisher, stop: threading.Event) -> tuple[bytes, Header] | None:
        with self._changed:
            while not stop.is_set() and self._publisher is publisher:
                if self._waiting is not None:
                    came, self._waiting = self._waiting, None
                    return came
                self._changed.wait(LOOK_S)
            return None

    def _forward(self, stream: Stream) -> None:
        splitter = Splitter()
        while data := stream.read():
            for chunk in splitter.feed(data):
                self._send(chunk, splitter.tables)


def _share(header: Header, size: Size) -> int:
    """By how much it may be decoded smaller and still fill `size`: 1, 2, 4 or 8."""
    wanted = min(max(header.width, header.height) // max(size), 8)
    return next(share for share in (8, 4, 2, 1) if share <= max(1, wanted))
