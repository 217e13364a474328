"""Edge to video: frames of live cameras and of files, through OpenCV's FFmpeg."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import cv2

from hazardcast.config import settings
from hazardcast.contract.errors import HazardcastError, ToolMissingError
from hazardcast.contract.vocabulary import CameraState
from hazardcast.machine.clock import Clock
from hazardcast.machine.refusals import is_utf8, shown
from hazardcast.media.ffmpeg import Transport, find_ffmpeg
from hazardcast.service import lifecycle, video_file
from hazardcast.vision.pixels import interlacing
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.frame_times import Bursts, Mapping
from hazardcast.vision.pixels.image import Image
from hazardcast.vision.pixels.interlacing import Suspicion
from hazardcast.vision.pixels.transports import Way

log = logging.getLogger(__name__)

OPEN_TIMEOUT_MS = 5_000
READ_TIMEOUT_MS = 5_000
"""Without these OpenCV waits for ever on a camera that went silent."""
MOST_WAIT_S = 30.0
"""Between two tries to reach a camera."""
STALLED_AFTER_S = 3.0
LONGEST_OPEN_MS = 20_000
"""For cameras whose key frames, which tell the size of the pictures, are far apart."""
DECODING_THREADS = 1
"""With more, each holds back a frame and the picture is late by as many."""
SIZELESS_PICTURES = 3
SIZELESS = "connected, but no key frame told the size of its pictures: it is asked again"
B_FRAME = ord("B")
MJPG = cv2.VideoWriter.fourcc(*"MJPG")
PREFETCHED = 2
MOST_OBLONG = 4.0
ALMOST_SQUARE = 0.01
EARLY_SHARE = 0.2
LONGEST_STEP_S = 0.2


Ready: TypeAlias = queue.Queue[Frame | str | None]
"""Frames decoded ahead, None or what is wrong at the end."""


class VideoFileError(HazardcastError):
    """A file cannot be read as video."""


class LiveFrames:
    """The newest frames of one camera, at most `fps` a second; a thread of its own reads always.

    RTSP goes over TCP, and over UDP where a camera refuses that or then sends nothing, as the
    recorder asks; a `transport` that is wanted is the only one.
    """

    def __init__(
        self, url: Callable[[], str], *, camera: str, fps: float, clock: Clock,
        transport: Transport = "auto", most_wait_s: float = MOST_WAIT_S,
        captured: Callable[[], None] = lambda: None, dropped: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._url, self._camera, self._clock = url, camera, clock
        self._way, self._most_wait_s, self._run_number = Way(transport), most_wait_s, 0
        self._open_ms, self._sizeless = OPEN_TIMEOUT_MS, 0
        self._period_s = 1.0 / fps
        self._captured, self._dropped = captured, dropped
        self._stop = threading.Event()
        self._fresh = threading.Condition()
        self._latest: Frame | None = None
        self._state = CameraState.CONNECTING
        self._index = 0
        self._due_s = float("-inf")
        self._received_monotonic = float("-inf")
        self._bursts, self._awaited_s = Bursts(), 0.0
        self.last_frame_at: float | None = None
        """Capture time of the newest frame, epoch seconds."""
        self.trouble: str | None = None
        """Why pictures that come cannot be looked at, in words."""
        self._thread = threading.Thread(target=self._run, name=f"read-{camera}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def close(self) -> None:
        """Stop reading; returns within the read timeout."""
        self._stop.set()
        with self._fresh:
            self._fresh.notify_all()
        self._thread.join((OPEN_TIMEOUT_MS + READ_TIMEOUT_MS) / 1000)

    @property
    def state(self) -> CameraState:
        """`connecting`, `live`, `stalled` or `unreachable`."""
        silent_s = self._clock.monotonic() - self._received_monotonic
        if self._state == CameraState.LIVE and silent_s > STALLED_AFTER_S:
            return CameraState.STALLED
        return self._state

    def take(self, timeout_s: float) -> Frame | None:
        """The newest frame not taken yet; None when none came in time."""
        with self._fresh:
            self._fresh.wait_for(lambda: self._latest is not None or self._stop.is_set(), timeout_s)
            frame, self._latest = self._latest, None
            self._fresh.notify_all()
            return frame

    def _run(self) -> None:
        lifecycle.repeat(
            self._read_once,
            what=f"reading {self._camera}",
            stop=self._stop,
            clock=self._clock,
            most_s=self._most_wait_s,
        )

    def _read_once(self) -> None:
        """One connection, from opening to its end."""
        url = self._url()
        self._run_number += 1
        with self._way.opening(url):
            capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, live_options(self._open_ms))
        try:
            came = self._follow(capture, url)
        finally:
            capture.release()
        if not came and not self._stop.is_set():
            self._way.turn(url)

    def _follow(self, capture: cv2.VideoCapture, url: str) -> bool:
        """Read until the stream ends; returns whether any picture came."""
        if not capture.isOpened():
            self._say(CameraState.UNREACHABLE, "camera cannot be opened")
            return False
        self._due_s = float("-inf")
        shape, coding = pixel_shape(capture), int(capture.get(cv2.CAP_PROP_FOURCC))
        mapping = Mapping(timeless=is_timeless(url, coding), parsed=parsed_ahead(url, coding))
        suspicion = Suspicion(suspicious=fields_may_come(capture))
        came, self._bursts = False, Bursts()
        while not self._stop.is_set() and self._grabbed(capture):
            came = True
            try:
                self._receive(capture, mapping, shape, suspicion)
            except interlacing.UnwrittenError as error:
                self.trouble = str(error)
                self._say(CameraState.UNUSABLE, self.trouble)
                return came
            if self._sizeless >= SIZELESS_PICTURES:
                self._wait_longer()
                return came
        if not self._stop.is_set():
            self._say(CameraState.STALLED, "stream ended or went silent")
        return came

    def _grabbed(self, capture: cv2.VideoCapture) -> bool:
        asked_s = self._clock.monotonic()
        grabbed = capture.grab()
        self._awaited_s = self._clock.monotonic() - asked_s
        return bool(grabbed)

    def _wait_longer(self) -> None:
        """OpenCV opened the stream without knowing a size, and will decode nothing of it."""
        self._open_ms, self._sizeless = min(2 * self._open_ms, LONGEST_OPEN_MS), 0
        self.trouble = SIZELESS
        self._say(CameraState.WAITING, SIZELESS)

    def _say(self, state: CameraState, message: str) -> None:
        # Never the URL: it may carry a password.
        if self._state != state:
            log.warning(message, extra={"camera": self._camera})
        self._state = state

    def _receive(
        self, capture: cv2.VideoCapture, mapping: Mapping, shape: float, suspicion: Suspicion
    ) -> None:
        arrived_at = self._clock.now()
        stream_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
        is_b = capture.get(cv2.CAP_PROP_FRAME_TYPE) == B_FRAME
        taken_at = mapping.wall(stream_s, arrived_at, reordered=is_b)
        self._received_monotonic = self._clock.monotonic()
        if self.trouble is None:
            self._state = CameraState.LIVE
        self.last_frame_at = taken_at
        self._captured()
        if not mapping.caught_up:
            return
        wait_s = self._bursts.may_wait_s(taken_at, arrived_at, awaited_s=self._awaited_s)
        # A frame early by a little counts, or 25 fps at 8 wanted would give 6.25.
        if taken_at < self._due_s - EARLY_SHARE * self._period_s:
            return
        self._due_s = max(self._due_s + self._period_s, taken_at)
        ok, picture = capture.retrieve()
        self._sizeless = 0 if ok else self._sizeless + 1
        if ok and suspicion.allows(picture):
            self._put(
                Frame(squared(picture, shape), taken_at, self._index, self._run_number), wait_s
            )

    def _put(self, frame: Frame, wait_s: float) -> None:
        self._index += 1
        self.trouble, self._open_ms = None, OPEN_TIMEOUT_MS
        with self._fresh:
            if wait_s > 0:
                self._fresh.wait_for(lambda: self._latest is None or self._stop.is_set(), wait_s)
            if self._latest is not None:
                self._dropped()
            self._latest = frame
            self._fresh.notify_all()


def live_options(open_ms: int) -> list[int]:
    """OpenCV's options for a live stream that may take `open_ms` to open."""
    return [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, open_ms,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS,
        cv2.CAP_PROP_N_THREADS, DECODING_THREADS,
    ]  # fmt: skip


