"""One camera's analysis: takes its newest frames, runs the pipeline, says what it found."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from detector import metrics
from detector.evidence.message import evidence_of
from detector.incidents import Report
from detector.pipeline import Outcome, Pipeline
from detector.tracking.tracks import Track
from hazardcast.config.site import Camera
from hazardcast.contract.errors import HazardcastError
from hazardcast.contract.messages import CameraStatus, DetectedObject, Detections, Incident
from hazardcast.contract.topics import DETECTIONS, EVIDENCE, INCIDENTS
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus
from hazardcast.service import lifecycle
from hazardcast.vision.pixels.frame import Frame

log = logging.getLogger(__name__)
TAKE_TIMEOUT_S = 1.0
MOST_AGE_S = 50.0
"""The alerter refuses what is over a minute old; a lone stopped vehicle takes longer to tell."""


class Frames(Protocol):
    """Where frames come from."""

    @property
    def state(self) -> str:
        """How the stream is."""
        ...

    @property
    def last_frame_at(self) -> float | None:
        """Capture time of the newest frame."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why frames that come cannot be looked at, in words."""
        ...

    def start(self) -> None:
        """Begin to read."""
        ...

    def close(self) -> None:
        """Stop reading."""
        ...

    def take(self, timeout_s: float) -> Frame | None:
        """The newest frame, None when none came."""
        ...


class Worker:
    """Analyses one camera on a thread of its own, from `start` to `close`."""

    def __init__(
        self, camera_id: str, camera: Camera, *, frames: Frames,
        open_pipeline: Callable[[], Pipeline], bus: Bus, clock: Clock,
    ) -> None:  # fmt: skip
        self._id, self._camera = camera_id, camera
        self._frames, self._open_pipeline = frames, open_pipeline
        self._bus, self._clock = bus, clock
        self._stop = threading.Event()
        self._missed = threading.Event()
        self._picture: tuple[str, ...] = ()
        self._trouble: str | None = None
        self._processed_monotonic: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"detect-{camera_id}", daemon=True)

    def start(self) -> None:
        """Begin to analyse."""
        self._frames.start()
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Begin to stop; `close` waits for it."""
        self._stop.set()

    def say_again(self) -> None:
        """Reports may have been lost: with the next frames say what is still to be seen."""
        self._missed.set()

    def close(self) -> None:
        """Stop; returns when nothing more will be said of this camera."""
        self._stop.set()
        self._frames.close()
        self._thread.join(10.0)
        for metric in (metrics.INCIDENTS_ACTIVE, metrics.FRAME_LAG_SECONDS):
            metric.labels(camera=self._id).set(0)

    def status(self) -> CameraStatus:
        """How fresh this camera is."""
        trouble = self._frames.trouble or self._trouble
        detail = (
            f"picture: {', '.join(self._picture)}" if self._picture and not trouble else trouble
        )
        return CameraStatus(
            camera=self._id,
            state=self._frames.state,
            last_frame_at=self._frames.last_frame_at,
            detail=detail,
        )

    @property
    def idle_s(self) -> float:
        """Since a frame was last analysed; endless before the first."""
        if self._processed_monotonic is None:
            return float("inf")
        return self._clock.monotonic() - self._processed_monotonic

    def _run(self) -> None:
        lifecycle.repeat(
            self._analyse, what=f"analysing {self._id}", stop=self._stop, clock=self._clock
        )

    def _analyse(self) -> None:
        """A fresh pipeline over the camera's frames, until stopped."""
        pipeline, run = self._open_pipeline(), 0
        while not self._stop.is_set():
            frame = self._frames.take(TAKE_TIMEOUT_S)
            if frame is not None:
                if self._camera.is_pushed and run != frame.run:
                    pipeline.forget(frame)
                run = frame.run
                with self._told():
                    self._process(pipeline, frame)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """What is in the way of the analysis, and can be acted on, is said in the status."""
        try:
            yield
        except HazardcastError as error:
            self._trouble = str(error)
            raise
        self._trouble = None

    def _process(self, pipeline: Pipeline, frame: Frame) -> None:
        started = self._clock.monotonic()
        found = pipeline.detect(frame)
        self._processed_monotonic = self._clock.monotonic()
        inference_s = self._processed_monotonic - started
        if self._missed.is_set():
            self._missed.clear()
            pipeline.book.say_again()
        outcome = pipeline.reason(frame, found)
        self._note_picture(outcome.picture)
        for report in outcome.reports:
            self._report(report, frame, outcome)
        self._bus.publish(
            DETECTIONS,
            detections(
                self._id, frame, outcome, model=pipeline.model.name, inference_s=inference_s
            ),
            camera=self._id,
        )
        self._measure(pipeline, frame, inference_s)

    def _note_picture(self, picture: tuple[str, ...]) -> None:
        if picture != self._picture:
            shown = ", ".join(picture) or "clear"
            log.warning("picture", extra={"camera": self._id, "picture": shown})
        self._picture = picture

    def _report(self, report: Report, frame: Frame, outcome: Outcome) -> None:
        incident = incident_of(self._id, self._camera, report, now=self._clock.now())
        self._bus.publish(INCIDENTS, incident)
        if not report.again:  # the picture that decided is shown already
            self._show(report, frame, outcome)
        if report.status == "new" and not report.again:
            metrics.INCIDENTS.labels(kind=report.type.value).inc()
        log.warning(
            "incident",
            extra={
                "camera": self._id, "status": report.status, "type": report.type.value,
                "again": report.again,
                "onset": round(report.onset_t, 3), "confidence": round(report.confidence, 2),
            },
        )  # fmt: skip

    def _show(self, report: Report, frame: Frame, outcome: Outcome) -> None:
        """Publish why; after the incident itself, which must not wait for a picture."""
        name = event_id(self._id, report.key_t)
        if report.status == "cancel":
            self._bus.clear(EVIDENCE, event_id=name)
            return
        evidence = evidence_of(self._id, name, frame, outcome, report)
        self._bus.publish(EVIDENCE, evidence, event_id=name)

    def _measure(self, pipeline: Pipeline, frame: Frame, inference_s: float) -> None:
        age_s = max(0.0, self._clock.now() - frame.t)
        metrics.FRAMES_PROCESSED.labels(camera=self._id).inc()
        metrics.INFERENCE_SECONDS.observe(inference_s)
        metrics.FRAME_LATENCY_SECONDS.observe(age_s)
        metrics.FRAME_LAG_SECONDS.labels(camera=self._id).set(age_s)
        metrics.INCIDENTS_ACTIVE.labels(camera=self._id).set(pipeline.book.active)


