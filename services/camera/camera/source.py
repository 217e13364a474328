"""What every local camera has: a channel, a state that others may ask for, and a way to stop."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from typing import Any

from camera import metrics
from camera.channel import Channel
from camera.encoder import Stream
from camera.transport_stream import Chunk
from hazardcast.contract.messages import CameraStatus
from hazardcast.contract.vocabulary import CameraState
from hazardcast.machine.clock import Clock
from hazardcast.service import lifecycle

log = logging.getLogger(__name__)
WELL = (CameraState.LIVE, CameraState.ENDED)
STALLED_AFTER_S = 5.0


class SourceProblem(Exception):  # noqa: N818 - it is not an error of this program
    """The camera cannot be read; the text says why."""


class LocalCamera(ABC):
    """One drawn, file, USB or pushed camera; subclasses know how to produce its stream once."""

    may_come = False
    """Whether a stream that has ended may begin any moment: then a client of it waits a while."""

    def __init__(self, camera_id: str, clock: Clock, ffmpeg: str) -> None:
        self.id = camera_id
        self.channel = Channel(camera_id)
        self.state = CameraState.CONNECTING
        self.detail: str | None = None
        self.last_frame_at: float | None = None
        self._clock = clock
        self._ffmpeg = ffmpeg
        self._streams: list[Stream] = []
        self._streams_lock = threading.Lock()
        self._begun_once = False
        self._moved_s = clock.monotonic()

    def run_once(self, stop: threading.Event) -> None:
        """Produce the stream until it ends or `stop` is set; problems are told, not raised."""
        self._moved_s = self._clock.monotonic()
        reason = "ended"
        try:
            self._produce(stop)
        except SourceProblem as problem:
            reason = "unreadable"
            self._become(CameraState.UNREADABLE, str(problem))
        except BrokenPipeError:
            reason = "broken"
            if not stop.is_set():
                self._become(CameraState.CONNECTING, "the encoder ended and is started again")
        except OSError as error:
            reason = "refused"
            self._become(CameraState.FAILING, lifecycle.refused(error))
        finally:
            self.channel.cut("stream ended")
            self._close_streams()
        if not stop.is_set():
            metrics.RESTARTS.labels(camera=self.id, reason=reason).inc()

    @abstractmethod
    def _produce(self, stop: threading.Event) -> None:
        """Read the camera once: `_open` an encoder, `_send` what it makes.

        Raises:
            SourceProblem: it cannot be read.
            OSError: this machine refuses.
        """

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What is known of the stream now; times in epoch seconds."""

    @property
    def status(self) -> CameraStatus:
        """For `v2x/status`."""
        return CameraStatus(
            camera=self.id, state=self.state, last_frame_at=self.last_frame_at, detail=self.detail
        )

    def interrupt(self) -> None:
        """End the running ffmpeg: whoever waits for it goes on at once."""
        with self._streams_lock:
            for stream in self._streams:
                stream.kill()

    def check_stall(self) -> None:
        """Begin anew when nothing has moved for a while although it should."""
        still_s = self._clock.monotonic() - self._moved_s
        if self.state == CameraState.LIVE and still_s > STALLED_AFTER_S:
            self._become(CameraState.STALLED, f"no frame for {STALLED_AFTER_S:g} s")
            self.interrupt()

    def _open(self, command: list[str], *, takes_frames: bool = False) -> Stream:
        stream = Stream(command, takes_frames=takes_frames)
        with self._streams_lock:
            self._streams.append(stream)
        return stream

    def _close(self, stream: Stream) -> None:
        with self._streams_lock:
            self._streams.remove(stream)
        stream.close()

    def _close_streams(self) -> None:
        with self._streams_lock:
            streams, self._streams = self._streams, []
        for stream in streams:
            stream.close()

    def _send(self, chunk: Chunk, tables: bytes) -> None:
        self.channel.send(chunk, tables)
        self._moved_s = self._clock.monotonic()
        if chunk.starts_frame:
            self.last_frame_at = self._clock.now()
            metrics.FRAMES_SENT.labels(camera=self.id).inc()
            metrics.LAST_FRAME.labels(camera=self.id).set(self.last_frame_at)
            if self.state != CameraState.LIVE:
                self._become(CameraState.LIVE, None)

    def _become(self, state: CameraState, detail: str | None) -> None:
        if (state, detail) != (self.state, self.detail):
            level = logging.INFO if state in WELL else logging.WARNING
            log.log(level, "camera %s", state, extra={"camera": self.id, "detail": detail})
        self.state, self.detail = state, detail