def fields_may_come(capture: cv2.VideoCapture) -> bool:
    """Whether the H.264 stream that was opened allows for fields."""
    index = capture.get(cv2.CAP_PROP_CODEC_EXTRADATA_INDEX)
    told, data = capture.retrieve(flag=int(index)) if index > 0 else (False, None)
    return bool(told) and data is not None and interlacing.fields_allowed(data.tobytes())


def pixel_shape(capture: cv2.VideoCapture) -> float:
    """Width by height of a pixel, as the stream tells it; 1 where it tells nothing believable."""
    across, down = (capture.get(one) for one in (cv2.CAP_PROP_SAR_NUM, cv2.CAP_PROP_SAR_DEN))
    shape = across / down if across > 0 and down > 0 else 1.0
    return float(shape) if 1 / MOST_OBLONG <= shape <= MOST_OBLONG else 1.0


def squared(picture: Image, shape: float) -> Image:
    """`picture` with square pixels, as a player shows it."""
    if abs(shape - 1.0) < ALMOST_SQUARE:
        return picture
    height, width = picture.shape[:2]
    return cv2.resize(picture, (round(width * shape), height), interpolation=cv2.INTER_LINEAR)


def is_timeless(url: str, fourcc: int) -> bool:
    """Whether this is JPEG after JPEG over HTTP: FFmpeg counts 25 a second, whatever comes."""
    return url.startswith(("http://", "https://")) and fourcc == MJPG