def detections(
    camera_id: str, frame: Frame, outcome: Outcome, *, model: str, inference_s: float
) -> Detections:
    """The message that tells what was seen in one frame."""
    height, width = frame.image.shape[:2]
    return Detections(
        camera=camera_id,
        ts=frame.t,
        frame_id=frame.index,
        width=width,
        height=height,
        objects=tuple(
            _object(track, outcome.speeds_mps.get(track.track_id)) for track in outcome.tracks
        ),
        model=model,
        inference_ms=round(1000 * inference_s, 2),
    )


def _object(track: Track, speed_mps: float | None) -> DetectedObject:
    x1, y1, x2, y2 = (round(float(side), 1) for side in track.box)
    return DetectedObject(
        track_id=track.track_id,
        label=track.label.name.lower(),
        score=round(min(1.0, track.last_score), 3),
        box=(x1, y1, x2, y2),
        speed_mps=None if speed_mps is None else round(min(speed_mps, 999.0), 1),
    )


def incident_of(camera_id: str, camera: Camera, report: Report, *, now: float) -> Incident:
    """The message that reports an incident.

    `event_id` is the detector's own name for it, from camera and first onset, by which later
    updates and the cancellation refer to it. An onset longer ago than `MOST_AGE_S` is told in the
    evidence alone; what is said again is dated by the frame that still shows it, and an end by the
    frame that told it, for a cancel older than its reporter's last word is none.
    """
    since = report.t if report.again or report.status == "cancel" else report.onset_t
    evidence: dict[str, Any] = {
        **report.evidence,
        "box": [round(float(side), 1) for side in report.place],
        "onset": round(report.onset_t, 3),
    }
    position = camera.position
    return Incident(
        type=report.type,
        ts=max(since, now - MOST_AGE_S),
        severity=report.severity,
        lat=position.lat_deg if position else None,
        lon=position.lon_deg if position else None,
        road=camera.road,
        distance_m=camera.distance_m,
        camera=camera_id,
        confidence=round(report.confidence, 3),
        status=report.status,
        event_id=event_id(camera_id, report.key_t),
        confirmed_at=now,
        evidence=evidence,
    )


def event_id(camera_id: str, onset_t: float) -> str:
    """At most 48 characters; a long camera id is cut, its onset in milliseconds is not."""
    stamp = str(round(onset_t * 1000))
    return f"{camera_id[: 47 - len(stamp)]}-{stamp}"