def parsed_ahead(url: str, fourcc: int) -> int:
    """How many later frames FFmpeg waits for: over RTSP its parser looks for the next one's start.

    Of a stream over HTTP nobody tells the container here, so that nothing is assumed.
    """
    return 1 if url.startswith(("rtsp://", "rtsps://")) and fourcc != MJPG else 0


class FileFrames:
    """The frames of a file in video time, at most `fps` a second, decoded ahead on a thread.

    Raises:
        VideoFileError: on iteration, when the file cannot be opened, or holds one picture only.
    """

    def __init__(self, path: Path, *, fps: float) -> None:
        self._path = path
        self._period_s = 1.0 / fps

    def __iter__(self) -> Iterator[Frame]:
        ready: Ready = queue.Queue(PREFETCHED)
        stop = threading.Event()
        capture = self._opened()
        reader = threading.Thread(
            target=_decode, args=(capture, self._period_s, ready, stop), daemon=True
        )
        reader.start()
        try:
            while (frame := ready.get()) is not None:
                if isinstance(frame, str):
                    raise VideoFileError(f"{shown(self._path)}: {frame}")
                yield frame
        finally:
            stop.set()
            while reader.is_alive():
                _drain(ready)
                reader.join(0.05)

    def _opened(self) -> cv2.VideoCapture:
        """By its whole path, in which no colon is a protocol's; in a way that bears any name."""
        problem = video_file.system_problem(self._path)
        if problem is None:
            with self._path.open("rb") as file:
                name = str(self._path.absolute())
                name = name if is_utf8(self._path) else f"/proc/self/fd/{file.fileno()}"
                capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
            if capture.isOpened():
                return capture
            problem = _ffmpegs_word(self._path)
        raise VideoFileError(f"{shown(self._path)}: cannot be read as video: {problem}")


def _ffmpegs_word(path: Path) -> str:
    """OpenCV does not say why."""
    with contextlib.suppress(ToolMissingError):
        if problem := video_file.problem_of(path, find_ffmpeg(settings.load().ffmpeg)):
            return problem
    return "it is damaged, or no video that OpenCV knows"


def _drain(ready: Ready) -> None:
    try:
        ready.get_nowait()
    except queue.Empty:
        return


def _decode(
    capture: cv2.VideoCapture,
    period_s: float,
    ready: Ready,
    stop: threading.Event,
) -> None:
    fps = capture.get(cv2.CAP_PROP_FPS)
    step_s = 1 / fps if 0.1 < fps < 1000 else 0.04
    due_s, first_s, last_s, index, seen = 0.0, 0.0, -step_s, 0, 0
    shape = pixel_shape(capture)
    while not stop.is_set() and capture.grab():
        t = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
        # An AVI tells when a frame is decoded, which is later by as many as there are B-frames.
        first_s = first_s if seen else t
        t, seen = t - first_s, seen + 1
        # Some files carry no or broken times, or none for their last frames: then all goes on
        # as it went.
        if t <= last_s:
            t = last_s + step_s
        elif seen > 1:
            step_s = min(t - last_s, LONGEST_STEP_S)
        last_s = t
        if last_s + step_s / 2 < due_s:
            continue
        due_s = max(due_s + period_s, last_s)
        picture = _picture(capture)
        if picture is not None:
            ready.put(Frame(squared(picture, shape), last_s, index))
            index += 1
    capture.release()
    ready.put(video_file.STILL if seen == 1 and not stop.is_set() else None)


def _picture(capture: cv2.VideoCapture) -> Image | None:
    ok, picture = capture.retrieve()
    return picture if ok and picture is not None and picture.ndim == 3 else None
